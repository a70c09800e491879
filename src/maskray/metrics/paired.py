"""Is one run's metric higher than another's? Paired tests of two rows of runs on the same test items.

Shapes: S runs, R replicates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maskray.metrics.intervals import percentile_interval

DELONG, BOOTSTRAP = "DeLong", "paired bootstrap"


@dataclass(frozen=True)
class Runs:
    """All runs behind one cell: a metric's value in each, its replicates, and the files of predictions."""

    values_S: NDArray[np.floating]
    replicates_SR: NDArray[np.floating]
    files: tuple[str, ...]


@dataclass(frozen=True)
class PairedTest:
    """First less second, the interval of that, and the two-sided p.

    What cannot be said is NaN; ``reason`` then says why, and ``test`` is empty where nothing was compared.
    """

    difference: float
    low: float
    high: float
    p: float
    test: str = ""
    reason: str = ""


def not_compared(reason: str, test: str = "", difference: float = float("nan")) -> PairedTest:
    """A comparison that says nothing but why."""
    return PairedTest(difference, float("nan"), float("nan"), float("nan"), test, reason)


def compare_replicates(difference: float, first_R: ArrayLike, second_R: ArrayLike, confidence: float) -> PairedTest:
    """Paired bootstrap: both replicates of a pair stand on the same resample of patients.

    p inverts the percentile interval: twice the smaller share of the differences on either side of zero, zero itself on
    both, each share with one added to count and number (Davison and Hinkley 1997, doi:10.1017/CBO9780511802843). It is
    never below 2 / (R + 1). Replicates that are not defined in both are left out; there is no p from a minority.

    Raises ValueError where the two do not have the same number of replicates.
    """
    first, second = np.asarray(first_R, np.float64), np.asarray(second_R, np.float64)
    if first.shape != second.shape:
        raise ValueError(
            f"paired replicates need equal numbers, not {first.size} and {second.size}: score both with the "
            "same settings"
        )
    differences = first - second
    interval = percentile_interval(differences, confidence)
    if np.isnan(interval.low):
        return not_compared("most resamples of the patients lack what is measured", BOOTSTRAP, difference)
    defined = differences[~np.isnan(differences)]
    fewer = min((defined <= 0).sum(), (defined >= 0).sum())
    p = min(1.0, 2 * (1 + int(fewer)) / (1 + defined.size))
    return PairedTest(difference, interval.low, interval.high, p, BOOTSTRAP)


def holm(p_values: Sequence[float]) -> list[float]:
    """Each p corrected for being one of a family (Holm 1979, https://www.jstor.org/stable/4615733), in the same order.

    The chance of any false claim in the family stays below the level that the corrected p are held against, however the
    tests depend on each other. NaN is no member and stays NaN.
    """
    corrected = [float("nan")] * len(p_values)
    members = sorted((p, place) for place, p in enumerate(p_values) if not np.isnan(p))
    highest = 0.0
    for num_smaller, (p, place) in enumerate(members):
        highest = max(highest, min(1.0, (len(members) - num_smaller) * p))
        corrected[place] = highest
    return corrected
