"""The drill on Slurm: ``python -m tests.cluster.kills NUMBER FOLDER`` (see tests/workflow/kills.py)."""

import subprocess
import tempfile
from pathlib import Path

import psutil

from tests.cluster.conftest import CONFIG, ClusterWorkflow, prepare, until
from tests.cluster.one_machine import running
from tests.workflow.conftest import Workflow
from tests.workflow.kills import Drill, asked, bytes_of, is_program, report


class ClusterDrill(Drill):
    """Cancels jobs, kills their programs, and kills the snakemake that watches them."""

    manners = ("scancel", "program", "snakemake")
    seconds_between = (8.0, 40.0)
    workflow: ClusterWorkflow

    def start(self) -> subprocess.Popen[bytes]:
        return self.workflow.start()

    def kill(self, process: subprocess.Popen[bytes], manner: str) -> str:
        jobs = self.workflow.running("")
        programs = [each for each in psutil.process_iter() if is_program(each) and self._is_here(each)]
        if manner == "scancel" and jobs:
            self.workflow.ask("scancel", self.random.choice(jobs))
        elif manner == "program" and programs:
            self.random.choice(programs).kill()
        else:
            manner = "snakemake"
            process.kill()
            process.wait()
            # As docs/cluster.md says: wait for the jobs that are left, or cancel them.
            if self.random.random() < 0.5:
                self.workflow.ask("scancel", "--user=root")
            until(lambda: not self.workflow.ask("squeue", "--noheader").strip(), 300, "the jobs left behind")
        return manner

    def _is_here(self, process: psutil.Process) -> bool:
        try:
            return process.cwd() == str(self.workflow.folder)
        except psutil.Error:
            return False


def main() -> None:
    number, folder, top = asked()
    undisturbed = Workflow(prepare(top, folder / "undisturbed"))
    undisturbed.snakemake(*CONFIG)
    with tempfile.TemporaryDirectory(prefix="maskray-slurm-", dir="/tmp") as state, running(Path(state)) as cluster:
        workflow = ClusterWorkflow(prepare(top, folder / "killed"), cluster)
        report(ClusterDrill(workflow, bytes_of(undisturbed)), number)


if __name__ == "__main__":
    main()
