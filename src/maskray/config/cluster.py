"""What each kind of job asks a batch system for, and whether this cluster has what config/site.yaml names.

Planning reads this: neither torch nor pydantic. The typed forms of both config sections are in
:mod:`maskray.config.workflow`; docs/cluster.md is the guide.
"""

from __future__ import annotations

import getpass
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from maskray.config.check import did_you_mean
from maskray.config.plan import Plan
from maskray.errors import InputError

# Slurm sends TERM so long before the time limit: time to write a checkpoint, and to leave.
_SECONDS_TO_SAVE = 120
_SITE_FILE = "config/site.yaml"


def needs(plan: Plan, kind: str) -> dict[str, Any]:
    """The resources of a rule: need, from ``resources`` of the config; and where it runs, from ``slurm`` of the site.

    More memory with every attempt, as running out of it is the failure that a retry can mend. The time stays: it may
    be all that a partition allows. Nothing here is a trigger: new numbers run no job again.

    Args:
        plan: has both sections of the config.
        kind: small, images, reports, pretrain or evaluate.
    """
    need = plan.config["resources"][kind]
    site = plan.config.get("slurm", {})
    extra = [site.get("extra", "")]
    # A turn: jobs that go to a batch system as one run one after the other (slurm/config.yaml).
    resources: dict[str, Any] = {"turns": 1, "mem_mb": _more_each_time(need["mem_gb"]), "runtime": max(1, round(need["hours"] * 60))}
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
    """Processes of one pre-training: on one node its first process starts the others, on several ``srun`` starts all."""
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


def check_cluster(config: Mapping[str, Any]) -> None:
    """Ask Slurm whether the account and the partitions are there, before anything is planned.

    Nothing is asked where there is no Slurm: a plan can be made anywhere.

    Raises:
        InputError: a name that Slurm does not know, or one that it needs and that is not given.
    """
    if config.get("batch_system") != "slurm" or shutil.which("sinfo") is None:
        return
    site, asks_for_gpu = config.get("slurm", {}), any(need.get("gpu") for need in config["resources"].values())
    partitions = _partitions()
    for key in ("partition", "gpu_partition"):
        for name in filter(None, str(site.get(key) or "").split(",")):
            _check_known(key, name, list(partitions))
    chosen = site.get("partition") or next((name for name, (is_default, _) in partitions.items() if is_default), None)
    if chosen is None:
        raise _to_be_mended("partition: this cluster has no default partition; name one of", list(partitions))
    if asks_for_gpu:
        _check_gpus(site.get("gpu_partition") or chosen, partitions)
    _check_account(site.get("account"))


def _partitions() -> dict[str, tuple[bool, bool]]:
    """Name -> (is the default, has GPUs)."""
    found: dict[str, tuple[bool, bool]] = {}
    for line in _ask("sinfo", "--noheader", "--format=%P|%G"):
        name, _, devices = line.partition("|")
        key, has_gpus = name.rstrip("*"), "gpu" in devices
        found[key] = (name.endswith("*"), has_gpus or found.get(key, (False, False))[1])
    return found


def _check_gpus(names: str, partitions: Mapping[str, tuple[bool, bool]]) -> None:
    if not any(partitions[name][1] for name in names.split(",")):
        raise _to_be_mended(
            f"gpu_partition: jobs ask for GPUs, and partition {names} has none; with GPUs there are",
            [name for name, (_, has_gpus) in partitions.items() if has_gpus],
        )


def _check_account(account: str | None) -> None:
    """Silent where the cluster keeps no accounts."""
    user = getpass.getuser()
    lines = _ask("sacctmgr", "--noheader", "--parsable2", "list", "user", user, "withassoc", "format=account,defaultaccount")
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
