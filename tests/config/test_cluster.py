"""What jobs ask for, and the questions put to Slurm; scripts stand in for its commands."""

import os

import pytest

from maskray.config.cluster import check_cluster, launcher, needs
from maskray.errors import InputError

NEEDS = {
    "small": {"mem_gb": 4, "hours": 1},
    "pretrain": {"mem_gb": 64, "hours": 24, "gpu": True},
    "evaluate": {"mem_gb": 32, "hours": 4, "gpu": True},
}


class PlanOf:
    """The one thing of a plan that is read here."""

    def __init__(self, **config):
        self.config = {"resources": NEEDS} | config


def test_a_job_without_gpu_asks_for_memory_time_and_its_partition():
    asked = needs(PlanOf(slurm={"account": "lab", "partition": "cpu", "gpu_partition": "gpu", "qos": "long"}), "small")
    memory = asked.pop("mem_mb")
    assert asked == {"turns": 1, "runtime": 60, "slurm_account": "lab", "slurm_partition": "cpu", "qos": "long"}
    assert [memory(None, attempt=attempt) for attempt in (1, 2)] == [4000, 8000]


def test_a_pre_training_that_goes_on_after_a_time_limit_asks_for_no_more_memory():
    assert needs(PlanOf(), "pretrain")["mem_mb"] == 1000 * NEEDS["pretrain"]["mem_gb"]


def test_a_site_that_names_nothing_leaves_all_to_the_cluster():
    assert set(needs(PlanOf(), "small")) == {"turns", "mem_mb", "runtime"}


def test_a_gpu_job_goes_to_the_gpus():
    site = {"partition": "cpu", "gpu_partition": "gpu", "gpu_model": "a100", "extra": "--exclude=n7"}
    asked = needs(PlanOf(slurm=site), "evaluate")
    assert (asked["gpu"], asked["gpu_model"], asked["slurm_partition"]) == (1, "a100", "gpu")
    assert asked["slurm_extra"] == "--exclude=n7"
    assert needs(PlanOf(slurm={"partition": "both"}), "evaluate")["slurm_partition"] == "both"


def test_pre_training_is_warned_before_its_time_is_over():
    assert needs(PlanOf(), "pretrain")["slurm_extra"] == "--signal=TERM@120"


def test_all_gpus_of_one_node_belong_to_one_task():
    plan = PlanOf(runtime={"pretrain": {"devices": 4, "threads": 8, "num_workers": 6}})
    asked = needs(plan, "pretrain")
    assert (asked["gpu"], asked["cpus_per_task"]) == (4, 32)
    assert not {"mpi", "tasks", "nodes"} & set(asked)
    assert launcher(plan) == ""


def test_on_several_nodes_each_gpu_has_its_task():
    plan = PlanOf(runtime={"pretrain": {"devices": 4, "num_nodes": 2, "threads": 8}}, slurm={"gpu_model": "a100"})
    asked = needs(plan, "pretrain")
    assert (asked["nodes"], asked["tasks"], asked["gres"], asked["cpus_per_task"]) == (2, 8, "gpu:a100:4", 8)
    assert "gpu" not in asked  # with gres beside it Slurm would be asked twice
    assert "--nodes=2 --ntasks={resources.tasks} --ntasks-per-node=4" in launcher(plan)


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Answers of sinfo and sacctmgr; the whole PATH, so that a real Slurm is not asked."""

    def answer(partitions, accounts):
        for name, lines in (("sinfo", partitions), ("sacctmgr", accounts)):
            script = tmp_path / name
            text = "\n".join(f"echo '{line}'" for line in lines)
            script.write_text(f"#!/bin/sh\n{text}\n")
            script.chmod(0o755)

    monkeypatch.setenv("PATH", str(tmp_path))
    return answer


PARTITIONS = ["cpu*|2-00:00:00|(null)", "gpu|1-00:00:00|gpu:a100:4", "gpu|1-00:00:00|(null)", "debug|30:00|gpu:1"]
ACCOUNTS = ["lab|lab", "other|lab"]


def check(slurm=None, group_sizes=None, **config):
    check_cluster({"batch_system": "slurm", "resources": NEEDS, "slurm": slurm or {}} | config, group_sizes or {})


def test_a_site_that_fits_passes(slurm):
    slurm(PARTITIONS, ACCOUNTS)
    check({"account": "Lab", "partition": "cpu", "gpu_partition": "gpu,debug"})
    check({"gpu_partition": "gpu"}, {"tune_{paper}": 5, "score_{paper}": 20, "something": 900})
    slurm(PARTITIONS, [])  # a cluster that keeps no accounts
    check({"account": "anything", "gpu_partition": "gpu"})


@pytest.mark.parametrize(
    ("site", "message"),
    [
        ({"gpu_partition": "gpus"}, r"slurm\.gpu_partition: this cluster has no gpus.*there are: cpu, gpu, debug"),
        ({"partition": "long", "gpu_partition": "gpu"}, r"slurm\.partition: this cluster has no long"),
        ({"account": "lap", "gpu_partition": "gpu"}, r"slurm\.account: this cluster has no lap for you.*: lab, other"),
        ({}, r"slurm\.gpu_partition: jobs ask for GPUs, and partition cpu has none; with GPUs there are: gpu, debug"),
        ({"gpu_partition": "debug"}, r"resources\.pretrain\.hours is 24, but partition debug allows 0\.5 hours"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_with_the_file_to_edit(slurm, site, message):
    slurm(PARTITIONS, ACCOUNTS)
    with pytest.raises(InputError, match=rf"^config/site\.yaml: {message}"):
        check(site)


def test_a_group_that_is_longer_than_its_partition_allows_is_said(slurm):
    slurm(PARTITIONS, ACCOUNTS)
    with pytest.raises(
        InputError, match=r"resources\.evaluate\.hours is 4 in each of 7 jobs of a group .*allows 24 hours"
    ):
        check({"gpu_partition": "gpu"}, {"tune_{paper}_{variant}": 7})


def test_without_a_default_one_is_asked_for(slurm):
    slurm([line.replace("*", "") for line in PARTITIONS], ACCOUNTS)
    with pytest.raises(InputError, match=r"partition: this cluster has no default partition; name one of: cpu, gpu"):
        check({"gpu_partition": "gpu"})
    slurm(PARTITIONS, ["lab|", "other|"])
    with pytest.raises(InputError, match="account: you have no default account here; name one of yours: lab, other"):
        check({"gpu_partition": "gpu"})


def test_nothing_is_asked_without_slurm(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    check({"partition": "anything"})
    monkeypatch.undo()
    assert os.environ["PATH"] != str(tmp_path)
    check({"partition": "anything"}, batch_system=None)


def test_a_cluster_that_is_down_is_said(slurm, tmp_path):
    slurm(PARTITIONS, ACCOUNTS)
    (tmp_path / "sinfo").write_text("#!/bin/sh\necho 'Unable to contact slurm controller' >&2\nexit 1\n")
    with pytest.raises(InputError, match="sinfo: Unable to contact slurm controller"):
        check({"gpu_partition": "gpu"})
