"""Kill -9 of the whole workflow at random moments, unlocked and rerun as docs/reliability.md tells a user."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from tests.workflow.conftest import copy_of

MICRO = ("--configfile", "micro.yaml")
TABLES = "results/micro/tables/maco"
NUM_KILLS = 10


def start(workflow):
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *MICRO]
    with open(workflow.folder / "run.log", "ab") as log:
        return subprocess.Popen(command, cwd=workflow.folder, stdout=log, stderr=log, start_new_session=True)


@pytest.mark.slow
def test_tables_survive_kills_at_random_moments(finished, repository, tmp_path):
    workflow = copy_of(repository, tmp_path)
    moments = random.Random(0)
    for num_killed in range(NUM_KILLS):
        process = start(workflow)
        time.sleep(moments.uniform(4, 10))
        assert process.poll() is None, "the workflow ended before it could be killed often enough"
        # Every second time snakemake alone dies and its jobs live on, as when the head process runs out of memory.
        os.kill(process.pid, signal.SIGKILL) if num_killed % 2 else os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        workflow.snakemake("--unlock", *MICRO)
    deadline = time.monotonic() + 600
    while workflow.snakemake(*MICRO, check=False).returncode != 0:
        assert time.monotonic() < deadline, (workflow.folder / "run.log").read_text()[-3000:]
    for form in ("csv", "md", "tex", "html"):
        name = f"{TABLES}/linear_probe.{form}"
        assert (workflow.folder / name).read_bytes() == (finished.folder / name).read_bytes()
