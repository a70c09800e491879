"""The form in which every scorer hands over its numbers: rows of ``metrics.json`` with intervals, and replicates.

Shapes: L labels, K labels that can be scored, P patients, R replicates (the first is the test set itself).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskray.metrics.intervals import Resamples, percentile_interval

MACRO = "macro"
"""The label of a mean over the labels' values: each label counts the same, however many items it has."""
ALL = "all"
"""The label of a mean over all items, whatever they show."""


def is_whole(label: str) -> bool:
    """True for the labels that stand for the whole test set, under any condition (``macro/tau=0.2``)."""
    return label.partition("/")[0] in (ALL, MACRO)


@dataclass(frozen=True)
class Score:
    """``metrics.json`` as plain values, and the replicates by ``<metric>/<label>``."""

    metrics: dict[str, Any]
    replicates: dict[str, NDArray[np.float32]]


def with_the_test_set_first(resamples: Resamples) -> Resamples:
    """The test set as it is becomes column 0, so that values and replicates come from the same lines."""
    as_it_is = np.ones((resamples.weights_PR.shape[0], 1), np.uint16)
    return Resamples(np.hstack([as_it_is, resamples.weights_PR]), resamples.patient_of_image_N)


def macro(values_LR: NDArray[np.floating]) -> NDArray[np.floating]:
    """Mean over the labels that the test set can score [R], of those that the replicate can score too."""
    values_KR = values_LR[~np.isnan(values_LR[:, 0])]
    is_defined_KR = ~np.isnan(values_KR)
    num_defined_R = is_defined_KR.sum(axis=0)
    totals_R = np.where(is_defined_KR, values_KR, 0).sum(axis=0)
    return np.where(num_defined_R > 0, totals_R / np.maximum(num_defined_R, 1), np.nan)


def summary(values_R: NDArray[np.floating], confidence: float) -> dict[str, Any]:
    """Value and interval of a row; what is not defined is null, never zero."""
    interval = percentile_interval(values_R[1:], confidence)
    return {
        "value": finite(values_R[0]),
        "low": finite(interval.low),
        "high": finite(interval.high),
        "num_replicates_left_out": interval.num_left_out,
    }


def finite(value: float) -> float | None:
    """JSON has no NaN."""
    return None if math.isnan(value) else float(value)
