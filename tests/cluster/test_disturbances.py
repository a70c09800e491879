"""What a cluster does to a long pre-training: it goes on, and ends with the weights of an undisturbed run."""

import subprocess

import pytest
from safetensors.torch import load_file

from tests.cluster.conftest import MODEL, ClusterWorkflow, prepared, until
from tests.workflow.conftest import Workflow

pytestmark = [pytest.mark.slurm, pytest.mark.slow]
WEIGHTS = f"{MODEL}/default/seed0/pretrain/weights.safetensors"
RULE = "rule_pretrain_wildcards_maco_default"
# Slurm sends TERM two or three minutes before the limit, and leaves a requeued job in the queue for two.
LONG = {
    "overlay": {"all": {"pretrain": {"optimisation": {"num_epochs": 60}}}},
    "runtime": {"pretrain": {"checkpoint_seconds": 10}},
}


@pytest.fixture
def on_slurm(local, slurm, tmp_path):
    """Makes a workflow whose data are ready, with its settings."""
    return lambda **overlay: ClusterWorkflow(prepared(local, tmp_path / "workflow"), slurm, **overlay)


def pretrain_locally(workflow: Workflow) -> bytes:
    """The weights of the same settings, without any disturbance, in the same folder."""
    (workflow.folder / WEIGHTS).unlink()
    (workflow.folder / MODEL / "default").rename(workflow.folder / "disturbed")
    workflow.snakemake("--configfile", "micro.yaml", "micro_cluster.yaml", "overlay.yaml", "--", WEIGHTS)
    return (workflow.folder / WEIGHTS).read_bytes()


def start_and_wait_for_a_checkpoint(workflow: ClusterWorkflow) -> subprocess.Popen[bytes]:
    process = workflow.start("--", WEIGHTS)
    until(lambda: workflow.steps_done() > 0 or process.poll() is not None, 600, "a checkpoint")
    return process


def went_on(workflow: ClusterWorkflow) -> bool:
    return "going on after" in (workflow.folder / "results/micro/logs/pretrain/maco-default-seed0.log").read_text()


def test_before_the_time_limit_it_saves_and_is_submitted_again(on_slurm):
    workflow = on_slurm(resources={"pretrain": {"hours": 0.05}}, **LONG)
    # However slow the machine: each job has a minute.
    workflow.finish(workflow.start("--retries", "20", "--", WEIGHTS), seconds=1200)
    states = [job.state for job in workflow.jobs(RULE)]
    assert states[0] == "FAILED"  # saved and left by itself; TIMEOUT is a job that Slurm had to kill
    assert states[-1] == "COMPLETED"
    assert went_on(workflow)
    disturbed = workflow.bytes_of(WEIGHTS)
    assert disturbed == pretrain_locally(workflow)


def test_a_requeued_job_goes_on_under_its_number(on_slurm, local):
    workflow = on_slurm()
    process = start_and_wait_for_a_checkpoint(workflow)
    (number,) = workflow.running(RULE)
    workflow.ask("scontrol", "requeue", number)
    workflow.finish(process, seconds=900)
    assert [(job.number, job.state) for job in workflow.jobs(RULE)] == [(number, "COMPLETED")]
    assert went_on(workflow)
    assert workflow.bytes_of(WEIGHTS) == (local.folder / WEIGHTS).read_bytes()


def test_a_preempted_job_goes_on_when_the_nodes_are_free(on_slurm, local):
    workflow = on_slurm()
    process = start_and_wait_for_a_checkpoint(workflow)
    (number,) = workflow.running(RULE)
    urgent = ("sbatch", "--partition=high", "--nodes=2", "--exclusive", "--output=/dev/null", "--wrap=sleep 5")
    workflow.ask(*urgent)
    workflow.finish(process, seconds=900)
    assert [(job.number, job.state) for job in workflow.jobs(RULE)] == [(number, "COMPLETED")]
    assert went_on(workflow)
    assert workflow.bytes_of(WEIGHTS) == (local.folder / WEIGHTS).read_bytes()


def test_two_nodes_train_one_model(on_slurm, local):
    workflow = on_slurm(runtime={"pretrain": {"devices": 1, "num_nodes": 2}})
    workflow.finish(workflow.start("--", WEIGHTS))
    (job,) = workflow.jobs(RULE)
    assert job.state == "COMPLETED"
    assert "node=2" in job.resources
    assert "gres/gpu=2" in job.resources
    here, expected = load_file(workflow.folder / WEIGHTS), load_file(local.folder / WEIGHTS)
    for name, value in expected.items():
        assert here[name].float().numpy() == pytest.approx(value.float().numpy(), abs=1e-6), name
