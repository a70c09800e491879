"""What each kind of job asks a batch system for, and whether this cluster has what config/site.yaml names.

Planning reads this: neither torch nor pydantic. The typed forms of both config sections are in
:mod:`maskray.config.workflow`; docs/cluster.md is the guide.
"""

from __future__ import annotations

import getpass
import math
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maskray.config.check import did_you_mean
from maskray.config.plan import Plan
from maskray.errors import InputError

# Slurm sends TERM so long before the time limit: time to write a checkpoint, and to leave.
_SECONDS_TO_SAVE = 120
_SITE_FILE = "config/site.yaml"
# The first word of a rule's group -> the kind of its jobs.
_KIND_OF_GROUP = {"tune": "evaluate", "score": "small"}


def needs(plan: Plan, kind: str) -> dict[str, Any]:
    """The resources of a rule: need, from ``resources`` of the config; and where it runs, from ``slurm`` of the site.

    More memory with every attempt, as running out of it is the failure that a retry can mend; not of a pre-training,
    whose next attempt mostly goes on after a time limit. The time stays: it may be all that a partition allows. Nothing
    here is a trigger: new numbers run no job again.

    Args:
        plan: has both sections of the config.
        kind: small, images, reports, pretrain or evaluate.
    """
    need = plan.config["resources"][kind]
    site = plan.config.get("slurm", {})
    extra = [site.get("extra", "")]
    # A turn: jobs that go to a batch system as one run one after the other (slurm/config.yaml).
    resources: dict[str, Any] = {
        "turns": 1,
        "mem_mb": round(need["mem_gb"] * 1000) if kind == "pretrain" else _more_each_time(need["mem_gb"]),
        "runtime": max(1, round(need["hours"] * 60)),
    }
    if kind == "pretrain":
        ranks = _ranks(plan, need.get("gpu", False), site.get("gpu_model"))
        extra.append(f"--signal=TERM@{_SECONDS_TO_SAVE}")
    else:
        ranks = {"gpu": 1} | _model(site.get("gpu_model")) if need.get("gpu") else {}
    partition = site.get("gpu_partition" if need.get("gpu") else "partition") or site.get("partition")
    asked = {"slurm_account": site.get("account"), "slurm_partition": partition, "qos": site.get("qos")}
    asked |= {"constraint": site.get("constraint"), "slurm_extra": " ".join(filter(None, extra))}
    return resources | ranks | {name: value for name, value in asked.items() if value}


def _more_each_time(mem_gb: float) -> Callable[..., int]:
    return lambda wildcards, attempt: round(mem_gb * 1000 * attempt)


def _model(gpu_model: str | None) -> dict[str, str]:
    return {"gpu_model": gpu_model} if gpu_model else {}


def _ranks(plan: Plan, uses_gpu: bool, gpu_model: str | None) -> dict[str, Any]:
    """Processes of one pre-training: on one node the first one starts the others, on several ``srun`` starts all."""
    machine = plan.config.get("runtime", {}).get("pretrain", {})
    devices, nodes = machine.get("devices", 1), machine.get("num_nodes", 1)
    cpus = max(machine.get("threads", 1), machine.get("num_workers", 0))
    if nodes == 1:
        return {"cpus_per_task": cpus * devices} | ({"gpu": devices} | _model(gpu_model) if uses_gpu else {})
    # --gpus would count them over all nodes, however unevenly; gres counts by node.
    gpus = {"gres": ":".join(filter(None, ["gpu", gpu_model, str(devices)]))} if uses_gpu else {}
    return {"nodes": nodes, "mpi": "srun", "tasks": devices * nodes, "tasks_per_gpu": 0, "cpus_per_task": cpus} | gpus


def launcher(plan: Plan) -> str:
    """What stands before the command of a pre-training on several nodes; empty on one.

    The workflow's wrapper hides most of a job's own variables from this ``srun``, so all counts are given again.
    """
    machine = plan.config.get("runtime", {}).get("pretrain", {})
    devices, nodes = machine.get("devices", 1), machine.get("num_nodes", 1)
    if nodes == 1:
        return ""
    return (
        f"{{resources.mpi}} --nodes={nodes} --ntasks={{resources.tasks}} --ntasks-per-node={devices}"
        " --cpus-per-task={resources.cpus_per_task} --kill-on-bad-exit=1 "
    )


