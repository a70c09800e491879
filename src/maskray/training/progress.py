"""What a long job says: a bar on a terminal, a line a minute elsewhere; of a training also ``log.csv``, every step."""

from __future__ import annotations

import csv
import io
import logging
import math
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from maskray.files import write_text

_log = logging.getLogger(__name__)
_SECONDS_BETWEEN_LINES = 60.0
_FIRST = ["step", "epoch"]
_LAST = ["total", "learning_rate", "gradient_norm", "images_per_second"]


class TrainingLog:
    """``log.csv``: step (from 0), epoch (from 0), the loss terms, total, learning rate, gradient norm, images/s.

    On resuming, rows of steps that are done again are cut off first.
    """

    def __init__(self, path: Path, first_step: int) -> None:
        self._path = path
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []
        kept = [line for line in lines[1:] if _is_row_before(line, first_step)]
        self._has_header = bool(kept)
        # Always a file with at least a header: a run of no steps has a log too.
        write_text(path, "".join([*lines[:1], *kept]) if kept else ",".join([*_FIRST, *_LAST]) + "\n")
        self._handle = path.open("a", encoding="utf-8", newline="")

    def append(self, row: dict[str, Any]) -> None:
        """Add a step; the names of the loss terms become columns at the first one."""
        if not self._has_header:
            self._handle.truncate(0)
            self._handle.write(",".join(row) + "\n")
            self._has_header = True
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerow(row.values())
        self._handle.write(buffer.getvalue())

    def sync(self) -> None:
        """Put the rows on disk, before the checkpoint that counts on them."""
        self._handle.flush()
        os.fsync(self._handle.fileno())

    def close(self) -> None:
        """Put the rows on disk and close the file."""
        self.sync()
        self._handle.close()


def _is_row_before(line: str, step: int) -> bool:
    """True for a whole line (a killed run may leave half a one) of an earlier step."""
    first = line.split(",")[0]
    return line.endswith("\n") and first.isdigit() and int(first) < step


class Progress:
    """Counts steps of ``what`` up to ``total``: a bar on a terminal, else a line at once and then one a minute.

    A context, so that the bar is gone before the next line. ``done`` of the steps were done before.
    """

    def __init__(self, what: str, total: int, done: int = 0) -> None:
        self._what, self._total, self._first, self._done = what, total, done, done
        self._started = time.monotonic()
        self._last_line = -math.inf
        self._bar = tqdm(desc=what, total=total, initial=done, leave=False) if sys.stderr.isatty() else None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Count ``steps``; the bar moves, or a line is due."""
        self._done += steps
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(steps)
            return
        now = time.monotonic()
        if now - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._last_line = now
            minutes = (now - self._started) / (self._done - self._first) * (self._total - self._done) / 60
            about = f": {note}" if note else ""
            _log.info("%s %d of %d, %.0f min left%s", self._what, self._done, self._total, minutes, about)


def note_of(row: Mapping[str, Any]) -> str:
    """The loss terms and the speed of a row of the log, for a line of progress."""
    terms = {name: value for name, value in row.items() if name not in (*_FIRST, *_LAST[1:])}
    return ", ".join(
        [*(f"{name} {value:.4g}" for name, value in terms.items()), f"{row['images_per_second']:.1f} images/s"]
    )
