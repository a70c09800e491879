"""The workflow in a temporary copy, planned or run for real on a few made films."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PARTS = ("Snakefile", "workflow", "config", "profiles", "slurm", "scripts", "envs")
MICRO = Path(__file__).parent / "micro.yaml"


class Workflow:
    """One copy of the workflow that tests may change."""

    def __init__(self, folder: Path):
        self.folder = folder

    def snakemake(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
            cwd=self.folder, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        if check:
            assert result.returncode == 0, result.stdout + result.stderr
        return result

    def job_counts(self, *arguments: str) -> dict[str, int]:
        """Rule -> jobs of a dry run; empty where nothing is to be done."""
        output = self.snakemake("-n", *arguments).stdout
        table = output.partition("Job stats:")[2].partition("\n\n")[0]
        return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.M)}


def copy_of(top: Path, folder: Path) -> Workflow:
    folder.mkdir(parents=True, exist_ok=True)
    for name in PARTS:
        source = top / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    (folder / "config/site.yaml").unlink(missing_ok=True)
    shutil.copy(MICRO, folder / "micro.yaml")
    return Workflow(folder)


@pytest.fixture
def fresh(repository: Path, tmp_path: Path) -> Workflow:
    """A fresh clone: no data, no results."""
    return copy_of(repository, tmp_path)


@pytest.fixture(scope="session")
def finished(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """The micro workflow, run to its tables and report."""
    workflow = copy_of(repository, tmp_path_factory.mktemp("finished"))
    workflow.snakemake("--configfile", "micro.yaml")
    return workflow


@pytest.fixture
def edited(finished: Workflow) -> Callable[[str, str, str], None]:
    """Edit one file of the finished workflow; it is put back afterwards, so that tests do not see each other."""
    originals: dict[Path, str] = {}

    def edit(name: str, old: str, new: str) -> None:
        path = finished.folder / name
        originals.setdefault(path, path.read_text())
        assert old in path.read_text(), f"{name} has no {old!r}"
        path.write_text(path.read_text().replace(old, new))

    yield edit
    for path, text in originals.items():
        path.write_text(text)
