"""Small jobs on the one-machine Slurm: alone, in groups of 20, as an array. ``python -m tests.cluster.submissions``.

Prints for each way how many jobs of Slurm's it took, how fast they were submitted and when all were done. The jobs do
nothing, so that what is measured is the batch system and the two snakemake processes that wrap every job.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.cluster.one_machine import ACCOUNT, OneMachine, running

NUM_JOBS = 200
SNAKEFILE = """
rule all:
    input: expand("done/{number}", number=range(int(config["number"])))
rule small:
    output: "done/{number}"
    group: "small"
    resources: mem_mb=500, runtime=2, turns=1, slurm_account=config["account"], slurm_partition="main"
    shell: "touch {output}"
"""
WAYS = {
    "alone": (),
    "groups of 20": ("--groups", "small=small", "--group-components", "small=20"),
    "an array": ("--slurm-array-jobs", "small"),
}


def measure(cluster: OneMachine, folder: Path, name: str, num_jobs: int, to_the_end: bool) -> dict[str, float | str]:
    """Submit ``num_jobs``; without ``to_the_end`` stop as soon as all are in the queue."""
    folder.mkdir(parents=True)
    source = SNAKEFILE if name.startswith("groups") else SNAKEFILE.replace('    group: "small"\n', "")
    (folder / "Snakefile").write_text(source)
    command = [sys.executable, str(Path(__file__).with_name("watching.py")), "--executor", "slurm", "--jobs", "400"]
    command += ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2"]
    command += ["--resources", "turns=1", "--set-resource-scopes", "turns=local", *WAYS[name]]
    command += ["--config", f"number={num_jobs}", f"account={ACCOUNT}"]
    before = _numbers(cluster)
    started = time.monotonic()
    with (folder / "run.log").open("wb") as log:
        environment = cluster.environment | {"PYTHONPATH": os.pathsep.join(sys.path[1:])}
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        if not to_the_end:
            while process.poll() is None and (folder / "run.log").read_text().count("has been submitted") < num_jobs:
                time.sleep(0.5)
            seconds = time.monotonic() - started
            process.send_signal(signal.SIGINT)
        assert process.wait() == (0 if to_the_end else 1), (folder / "run.log").read_text()[-2000:]
    seconds = time.monotonic() - started if to_the_end else seconds
    jobs = len(_numbers(cluster) - before)
    return {"way": name, "small jobs": num_jobs, "jobs of Slurm's": jobs, "seconds": round(seconds, 1),
            "until": "all done" if to_the_end else "all submitted"}  # fmt: skip


def _numbers(cluster: OneMachine) -> set[str]:
    lines = subprocess.run(
        ["sacct", "-X", "-n", "-P", "-o", "JobIDRaw"],
        env=cluster.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(lines.stdout.split())


def main() -> None:
    plans = [("alone", NUM_JOBS, False), ("alone", 20, True), ("groups of 20", NUM_JOBS, True), ("an array", 20, True)]
    with (
        tempfile.TemporaryDirectory(prefix="maskray-slurm-", dir="/tmp") as state,
        tempfile.TemporaryDirectory() as work,
        running(Path(state)) as cluster,
    ):
        for number, plan in enumerate(plans):
            print(json.dumps(measure(cluster, Path(work) / str(number), *plan)), flush=True)


if __name__ == "__main__":
    main()
