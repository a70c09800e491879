"""What a long job says: a bar on a terminal, a line a minute elsewhere. A training also writes ``log.csv`` with every
step, and ``maps.csv`` with every epoch's learned weights over the film.
"""

from __future__ import annotations

import csv
import io
import logging
import math
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from maskray.files import write_text

if TYPE_CHECKING:
    from torch import Tensor

_log = logging.getLogger(__name__)
_SECONDS_BETWEEN_LINES = 60.0
_FIRST = ["step", "epoch"]
_LAST = ["total", "learning_rate", "gradient_norm", "images_per_second", "data_wait"]


class TrainingLog:
    """A csv with a row for a step: ``log.csv`` has step (from 0), epoch (from 0), the loss terms, total, learning rate,
    gradient norm, images/s of every step, and the share of its time that it waited for its batch.

    On resuming, rows of steps that are done again are cut off first.
    """

    def __init__(self, path: Path, first_step: int, columns: Sequence[str] = (*_FIRST, *_LAST)) -> None:
        """``columns`` are the header of a run of no steps."""
        self._path = path
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []
        kept = [line for line in lines[1:] if _is_row_before(line, first_step)]
        self._has_header = bool(kept)
        # Always a file with at least a header: a run of no steps has a log too.
        write_text(path, "".join([*lines[:1], *kept]) if kept else ",".join(columns) + "\n")
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


def row_of_maps(step: int, epoch: int, maps: Mapping[str, Tensor]) -> dict[str, Any]:
    """A row of ``maps.csv``: step, epoch, and the weight of each patch as ``<map>/<patch down>/<patch across>``."""
    cells = {
        f"{name}/{down}/{across}": round(weight, 6)
        for name, weights_hw in maps.items()
        for down, line in enumerate(weights_hw.tolist())
        for across, weight in enumerate(line)
    }
    return {"step": step, "epoch": epoch, **cells}


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
        self.close()

    def close(self) -> None:
        """Take the bar off the terminal."""
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
    terms = [f"{name} {value:.4g}" for name, value in row.items() if name not in (*_FIRST, *_LAST[1:])]
    return ", ".join([*terms, f"{row['images_per_second']:.1f} images/s", f"{row['data_wait']:.0%} waiting for data"])


class Records:
    """All that a run writes down: ``log.csv``, ``maps.csv``, and where it stands."""

    FILES = ("log.csv", "maps.csv")

    def __init__(self, resume: Path, num_steps: int, first_step: int) -> None:
        log, maps = (resume / name for name in self.FILES)
        self._log, self._maps = TrainingLog(log, first_step), TrainingLog(maps, first_step, _FIRST)
        self._progress = Progress("step", num_steps, first_step)

    def append(self, row: dict[str, Any], maps: Mapping[str, Tensor]) -> None:
        """Add a step, and the maps after it where there are any."""
        self._log.append(row)
        if maps:
            self._maps.append(row_of_maps(row["step"], row["epoch"], maps))
        self._progress.advance(note=note_of(row))

    def sync(self) -> None:
        """Put the rows on disk, before the checkpoint that counts on them."""
        self._log.sync()
        self._maps.sync()

    def close(self) -> None:
        """Put the rows on disk and end the bar."""
        self._log.close()
        self._maps.close()
        self._progress.close()
