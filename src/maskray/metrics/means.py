"""From what was measured item by item to metrics: means, with intervals over patients and replicates.

Shapes: N items, L labels, P patients, R replicates (the first is the test set itself).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskray.metrics.intervals import Resamples, resample_patients
from maskray.metrics.rows import ALL, MACRO, Score, macro, summary, with_the_test_set_first

# Replicates at a time: 60,000 patients then take 60 MB.
_REPLICATES_PER_PASS = 128


def score_means(
    patient_ids: Sequence[str],
    labels: Sequence[str],
    values: Mapping[str, NDArray[np.floating]],
    *,
    num_replicates: int,
    confidence: float,
    seed: int,
    settings: Mapping[str, Any] | None = None,
) -> Score:
    """Score measured items [N]; a value that is NaN was not measured and counts for nothing.

    A measure gives one row over all items and, where items have labels, the macro row and one per label. A measure
    named ``<metric>/<condition>`` gives the first two alone, labelled ``all/<condition>`` and ``macro/<condition>``.
    ``num_images`` of a row is the number of items behind it. ``settings`` are handed on.
    """
    resamples = with_the_test_set_first(resample_patients(patient_ids, num_replicates, seed))
    rows: list[dict[str, Any]] = []
    replicates: dict[str, NDArray[np.float32]] = {}
    left_out: dict[str, list[str]] = {}
    for measure, values_N in values.items():
        metric, _, condition = measure.partition("/")
        means = _by_label(np.asarray(labels, dtype=str), np.asarray(values_N, np.float64), resamples)
        for label, values_R, num_items in means:
            if condition:
                if label not in (ALL, MACRO):
                    break
                label = f"{label}/{condition}"
            rows.append({"metric": metric, "label": label} | summary(values_R, confidence))
            rows[-1] |= {"num_images": num_items, "num_positive": None}
            replicates[f"{metric}/{label}"] = values_R[1:].astype(np.float32)
            if np.isnan(values_R[0]):
                left_out.setdefault(metric, []).append(label)
    metrics = {
        "rows": rows,
        "labels_left_out": left_out,
        "settings": dict(settings or {}),
        "num_replicates": num_replicates,
        "confidence": confidence,
        "seed": seed,
    }
    return Score(metrics, replicates)


def _by_label(
    labels_N: NDArray[np.str_], values_N: NDArray[np.floating], resamples: Resamples
) -> Iterator[tuple[str, NDArray[np.floating], int]]:
    """(label, mean [R], number of items) over all items, over labels, and for each label."""
    values_R, num_items = _mean(values_N, resamples)
    yield ALL, values_R, num_items
    names = [str(name) for name in np.unique(labels_N) if name]
    if not names:
        return
    means = [_mean(np.where(labels_N == name, values_N, np.nan), resamples) for name in names]
    # An item without a label is in no label's mean.
    yield MACRO, macro(np.stack([values_R for values_R, _ in means])), sum(num for _, num in means)
    for name, mean in zip(names, means, strict=True):
        yield name, *mean


def _mean(values_N: NDArray[np.floating], resamples: Resamples) -> tuple[NDArray[np.floating], int]:
    """Mean of the measured items in each replicate [R], NaN where a replicate has none; and their number."""
    is_measured_N = ~np.isnan(values_N)
    patient_N, num_patients = resamples.patient_of_image_N, resamples.weights_PR.shape[0]
    totals_P = np.bincount(patient_N, np.where(is_measured_N, values_N, 0.0), num_patients)
    counts_P = np.bincount(patient_N, is_measured_N.astype(np.float64), num_patients)
    counts_R, totals_R = (_weighted(sums_P, resamples.weights_PR) for sums_P in (counts_P, totals_P))
    means_R = np.divide(totals_R, counts_R, out=np.full(len(counts_R), np.nan), where=counts_R > 0)
    return means_R, int(is_measured_N.sum())


def _weighted(sums_P: NDArray[Any], weights_PR: NDArray[np.uint16]) -> NDArray[np.floating]:
    """Sum over the patients of each replicate [R], added up in one order on any machine: a matrix product is not."""
    starts = range(0, weights_PR.shape[1], _REPLICATES_PER_PASS)
    passes = (weights_PR[:, start : start + _REPLICATES_PER_PASS] * sums_P[:, None] for start in starts)
    return np.concatenate([products_PR.sum(axis=0, dtype=np.float64) for products_PR in passes])
