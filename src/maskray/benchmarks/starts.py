"""Starting: a script's help, and the plan of everything."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import partial
from pathlib import Path

from maskray.benchmarks.measure import Row, compare
from maskray.errors import InputError


def measure_starts(top: Path, seconds: float) -> list[Row]:
    """What a user waits for before anything begins; ``top`` is the repository."""
    # Not written to: another run may hold the folder.
    plan = [sys.executable, "-m", "snakemake", "--dry-run", "--nolock", "--cores", "1"]
    num_jobs = _num_jobs(subprocess.run(plan, cwd=top, capture_output=True, text=True, check=False))
    starts = {
        "scripts/pretrain.py --help": [sys.executable, "scripts/pretrain.py", "--help"],
        f"snakemake --dry-run of the five papers, {num_jobs:,} jobs": plan,
    }
    return [_beside_python(what, command, top, seconds) for what, command in starts.items()]


def _beside_python(what: str, command: list[str], top: Path, seconds: float) -> Row:
    return compare(
        what,
        "starts/s",
        lambda _: partial(_run, command, top),
        lambda _: partial(_run, [sys.executable, "-c", "pass"], top),
        peer_name="python -c pass",
        num_items=1,
        seconds=seconds,
        agreement={},
    )


def _run(command: list[str], top: Path) -> None:
    subprocess.run(command, cwd=top, capture_output=True, check=True)


def _num_jobs(planned: subprocess.CompletedProcess[str]) -> int:
    """What the plan's own count says."""
    found = re.search(r"^total +(\d+)$", planned.stdout + planned.stderr, re.MULTILINE)
    if planned.returncode or found is None:
        raise InputError(f"snakemake --dry-run fails here: {planned.stderr.strip()[-300:]}")
    return int(found[1])
