"""The one-machine Slurm, and the micro workflow started on it as a user does: ``snakemake --profile slurm``."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from maskray.files import write_yaml
from tests.cluster.one_machine import ACCOUNT, OneMachine, running, why_not_here
from tests.workflow.conftest import Workflow, copy_of

CONFIG = ("--configfile", "micro.yaml", "micro_cluster.yaml")
# The preparation of so few films is one job, two steps at a time: the start of a job costs more than what it does.
PREPARATION = ("make_data", "index_dataset", "split_dataset", "shard_images", "collect_shards", "structure_reports")
PREPARATION += ("collect_reports", "check_leakage")
GROUPED = ("--groups", *(f"{rule}=preparation" for rule in PREPARATION), "--resources", "turns=2")
MODEL = "results/micro/maco"
TABLES = "results/micro/tables/maco"
SITE = f"slurm: {{account: {ACCOUNT}, partition: main, gpu_partition: gpu}}\n"


@dataclass(frozen=True)
class Job:
    """What Slurm's accounts say of a job."""

    number: str
    name: str  # of a part of an array: array_part
    state: str
    resources: str
    rule: str
    folder: str


class ClusterWorkflow(Workflow):
    """A copy of the workflow beside a Slurm, with the account and the partitions in its site file."""

    def __init__(self, folder: Path, cluster: OneMachine, **overlay: object):
        super().__init__(folder)
        (folder / "config/site.yaml").write_text(SITE)
        write_yaml(folder / "overlay.yaml", overlay)
        self._environment = cluster.environment

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(Path(__file__).with_name("watching.py")), "--profile", "slurm"]
        command += [*CONFIG, "overlay.yaml", *GROUPED, "--latency-wait", "20", *arguments]
        environment = self._environment | {"PYTHONPATH": os.pathsep.join(sys.path[1:]), "OMP_NUM_THREADS": "1"}
        environment["MASTER_ADDR"] = "127.0.0.1"  # no name service knows the virtual nodes
        with (self.folder / "run.log").open("ab") as log:
            return subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)

    def finish(self, process: subprocess.Popen[bytes], seconds: float = 900) -> None:
        try:
            status = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"not done after {seconds} s\n{self.log()[-4000:]}") from None
        assert status == 0, self.log()[-6000:]

    def ask(self, *command: str) -> str:
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, check=True).stdout

    def all_jobs(self) -> list[Job]:
        lines = self.ask("sacct", "-X", "-n", "-P", "-o", "JobIDRaw,JobID,State,AllocTRES,Comment,WorkDir").splitlines()
        return [Job(*line.split("|")) for line in lines]

    def jobs(self, rule: str) -> list[Job]:
        """Those of this workflow that have ended, in the order in which they were submitted."""
        own = [job for job in self.all_jobs() if job.folder == str(self.folder) and rule in job.rule]
        return sorted(own, key=lambda job: int(job.number))

    def running(self, rule: str) -> list[str]:
        """Numbers of the jobs of a rule that run now."""
        lines = self.ask("squeue", "-h", "-t", "R", "-o", "%A %k").splitlines()
        return [line.split()[0] for line in lines if rule in line]

    def log(self) -> str:
        return (self.folder / "run.log").read_text()

    def steps_done(self, variant: str = "default") -> int:
        """Of the newest checkpoint."""
        names = [path.name for path in (self.folder / MODEL / variant / "seed0/pretrain/resume").glob("step-*.pt")]
        return max((int(re.match(r"step-(\d+)", name)[1]) for name in names), default=0)

    def bytes_of(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()


def until(holds, seconds: float = 300, what: str = "") -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"waited in vain{what and ': '}{what}"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def slurm() -> OneMachine:
    reason = why_not_here()
    if reason:
        pytest.skip(reason)
    # A short path: sockets lie there.
    folder = Path(tempfile.mkdtemp(prefix="maskray-slurm-", dir="/tmp"))
    with running(folder) as cluster:
        yield cluster


def prepare(repository: Path, folder: Path) -> Path:
    copy_of(repository, folder)
    shutil.copy(Path(__file__).with_name("micro_cluster.yaml"), folder)
    return folder


@pytest.fixture(scope="session")
def local(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """The tables without any batch system."""
    workflow = Workflow(prepare(repository, tmp_path_factory.mktemp("local")))
    workflow.snakemake(*CONFIG, "--", f"{TABLES}/linear_probe.md")
    return workflow


def prepared(local: Workflow, folder: Path) -> Path:
    """A copy of the local run in which no model has been trained."""
    shutil.copytree(local.folder, folder)
    shutil.rmtree(folder / MODEL)
    return folder
