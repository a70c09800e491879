"""What a run says while it trains: ``log.csv`` with every step, ``maps.csv`` with every epoch's learned weights over
the film, a bar on a terminal, a line a minute elsewhere.
"""

from __future__ import annotations

import csv
import io
import logging
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
_LAST = ["total", "learning_rate", "gradient_norm", "images_per_second"]


class TrainingLog:
    """A csv with a row for a step: ``log.csv`` has step (from 0), epoch (from 0), the loss terms, total, learning rate,
    gradient norm, images/s of every step.

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
    """A bar on a terminal, else a line a minute."""

    def __init__(self, num_steps: int, first_step: int) -> None:
        self._num_steps = num_steps
        self._last_line = 0.0
        self._bar = tqdm(total=num_steps, initial=first_step, unit="step") if sys.stderr.isatty() else None

    def show(self, row: dict[str, Any]) -> None:
        """Tell where the run stands after a step; ``row`` as in the log."""
        terms = {name: value for name, value in row.items() if name not in (*_FIRST, *_LAST[1:])}
        text = ", ".join(f"{name} {value:.4g}" for name, value in terms.items())
        if self._bar is not None:
            self._bar.set_postfix_str(f"{text}, {row['images_per_second']:.1f} images/s", refresh=False)
            self._bar.update()
        elif (now := time.monotonic()) - self._last_line >= _SECONDS_BETWEEN_LINES or self._last_line == 0:
            self._last_line = now
            _log.info(
                "step %d of %d: %s, %.1f images/s",
                row["step"] + 1,
                self._num_steps,
                text,
                row["images_per_second"],
            )

    def close(self) -> None:
        """Take the bar off the terminal."""
        if self._bar is not None:
            self._bar.close()


class Records:
    """All that a run writes down: ``log.csv``, ``maps.csv``, and where it stands."""

    FILES = ("log.csv", "maps.csv")

    def __init__(self, resume: Path, num_steps: int, first_step: int) -> None:
        log, maps = (resume / name for name in self.FILES)
        self._log, self._maps = TrainingLog(log, first_step), TrainingLog(maps, first_step, _FIRST)
        self._progress = Progress(num_steps, first_step)

    def append(self, row: dict[str, Any], maps: Mapping[str, Tensor]) -> None:
        """Add a step, and the maps after it where there are any."""
        self._log.append(row)
        if maps:
            self._maps.append(row_of_maps(row["step"], row["epoch"], maps))
        self._progress.show(row)

    def sync(self) -> None:
        """Put the rows on disk, before the checkpoint that counts on them."""
        self._log.sync()
        self._maps.sync()

    def close(self) -> None:
        """Put the rows on disk and end the bar."""
        self._log.close()
        self._maps.close()
        self._progress.close()
