"""Timing two ways to do the same work beside each other, and what is said of the outcome."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

MIN_REPEATS = 3
_MAX_REPEATS = 15

ON = {"cpu": "on the CPU", "cuda": "on the GPU"}
"""How rows name the kinds of devices."""

Contender = Callable[[int], Callable[[], object]]
"""Given the number of the repeat, makes ready and returns the work that is timed."""


@dataclass(frozen=True)
class Sizes:
    """How much work one repeat of each part is; sides in pixels."""

    film_px: int = 224
    num_ridge_films: int = 16
    file_px: int = 2800
    painted_px: int = 512
    num_files: int = 48  # a third of them beside slow peers
    num_stored_films: int = 320
    batch_size: int = 256
    num_reports: int = 1000
    num_training_steps: int = 15
    measures_starts: bool = True
    num_probe_films: int = 40
    num_step_images: int = 2  # 0: no steps at the papers' size
    num_memory_items: int = 100  # and four times as many; 0: none
    memory_film_px: int = 512


FOR_GPU = Sizes(num_ridge_films=256, num_step_images=64)
"""What keeps a GPU busy."""


@dataclass(frozen=True)
class Spread:
    """Median and quartiles."""

    median: float
    lower: float
    upper: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value."""
        lower, median, upper = (float(value) for value in np.percentile(values, (25, 50, 75)))
        return cls(median, lower, upper)


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        what: the work, with its size.
        unit: of ``ours`` and ``peer``: things a second, higher is better.
        peer_name: what stands against ours; empty where nothing does.
        ratio: ours / peer of neighbouring repeats.
        num_items: things in one repeat.
        num_repeats: of each contender.
        limits: physical limit -> the share of it that ours reaches.
        agreement: how far the two answers are the same, and what else there is to know, by name.
    """

    what: str
    unit: str
    ours: Spread
    num_items: int
    num_repeats: int
    peer_name: str = ""
    peer: Spread | None = None
    ratio: Spread | None = None
    limits: dict[str, float] = field(default_factory=dict)
    agreement: dict[str, float] = field(default_factory=dict)

    def with_agreement(self, name: str, value: float) -> Row:
        """The same with one more number."""
        return replace(self, agreement=self.agreement | {name: value})

    def with_limit(self, name: str, value: float) -> Row:
        """The same with the share of a physical limit that ours reaches."""
        return replace(self, limits=self.limits | {name: value})

    def as_values(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def compare(
    what: str,
    unit: str,
    ours: Contender,
    peer: Contender,
    *,
    peer_name: str,
    num_items: int,
    seconds: float,
    agreement: dict[str, float],
) -> Row:
    """Time both in turn, each first every other time, until ``seconds`` are over: 3 repeats at least, 15 at most.

    Both must be warm: code imported, operators built, files in the page cache.
    """
    rates: dict[str, list[float]] = {"ours": [], "peer": []}
    contenders = [("ours", ours), ("peer", peer)]
    gc.collect()
    gc.freeze()  # what both sides have imported is nothing for the collector to walk through while one is timed
    started = time.monotonic()
    for repeat in range(_MAX_REPEATS):
        if repeat >= MIN_REPEATS and time.monotonic() - started >= seconds:
            break
        for name, contender in contenders if repeat % 2 == 0 else reversed(contenders):
            rates[name].append(num_items / _seconds_of(contender(repeat)))
    ratios = [one / other for one, other in zip(rates["ours"], rates["peer"], strict=True)]
    return Row(
        what=what,
        unit=unit,
        ours=Spread.of(rates["ours"]),
        num_items=num_items,
        num_repeats=len(ratios),
        peer_name=peer_name,
        peer=Spread.of(rates["peer"]),
        ratio=Spread.of(ratios),
        agreement=agreement,
    )


def _seconds_of(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
