"""The ``resume/`` folder beside the outputs: one trainer at a time, and no second try at what must fail again.

It is no declared output, so it outlives a failed job whose outputs the workflow removes.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import platform
import shutil
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Self

import maskray
from maskray.errors import InputError
from maskray.files import hash_of, hash_of_file, read_json, write_json

_log = logging.getLogger(__name__)
_NO_LOCKS_HERE = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


def resume_folder(folder: Path) -> Path:
    """Where checkpoints, log and lock of the run that writes to ``folder`` lie."""
    return folder / "resume"


def lock(resume: Path) -> int:
    """Make the folder and lock it for this process, until :func:`unlock` or the process ends, however it ends.

    A POSIX lock: it works across the nodes of a shared file system and is not inherited by loader workers, which
    may outlive a killed trainer by seconds.

    Raises:
        InputError: another trainer has it.
    """
    resume.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(resume / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _NO_LOCKS_HERE:
            _log.warning("%s: this file system has no locks; do not start a second trainer here", resume)
            return descriptor
        holder = os.read(descriptor, 200).decode(errors="replace")
        os.close(descriptor)
        raise InputError(
            f"{resume}: another trainer ({holder}) is at work here; wait for it, or stop it, then run again"
        ) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"process {os.getpid()} on {platform.node()}".encode())
    return descriptor


def unlock(descriptor: int | None) -> None:
    """Give the folder free; None is the answer of ranks that hold no lock."""
    if descriptor is not None:
        os.close(descriptor)


def keep_finished(folder: Path, run_hash: str, names: Sequence[str]) -> None:
    """Keep second names of the outputs ``names`` of a run that has written all of them, and drop its checkpoints.

    A killed workflow has not noted that they are whole, and deletes them before it starts the job again: then
    :func:`put_back` finds them here. Hard links take no room; where a file system has none, nothing is kept.

    Raises:
        InputError: an output is gone again: a workflow that was started anew while this process lived on from the
            killed one has deleted it. The checkpoints stay.
    """
    resume = resume_folder(folder)
    finished = resume / "finished"
    shutil.rmtree(finished, ignore_errors=True)
    finished.mkdir(parents=True)
    try:
        for name in names:
            os.link(folder / name, finished / name)
    except FileNotFoundError as error:
        shutil.rmtree(finished)
        raise InputError(
            f"{error.filename}: written, and deleted since by a workflow that was started anew; run that again, and it "
            "is written from the last checkpoint"
        ) from None
    except OSError as error:
        _log.info("%s: no hard links here (%s); a killed workflow may train this run again", finished, error)
        shutil.rmtree(resume, ignore_errors=True)
        return
    write_json(resume / "finished.json", {"run_hash": run_hash, "files": sorted(names)})
    for path in resume.iterdir():
        if path.is_dir() and path != finished:
            shutil.rmtree(path)
        elif path.is_file() and path.name not in ("finished.json", "lock"):
            path.unlink()


def put_back(folder: Path, run_hash: str) -> bool:
    """Give a finished run its outputs back; False where this run, with these settings and data, is not finished."""
    resume = resume_folder(folder)
    if not (resume / "finished.json").is_file():
        return False
    kept = read_json(resume / "finished.json")
    if kept["run_hash"] != run_hash:
        shutil.rmtree(resume)
        return False
    for name in kept["files"]:
        (folder / name).unlink(missing_ok=True)
        os.link(resume / "finished" / name, folder / name)
        os.utime(folder / name)  # Newer than the inputs, or the workflow would ask for the run again.
    _log.info("%s: was finished before; its outputs are put back", folder)
    return True


def check_not_stopped(resume: Path, settings_hash: str) -> None:
    """Fail at once where the last attempt, of the same settings, data and code, stopped for a lasting reason."""
    marker = resume / "stopped.json"
    if not marker.is_file():
        return
    stopped = read_json(marker)
    if (stopped["settings_hash"], stopped.get("code_hash")) == (settings_hash, hash_of_code()):
        raise InputError(
            f"{stopped['reason']} (so the last attempt ended; settings, data and code are the same: change them, or "
            f"delete {marker} to try again)"
        )
    marker.unlink()


@contextmanager
def stop_is_marked(resume: Path, settings_hash: str, writes: bool) -> Iterator[None]:
    """Leave the marker that :func:`check_not_stopped` reads when the body raises an InputError."""
    try:
        yield
    except InputError as error:
        if writes:
            about = {"reason": str(error), "settings_hash": settings_hash, "code_hash": hash_of_code()}
            write_json(resume / "stopped.json", about)
        raise


def hash_of_code() -> str:
    """Of this package's source files: what failed may pass after a change of them."""
    top = Path(maskray.__file__).parent
    return hash_of({str(file.relative_to(top)): hash_of_file(file) for file in sorted(top.rglob("*.py"))})


class StopSignals:
    """Remembers the signal by which a batch system (or Ctrl-C) asks this process to save and stop."""

    _NUMBERS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)

    def __init__(self) -> None:
        self.received: int | None = None
        self._former: dict[int, Any] = {}

    def __enter__(self) -> Self:
        # Python allows handlers in the main thread alone.
        if threading.current_thread() is threading.main_thread():
            self._former = {number: signal.signal(number, self._remember) for number in self._NUMBERS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def _remember(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and self.received == number:
            raise KeyboardInterrupt
        self.received = number
