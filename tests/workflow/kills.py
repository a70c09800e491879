"""The drill: a small workflow is killed at random moments and started again, as docs/reliability.md tells a user.

``python -m tests.workflow.kills NUMBER FOLDER`` does it NUMBER times and prints what happened as JSON.
"""

import json
import logging
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil

from tests.workflow.conftest import Workflow, copy_of

_log = logging.getLogger(__name__)
CONFIG = ("--configfile", "micro.yaml")
TABLE = "results/micro/tables/maco/linear_probe"
WEIGHTS = "results/micro/maco/{variant}/seed0/pretrain/weights.safetensors"
SECONDS_TO_FINISH = 1200


def bytes_of(workflow: Workflow) -> dict[str, bytes]:
    """What must not depend on how often a run was killed."""
    names = [f"{TABLE}.{form}" for form in ("csv", "md", "tex", "html")]
    names += [WEIGHTS.format(variant=variant) for variant in ("default", "random_init")]
    return {name: (workflow.folder / name).read_bytes() for name in names}


class Drill:
    """Kills one workflow; when it gets to its end all the same, its results are compared and it starts from nothing.

    Attributes:
        kills: by manner: all processes, snakemake alone (its jobs live on), or one process of a job.
        rounds: how often the workflow got to its end.
    """

    manners: tuple[str, ...] = ("all", "snakemake", "job")
    seconds_between = (2.0, 12.0)

    def __init__(self, workflow: Workflow, expected: dict[str, bytes], seed: int = 0) -> None:
        self.kills: Counter[str] = Counter()
        self.rounds = 0
        self.workflow = workflow
        self.random = random.Random(seed)
        self._expected = expected

    def run(self, num_kills: int) -> None:
        """To the end, after ``num_kills`` kills."""
        process = self.start()
        failed_in_a_row = 0
        while self.kills.total() < num_kills or process.wait(timeout=SECONDS_TO_FINISH) != 0:
            moment = time.monotonic() + self.random.uniform(*self.seconds_between)
            while process.poll() is None and time.monotonic() < moment:
                time.sleep(0.02)
            if process.poll() is None:
                self.kills[self.kill(process, self.manners[self.kills.total() % len(self.manners)])] += 1
                _log.info("%d kills: %s; %d rounds", self.kills.total(), dict(self.kills), self.rounds)
            if process.poll() is None:
                continue  # what was killed was not snakemake
            if process.returncode == 0:
                self._compare()
                self._begin_again()
            # A job that snakemake left behind may still hold its lock; it ends in its time.
            failed_in_a_row = failed_in_a_row + 1 if process.returncode == 1 else 0
            assert failed_in_a_row < 20, (self.workflow.folder / "run.log").read_text()[-3000:]
            self.workflow.snakemake("--unlock", *CONFIG)
            process = self.start()
        self._compare()

    def start(self) -> subprocess.Popen[bytes]:
        """The whole workflow, in a session of its own."""
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *CONFIG]
        with (self.workflow.folder / "run.log").open("ab") as log:
            return subprocess.Popen(command, cwd=self.workflow.folder, stdout=log, stderr=log, start_new_session=True)

    def kill(self, process: subprocess.Popen[bytes], manner: str) -> str:
        """Kill in this manner, or in another one where it is not to be had now; returns how it was done."""
        programs = [child for child in psutil.Process(process.pid).children(recursive=True) if is_program(child)]
        if manner == "job" and programs:
            # Snakemake goes on with what does not need that job, and then says what failed.
            self.random.choice(programs).kill()
        elif manner == "snakemake":
            process.kill()
            process.wait()
        else:
            manner = "all"
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return manner

    def _compare(self) -> None:
        self.rounds += 1
        found = bytes_of(self.workflow)
        assert not [name for name, expected in self._expected.items() if found[name] != expected]

    def _begin_again(self) -> None:
        results = self.workflow.folder / "results"
        results.rename(results.with_name(f"results_{self.rounds}"))


def is_program(process: psutil.Process) -> bool:
    """Whether this is one of the project's scripts at work."""
    try:
        return any("/scripts/" in word for word in process.cmdline()[:3])
    except psutil.Error:
        return False


def main() -> None:
    number, folder, top = asked()
    undisturbed, workflow = copy_of(top, folder / "undisturbed"), copy_of(top, folder / "killed")
    undisturbed.snakemake(*CONFIG)
    report(Drill(workflow, bytes_of(undisturbed)), number)


def asked() -> tuple[int, Path, Path]:
    """Number and folder of the command line, and the repository; what happens is logged from now on."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    return int(sys.argv[1]), Path(sys.argv[2]), Path(__file__).resolve().parent.parent.parent


def report(drill: Drill, num_kills: int) -> None:
    """Run the drill and print its numbers."""
    started = time.monotonic()
    drill.run(num_kills)
    numbers = {"kills": dict(drill.kills), "rounds": drill.rounds, "seconds": round(time.monotonic() - started)}
    print(json.dumps(numbers))


if __name__ == "__main__":
    main()
