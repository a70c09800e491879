"""Progress of a long job: a bar on a terminal, a line a minute in a log."""

from __future__ import annotations

import logging
import sys
import time

from tqdm import tqdm

_log = logging.getLogger(__name__)
_SECONDS_BETWEEN_LINES = 60.0


class Progress:
    """Counts steps of ``what`` up to ``total``; a context, so that the bar is gone before the next line."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total, self._done = what, total, 0
        self._started = self._last_line = time.monotonic()
        self._bar = tqdm(total=total, desc=what, leave=False) if sys.stderr.isatty() else None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Count ``steps``; the bar moves, or a line is due once a minute."""
        self._done += steps
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(steps)
            return
        now = time.monotonic()
        if now - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._last_line = now
            minutes_left = (now - self._started) / self._done * (self._total - self._done) / 60
            _log.info("%s: %d of %d, %.0f min left %s", self._what, self._done, self._total, minutes_left, note)
