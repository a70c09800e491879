"""``snakemake --profile slurm`` on a real Slurm: the same bytes as without, whatever happens to the jobs."""

import shutil

import pytest

from maskray.training import resume as resuming
from tests.cluster.conftest import MODEL, SITE, TABLES, ClusterWorkflow, prepare, until
from tests.workflow.conftest import copy_of

pytestmark = pytest.mark.slurm


@pytest.fixture(scope="module")
def disturbed(repository, slurm, tmp_path_factory):
    """To the tables, with one pre-training that first fails and one that is cancelled half-way."""
    workflow = ClusterWorkflow(prepare(repository, tmp_path_factory.mktemp("disturbed")), slurm)
    # While this lock is held the baseline's job fails: two trainers never write one folder.
    held = resuming.lock(workflow.folder / MODEL / "random_init/seed0/pretrain/resume")
    process = workflow.start("--", f"{TABLES}/linear_probe.md")
    until(lambda: workflow.steps_done() > 0 or process.poll() is not None, 600, "a checkpoint")
    workflow.ask("scancel", *workflow.running("rule_pretrain_wildcards_maco_default"))
    until(lambda: workflow.jobs("rule_pretrain_wildcards_maco_random_init") or process.poll() is not None)
    resuming.unlock(held)
    workflow.finish(process)
    return workflow


def test_the_tables_are_those_of_a_local_run(disturbed, local):
    for form in ("csv", "md", "tex", "html"):
        name = f"{TABLES}/linear_probe.{form}"
        assert disturbed.bytes_of(name) == (local.folder / name).read_bytes()


def test_a_cancelled_pre_training_goes_on_to_the_same_weights(disturbed, local):
    states = [job.state for job in disturbed.jobs("rule_pretrain_wildcards_maco_default")]
    assert len(states) == 2
    assert states[0].startswith("CANCELLED")
    assert states[1] == "COMPLETED"
    log = (disturbed.folder / "results/micro/logs/pretrain/maco-default-seed0.log").read_text()
    assert "going on after" in log
    name = f"{MODEL}/default/seed0/pretrain/weights.safetensors"
    assert disturbed.bytes_of(name) == (local.folder / name).read_bytes()


def test_a_job_that_fails_once_is_submitted_again(disturbed):
    states = [job.state for job in disturbed.jobs("rule_pretrain_wildcards_maco_random_init")]
    assert states[0] == "FAILED"
    assert states[-1] == "COMPLETED"
    assert 2 <= len(states) <= 4
    assert not disturbed.running("rule_")


def test_each_process_has_its_gpu(disturbed):
    for rule, num_gpus in (("pretrain", 2), ("predict_nih_zeroshot", 1), ("probe_nih_linear_probe", 1)):
        jobs = disturbed.jobs(f"rule_{rule}_")
        assert jobs
        assert all(f"gres/gpu={num_gpus}" in job.resources for job in jobs if job.state == "COMPLETED")
    (preparation,) = disturbed.jobs("rule_preparation")
    assert "gres/gpu" not in preparation.resources
    log = (disturbed.folder / "results/micro/logs/pretrain/maco-default-seed0.log").read_text()
    assert "2 x CPU" in log  # the stand-ins cannot compute


def test_scores_of_a_model_share_one_job(disturbed):
    jobs = disturbed.jobs("score_")
    assert [job.state for job in jobs] == ["COMPLETED"] * 2
    assert len(list((disturbed.folder / MODEL).rglob("metrics.json"))) > len(jobs)


def test_an_array_of_jobs(local, slurm, tmp_path):
    workflow = ClusterWorkflow(shutil.copytree(local.folder, tmp_path / "workflow"), slurm)
    table = f"{TABLES}/linear_probe.csv"
    arrayed = ("--slurm-array-jobs", "probe_nih_linear_probe")
    workflow.finish(workflow.start(*arrayed, "--forcerun", "probe_nih_linear_probe", "--", table))
    jobs = workflow.jobs("rule_probe_nih_linear_probe")
    assert [job.state for job in jobs] == ["COMPLETED"] * 2
    assert len({job.name.split("_")[0] for job in jobs}) == 1
    assert all("_" in job.name for job in jobs)
    assert workflow.bytes_of(table) == (local.folder / table).read_bytes()


def test_a_name_that_the_cluster_does_not_know_stops_before_anything_is_planned(repository, slurm, tmp_path):
    workflow = copy_of(repository, tmp_path)
    (workflow.folder / "config/site.yaml").write_text(SITE.replace("gpu_partition: gpu", "gpu_partition: gpus"))
    result = workflow.snakemake("-n", "--profile", "slurm", check=False)
    assert result.returncode != 0
    output = result.stdout + result.stderr
    assert "config/site.yaml: slurm.gpu_partition: this cluster has no gpus for you" in output
    assert "Traceback" not in output
    assert "Building DAG" not in output
