"""Where a result came from: one JSON beside each job's outputs."""

from __future__ import annotations

import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from maskray.files import hash_of, write_json

_PACKAGES = ("torch", "timm", "transformers", "lightning-fabric", "numpy", "pandas", "h5py", "snakemake")


def write(
    path: str | Path,
    *,
    seeds: Mapping[str, int],
    config: Mapping[str, Any],
    inputs: Mapping[str, str],
    started: float,
    weights: Mapping[str, Any] | None = None,
) -> None:
    """Write command, commit, config hash, versions, host and duration.

    Args:
        path: the JSON to write.
        seeds: every seed that the job used, by name.
        config: the resolved settings of the job; stored with their hash.
        inputs: name -> hash of what the job read (data manifests, trained weights).
        started: ``time.time()`` at the start of the job.
        weights: of a training, what each encoder started from.
    """
    write_json(
        path,
        {
            "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
            "commit": _git("rev-parse", "HEAD"),
            "has_local_changes": bool(_git("status", "--porcelain", "--untracked-files=no")),
            "config": dict(config),
            "config_hash": hash_of(config),
            "inputs": dict(inputs),
            **({} if weights is None else {"weights": dict(weights)}),
            "seeds": dict(seeds),
            "versions": {"python": platform.python_version()} | {name: _version(name) for name in _PACKAGES},
            "host": platform.node(),
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
            "duration_seconds": round(time.time() - started, 2),
            "cpu_seconds": round(time.process_time(), 2),
        },
    )


def _git(*arguments: str) -> str:
    """Output of a git command in the source folder; empty where there is no git or no repository."""
    try:
        result = subprocess.run(
            ["git", *arguments],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout.strip()


def _version(package: str) -> str:
    """Installed version, or an empty string: training runs also where snakemake is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
