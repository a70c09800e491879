"""Bootstrap over patients: the resamples, and the interval that replicates give.

Shapes: N images, P patients, R replicates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Resamples:
    """How often each patient is drawn in each replicate, and whose each image is.

    A function of the set of patients and the seed alone: all runs of one benchmark, which share its test part,
    share their resamples, so that replicates can be averaged over seeds and compared between methods one by one.
    """

    weights_PR: NDArray[np.uint16]
    patient_of_image_N: NDArray[np.intp]


@dataclass(frozen=True)
class Interval:
    """A percentile interval; NaN where fewer than half of the replicates are defined."""

    low: float
    high: float
    num_left_out: int


def resample_patients(patient_ids: Sequence[str], num_replicates: int, seed: int) -> Resamples:
    """Draw whole patients with replacement, as many as there are; all images of a patient go together."""
    patients, patient_of_image_N = np.unique(np.asarray(patient_ids, dtype=str), return_inverse=True)
    generator = np.random.default_rng(seed)
    weights_PR = np.empty((patients.size, num_replicates), np.uint16)
    for replicate in range(num_replicates):
        drawn = generator.integers(patients.size, size=patients.size)
        weights_PR[:, replicate] = np.bincount(drawn, minlength=patients.size)
    return Resamples(weights_PR, patient_of_image_N)


def percentile_interval(replicates_R: ArrayLike, confidence: float) -> Interval:
    """The central ``confidence`` (0..1) of the replicates.

    NaN replicates (a resample without both classes) are left out and counted; where they are the majority the
    rest says little about the whole, and there is no interval.
    """
    values = np.asarray(replicates_R, np.float64)
    defined = values[~np.isnan(values)]
    num_left_out = values.size - defined.size
    if not defined.size or 2 * defined.size < values.size:
        return Interval(float("nan"), float("nan"), num_left_out)
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high), num_left_out)