def check_cluster(config: Mapping[str, Any], group_sizes: Mapping[str, int]) -> None:
    """Ask Slurm whether the account and the partitions are there and allow the hours, before anything is planned.

    Nothing is asked where there is no Slurm: a plan can be made anywhere.

    Args:
        config: with the sections ``resources`` and ``slurm``.
        group_sizes: group of rules -> how many of its jobs go into one job of Slurm's, one after the other.

    Raises:
        InputError: a name that Slurm does not know, or one that it needs and that is not given; a job that is longer
            than its partition allows, and would wait for ever.
    """
    if config.get("batch_system") != "slurm" or shutil.which("sinfo") is None:
        return
    site, needs_by_kind = config.get("slurm", {}), config["resources"]
    partitions = _partitions()
    for key in ("partition", "gpu_partition"):
        for name in filter(None, str(site.get(key) or "").split(",")):
            _check_known(key, name, list(partitions))
    chosen = site.get("partition") or next((name for name, each in partitions.items() if each.is_default), None)
    if chosen is None:
        raise _to_be_mended("partition: this cluster has no default partition; name one of", list(partitions))
    for_gpus = site.get("gpu_partition") or chosen
    if any(need.get("gpu") for need in needs_by_kind.values()):
        _check_gpus(for_gpus, partitions)
    _check_account(site.get("account"))
    for kind, need in needs_by_kind.items():
        names = (for_gpus if need.get("gpu") else chosen).split(",")
        longest = max((partitions[name] for name in names), key=lambda each: each.max_minutes)
        sizes = [size for group, size in group_sizes.items() if _KIND_OF_GROUP.get(group.split("_")[0]) == kind]
        _check_hours(kind, need["hours"], max(sizes, default=1), longest)


@dataclass(frozen=True)
class _Partition:
    name: str
    is_default: bool
    has_gpus: bool
    max_minutes: float


def _partitions() -> dict[str, _Partition]:
    found: dict[str, _Partition] = {}
    for line in _ask("sinfo", "--noheader", "--format=%P|%l|%G"):
        name, limit, devices = line.split("|")
        key = name.rstrip("*")
        has_gpus = "gpu" in devices or (key in found and found[key].has_gpus)
        found[key] = _Partition(key, name.endswith("*"), has_gpus, _minutes(limit))
    return found


def _minutes(limit: str) -> float:
    """Of Slurm's [days-][hours:]minutes:seconds; ``infinite`` and ``n/a`` are no limit."""
    if not limit[0].isdigit():
        return math.inf
    days, _, clock = limit.rpartition("-")
    seconds = 0
    for part in clock.split(":"):
        seconds = seconds * 60 + int(part)
    return int(days or 0) * 24 * 60 + seconds / 60


def _check_gpus(names: str, partitions: Mapping[str, _Partition]) -> None:
    if not any(partitions[name].has_gpus for name in names.split(",")):
        raise _to_be_mended(
            f"gpu_partition: jobs ask for GPUs, and partition {names} has none; with GPUs there are",
            [name for name, each in partitions.items() if each.has_gpus],
        )


def _check_hours(kind: str, hours: float, num_jobs: int, partition: _Partition) -> None:
    if hours * num_jobs * 60 > partition.max_minutes:
        grouped = f" in each of {num_jobs} jobs of a group (group-components in slurm/config.yaml)"
        raise InputError(
            f"{_SITE_FILE}: resources.{kind}.hours is {hours:g}{grouped if num_jobs > 1 else ''}, but partition "
            f"{partition.name} allows {partition.max_minutes / 60:g} hours and such a job would wait for ever: "
            f"write fewer hours into {_SITE_FILE}, or name another partition"
        )


def _check_account(account: str | None) -> None:
    """Silent where the cluster keeps no accounts."""
    user = getpass.getuser()
    lines = _ask(
        "sacctmgr", "--noheader", "--parsable2", "list", "user", user, "withassoc", "format=account,defaultaccount"
    )
    allowed = sorted({line.split("|")[0] for line in lines if line.split("|")[0]})
    if account is None:
        if allowed and not any(line.split("|")[1] for line in lines):
            raise _to_be_mended("account: you have no default account here; name one of yours", allowed)
    elif allowed:
        # Slurm itself knows accounts in lower case.
        _check_known("account", account.lower(), allowed)


def _check_known(key: str, name: str, known: Sequence[str]) -> None:
    if name not in known:
        raise _to_be_mended(f"{key}: this cluster has no {name} for you{did_you_mean(name, known)}; there are", known)


def _to_be_mended(what: str, names: Sequence[str]) -> InputError:
    return InputError(f"{_SITE_FILE}: slurm.{what}: {', '.join(names) or 'none'} (slurm/config.yaml explains the keys)")


def _ask(*command: str) -> list[str]:
    """The lines of a Slurm command's answer; none where it has none, as without accounting."""
    if shutil.which(command[0]) is None:
        return []
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        raise InputError(f"{command[0]} does not answer: is the cluster down?") from None
    if answer.returncode and command[0] == "sinfo":
        raise InputError(f"sinfo: {answer.stderr.strip()}")
    return answer.stdout.splitlines() if not answer.returncode else []
