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
MANNERS = ("all", "snakemake", "job")
_SECONDS_BETWEEN = (2.0, 12.0)
_SECONDS_TO_FINISH = 1200


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

    def __init__(self, workflow: Workflow, expected: dict[str, bytes], seed: int = 0) -> None:
        self.kills: Counter[str] = Counter()
        self.rounds = 0
        self._workflow = workflow
        self._expected = expected
        self._random = random.Random(seed)

    def run(self, num_kills: int) -> None:
        """To the end, after ``num_kills`` kills."""
        failed_in_a_row = 0
        while self.kills.total() < num_kills:
            process = self._start()
            moment = time.monotonic() + self._random.uniform(*_SECONDS_BETWEEN)
            while process.poll() is None and time.monotonic() < moment:
                time.sleep(0.02)
            if process.poll() is None:
                self._kill(process)
            elif process.returncode == 0:
                self._compare()
                self._begin_again()
            # A job that snakemake left behind may still hold its lock; it ends in its time.
            failed_in_a_row = failed_in_a_row + 1 if process.returncode == 1 else 0
            assert failed_in_a_row < 20, (self._workflow.folder / "run.log").read_text()[-3000:]
            self._workflow.snakemake("--unlock", *CONFIG)
        self._finish()
        self._compare()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *CONFIG]
        with (self._workflow.folder / "run.log").open("ab") as log:
            return subprocess.Popen(command, cwd=self._workflow.folder, stdout=log, stderr=log, start_new_session=True)

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        manner = MANNERS[self.kills.total() % len(MANNERS)]
        jobs = [child for child in psutil.Process(process.pid).children(recursive=True) if "scripts/" in _line(child)]
        if manner == "job" and jobs:
            self._random.choice(jobs).kill()
            # Snakemake goes on with what does not need that job, and then says what failed.
            process.wait(timeout=_SECONDS_TO_FINISH)
        elif manner == "snakemake":
            os.kill(process.pid, signal.SIGKILL)
        else:
            manner = "all"
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.kills[manner] += 1
        _log.info("%d kills: %s; %d rounds", self.kills.total(), dict(self.kills), self.rounds)

    def _finish(self) -> None:
        deadline = time.monotonic() + _SECONDS_TO_FINISH
        while self._workflow.snakemake(*CONFIG, check=False).returncode != 0:
            assert time.monotonic() < deadline, (self._workflow.folder / "run.log").read_text()[-3000:]
            self._workflow.snakemake("--unlock", *CONFIG)

    def _compare(self) -> None:
        self.rounds += 1
        found = bytes_of(self._workflow)
        assert not [name for name, expected in self._expected.items() if found[name] != expected]

    def _begin_again(self) -> None:
        results = self._workflow.folder / "results"
        results.rename(results.with_name(f"results_{self.rounds}"))


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    number, folder = int(sys.argv[1]), Path(sys.argv[2])
    top = Path(__file__).resolve().parent.parent.parent
    for name in ("undisturbed", "killed"):
        (folder / name).mkdir(parents=True)
    undisturbed, workflow = copy_of(top, folder / "undisturbed"), copy_of(top, folder / "killed")
    started = time.monotonic()
    undisturbed.snakemake(*CONFIG)
    seconds = time.monotonic() - started
    drill = Drill(workflow, bytes_of(undisturbed))
    started = time.monotonic()
    drill.run(number)
    report = {"kills": dict(drill.kills), "rounds": drill.rounds, "seconds_undisturbed": round(seconds)}
    print(json.dumps(report | {"seconds": round(time.monotonic() - started)}))


if __name__ == "__main__":
    main()
