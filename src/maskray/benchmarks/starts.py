"""Starting: a script's help, the plan of everything, and the first step of a training."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from maskray.benchmarks.measure import Row, compare
from maskray.benchmarks.training import demo_plan, make_source, stage_of
from maskray.errors import InputError

Command = Callable[[int], list[str]]
_ONE_PROCESS = {"devices": 1, "num-nodes": 1, "num-workers": 0, "micro-batches": 1, "checkpoint-seconds": 600}


def measure_starts(folder: Path, top: Path, seconds: float) -> list[Row]:
    """What a user waits for before anything begins; ``top`` is the repository, ``folder`` is written to."""
    # Not written to: another run may hold the folder.
    plan = [sys.executable, "-m", "snakemake", "--dry-run", "--nolock", "--cores", "1"]
    num_jobs = _num_jobs(subprocess.run(plan, cwd=top, capture_output=True, text=True, check=False))
    starts: dict[str, tuple[Command, str]] = {
        "scripts/pretrain.py --help": (_same([sys.executable, "scripts/pretrain.py", "--help"]), "pass"),
        f"snakemake --dry-run of the five papers, {num_jobs:,} jobs": (_same(plan), "pass"),
        "scripts/pretrain.py, all of a job of one step (maco, demo size)": (
            job_of_one_step(folder, top),
            "import torch",
        ),
    }
    return [_beside_python(what, command_of, code, top, seconds) for what, (command_of, code) in starts.items()]


def _same(command: list[str]) -> Command:
    return lambda _: command


def _beside_python(what: str, command_of: Command, code: str, top: Path, seconds: float) -> Row:
    row = compare(
        what,
        "starts/s",
        lambda repeat: partial(_run, command_of(repeat), top),
        lambda _: partial(_run, [sys.executable, "-c", code], top),
        peer_name=f"python -c '{code}'",
        num_items=1,
        seconds=seconds,
        agreement={},
    )
    return row.with_agreement("seconds a start", 1 / row.ours.median)


def job_of_one_step(folder: Path, top: Path) -> Command:
    """The command of a pre-training of one batch; each repeat has a folder of its own, where nothing is done yet."""
    stage = stage_of(demo_plan(top), "maco", 1)
    source = make_source(folder / "pairs", stage.pretrain.optimisation.batch_size, stage.image_encoder.image_px)
    files = {"indexes": source.index, "splits": source.split, "manifests": source.manifest, "reports": source.reports}
    told = {"settings": stage.model_dump_json(), **files, **_ONE_PROCESS, "wait-minutes": 1, "seed": 0}

    def command(repeat: int) -> list[str]:
        outputs = {"folder": folder / str(repeat), "provenance": folder / str(repeat) / "provenance.json"}
        flags = [f"--{name}={value}" for name, value in (told | outputs).items()]
        return [sys.executable, "scripts/pretrain.py", *flags]

    return command


def _run(command: list[str], top: Path) -> None:
    subprocess.run(command, cwd=top, capture_output=True, check=True)


def _num_jobs(planned: subprocess.CompletedProcess[str]) -> int:
    """What the plan's own count says."""
    found = re.search(r"^total +(\d+)$", planned.stdout + planned.stderr, re.MULTILINE)
    if planned.returncode or found is None:
        raise InputError(f"snakemake --dry-run fails here: {planned.stderr.strip()[-300:]}")
    return int(found[1])
