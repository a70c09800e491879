"""Rolling checkpoints: two are kept, each whole or absent, each verified by the checksum in its name.

A checkpoint holds no state of random generators: all randomness is a function of the step.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Any

import torch

from maskray.files import hash_of_file

_log = logging.getLogger(__name__)
_NUM_KEPT = 2
_NAME = re.compile(r"step-(?P<step>\d{9})-(?P<settings>[0-9a-f]{16})-(?P<checksum>[0-9a-f]{64})\.pt")


def save_checkpoint(folder: Path, step: int, settings_hash: str, state: dict[str, Any]) -> Path:
    """Write ``state`` (tensors, numbers, text; nested) as the checkpoint after ``step`` steps; drop the oldest.

    The name carries the step, the hash of settings and data, and the checksum of the bytes, so that one rename
    makes the checkpoint and its checksum visible together.
    """
    partial = folder / "checkpoint.partial"
    try:
        with partial.open("wb") as handle:
            torch.save(state, handle)
            handle.flush()
            os.fsync(handle.fileno())
    except BaseException:
        # On a full disk it would take the room that the way out needs.
        partial.unlink(missing_ok=True)
        raise
    path = folder / f"step-{step:09d}-{settings_hash[:16]}-{hash_of_file(partial)}.pt"
    partial.replace(path)
    _sync_folder(folder)
    for old in _checkpoints(folder)[_NUM_KEPT:]:
        old.unlink()
    return path


def find_checkpoint(folder: Path, settings_hash: str) -> Path | None:
    """The newest checkpoint of these settings that is whole; torn ones and those of other settings are removed."""
    for path in _checkpoints(folder):
        name = _NAME.fullmatch(path.name)
        if name is None or name["settings"] != settings_hash[:16]:
            _log.warning("%s: made with other settings or data; starting afresh", path.name)
            path.unlink()
    for path in _checkpoints(folder):
        name = _NAME.fullmatch(path.name)
        if name is not None and hash_of_file(path) == name["checksum"]:
            return path
        _log.warning("%s: damaged, not used", path.name)
        path.unlink()
    return None


def read_checkpoint(path: Path) -> tuple[int, dict[str, Any]]:
    """The number of steps done, and the state, on the host."""
    name = _NAME.fullmatch(path.name)
    if name is None:
        raise ValueError(f"{path}: not the name of a checkpoint")
    return int(name["step"]), torch.load(path, map_location="cpu", weights_only=True)


def _checkpoints(folder: Path) -> list[Path]:
    """Newest first."""
    return sorted(folder.glob("step-*.pt"), reverse=True)


def _sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
