"""Starting: a script's help, the plan of everything, and the first step of a training."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import partial
from pathlib import Path

from maskray.benchmarks.measure import Contender, Row, compare
from maskray.benchmarks.training import demo_plan, make_source, stage_of
from maskray.errors import InputError

_ONE_PROCESS = {"devices": 1, "num-nodes": 1, "num-workers": 0, "micro-batches": 1, "checkpoint-seconds": 600}


def measure_starts(folder: Path, top: Path, seconds: float) -> list[Row]:
    """What a user waits for before anything begins; ``top`` is the repository, ``folder`` is written to."""
    # Not written to: another run may hold the folder.
    plan = [sys.executable, "-m", "snakemake", "--dry-run", "--nolock", "--cores", "1"]
    num_jobs = _num_jobs(subprocess.run(plan, cwd=top, capture_output=True, text=True, check=False))
    help_of_it = [sys.executable, "scripts/pretrain.py", "--help"]
    starts: dict[str, tuple[Contender, str]] = {
        "scripts/pretrain.py --help": (lambda _: partial(_run, help_of_it, top), "pass"),
        f"snakemake --dry-run of the five papers, {num_jobs:,} jobs": (lambda _: partial(_run, plan, top), "pass"),
        "scripts/pretrain.py until its first step is done (maco, demo size)": (first_step(folder, top), "import torch"),
    }
    return [_beside_python(what, start, code, top, seconds) for what, (start, code) in starts.items()]


def _beside_python(what: str, start: Contender, code: str, top: Path, seconds: float) -> Row:
    row = compare(
        what,
        "starts/s",
        start,
        lambda _: partial(_run, [sys.executable, "-c", code], top),
        peer_name=f"python -c '{code}'",
        num_items=1,
        seconds=seconds,
        agreement={},
    )
    return row.with_agreement("seconds a start", 1 / row.ours.median)


def first_step(folder: Path, top: Path) -> Contender:
    """A pre-training of one batch, until it says so; each repeat has a folder of its own, where nothing is done yet."""
    stage = stage_of(demo_plan(top), "maco", 1)
    source = make_source(folder / "pairs", stage.pretrain.optimisation.batch_size, stage.image_encoder.image_px)
    files = {"indexes": source.index, "splits": source.split, "manifests": source.manifest, "reports": source.reports}
    told = {"settings": stage.model_dump_json(), **files, **_ONE_PROCESS, "wait-minutes": 1, "seed": 0}

    def ready(repeat: int) -> partial[str]:
        outputs = {"folder": folder / str(repeat), "provenance": folder / str(repeat) / "provenance.json"}
        flags = [f"--{name}={value}" for name, value in (told | outputs).items()]
        return partial(_until_said, "step 1 of 1", [sys.executable, "scripts/pretrain.py", *flags], top)

    return ready


def _until_said(words: str, command: list[str], top: Path) -> str:
    """The line of the program's log with these words; the program is ended there."""
    with subprocess.Popen(command, cwd=top, stderr=subprocess.PIPE, text=True) as program:
        assert program.stderr is not None
        said = []
        for line in program.stderr:
            said.append(line)
            if words in line:
                program.kill()
                return line
    raise InputError(f"{command[1]} fails here: {''.join(said).strip()[-300:]}")


def _run(command: list[str], top: Path) -> None:
    subprocess.run(command, cwd=top, capture_output=True, check=True)


def _num_jobs(planned: subprocess.CompletedProcess[str]) -> int:
    """What the plan's own count says."""
    found = re.search(r"^total +(\d+)$", planned.stdout + planned.stderr, re.MULTILINE)
    if planned.returncode or found is None:
        raise InputError(f"snakemake --dry-run fails here: {planned.stderr.strip()[-300:]}")
    return int(found[1])
