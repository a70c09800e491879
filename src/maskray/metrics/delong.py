"""DeLong's test: do two models differ in AUROC on the same test films?

DeLong et al. 1988, doi:10.2307/2531595, with films clustered by patient as in Obuchowski 1997, doi:10.2307/2533958. A
structural component is the share of the other class that a film is ranked right against; counted in a sorted list, as
by the mid-ranks of Sun and Xu 2014, doi:10.1109/LSP.2014.2337313, it takes n log n steps.

Shapes: S runs, N images, L labels, P patients, M positive images, K negative images.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from maskray.metrics.paired import DELONG, PairedTest, not_compared

Floats = NDArray[np.floating]

# Below this a difference of shares of films is rounding: a share of a billion pairs is larger.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Contrast:
    """The difference of two AUROCs of one label, and what each patient adds to its deviation [P].

    ``variance`` has the small-sample factors of the papers; a patient's films of both classes covary.
    """

    difference: float
    variance: float
    deviations_P: Floats


def compare_aurocs(
    labels_NL: Floats,
    first_SNL: Floats,
    second_SNL: Floats,
    patient_of_image_N: NDArray[np.intp],
    confidence: float,
    names: Sequence[str],
) -> PairedTest:
    """Mean AUROC of the first runs less that of the second ones; with several labels, the mean over labels of that.

    A mean over runs or labels is a sum of AUROCs that stand on the same films, whose covariances the components give:
    the variance covers the choice of the test patients and takes the trained models as they are. NaN labels are left
    out, and so is a label without both classes. Two rankings that are the same give p = 1. ``names`` are those of the
    labels.
    """
    num_patients = int(patient_of_image_N.max()) + 1
    contrasts = {
        name: contrast_of(labels_NL[:, place], first_SNL[:, :, place], second_SNL[:, :, place], patient_of_image_N)
        for place, name in enumerate(names)
        if {0.0, 1.0} <= {*np.unique(labels_NL[:, place])}
    }
    if not contrasts:
        return not_compared("no label has positive and negative films", DELONG)
    difference = float(np.mean([one.difference for one in contrasts.values()]))
    if too_few := [name for name, one in contrasts.items() if math.isnan(one.variance)]:
        why = f"fewer than two patients with, or without, {', '.join(too_few)}"
        return not_compared(why.replace("_", " "), DELONG, difference)
    joint_P = np.sum([one.deviations_P for one in contrasts.values()], axis=0)
    # Each label by itself as printed; between labels the plain covariance over patients.
    between = (joint_P**2).sum() - sum((one.deviations_P**2).sum() for one in contrasts.values())
    variance = sum(one.variance for one in contrasts.values()) + _unbiased(num_patients) * between
    return _judge(difference, math.sqrt(max(float(variance), 0.0)) / len(contrasts), confidence)


def contrast_of(
    labels_N: Floats, first_SN: Floats, second_SN: Floats, patient_of_image_N: NDArray[np.intp]
) -> Contrast:
    """One label; the variance is NaN where fewer than two patients have, or have not, what it says."""
    is_positive_N, is_negative_N = labels_N == 1, labels_N == 0
    first, second = (_components(scores_SN, is_positive_N, is_negative_N) for scores_SN in (first_SN, second_SN))
    difference = float((first[0] - second[0]).mean())
    num_patients = int(patient_of_image_N.max()) + 1
    sums, counts, stated = [], [], np.zeros(num_patients, np.bool_)
    for one, other, is_chosen_N in zip(first, second, (is_positive_N, is_negative_N), strict=True):
        rows = patient_of_image_N[is_chosen_N]
        sums.append(np.bincount(rows, one - other - difference, num_patients) / rows.size)
        counts.append(np.unique(rows).size)
        stated[rows] = True
    positives_P, negatives_P = sums
    if min(counts) < 2:
        return Contrast(difference, float("nan"), positives_P + negatives_P)
    variance = (
        _unbiased(counts[0]) * (positives_P**2).sum()
        + _unbiased(counts[1]) * (negatives_P**2).sum()
        + 2 * _unbiased(int(stated.sum())) * (positives_P * negatives_P).sum()
    )
    return Contrast(difference, float(variance), positives_P + negatives_P)


def _components(scores_SN: Floats, is_positive_N: NDArray[np.bool_], is_negative_N: NDArray[np.bool_]) -> list[Floats]:
    """Structural components of the positives [M] and of the negatives [K], mean over runs; a tie counts one half."""
    positives, negatives = [], []
    for scores_N in scores_SN:
        of_positives, of_negatives = scores_N[is_positive_N], scores_N[is_negative_N]
        positives.append(_share_below(of_positives, of_negatives))
        negatives.append(1 - _share_below(of_negatives, of_positives))
    return [np.mean(positives, axis=0), np.mean(negatives, axis=0)]


def _share_below(scores: Floats, others: Floats) -> Floats:
    """Of each score, the share of the others that are lower, equal ones by half."""
    ranked = np.sort(others)
    return (np.searchsorted(ranked, scores, "left") + np.searchsorted(ranked, scores, "right")) / (2 * ranked.size)


def _judge(difference: float, error: float, confidence: float) -> PairedTest:
    """Normal interval and p; where nothing varies there is a p only for no difference at all."""
    if error < _ROUNDING:
        if abs(difference) < _ROUNDING:
            return PairedTest(0.0, 0.0, 0.0, 1.0, DELONG)
        return not_compared("the same difference on every film: its variance is zero", DELONG, difference)
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * error
    p = math.erfc(abs(difference) / error / math.sqrt(2))
    return PairedTest(difference, difference - reach, difference + reach, p, DELONG)


def _unbiased(num: int) -> float:
    return num / (num - 1)
