"""AUROC, F1 and accuracy of one label, for one test set or for many resampled ones at once.

Shapes: N images, P patients (or other sampling units), R replicates, G distinct scores of the positive images.
A replicate is a column of weights: how often each patient was drawn. Scores are higher where the label is more
likely; an image is called positive where its score is at or above the threshold; a NaN label is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Counts:
    """Weighted images at and between the distinct scores of the positives, in rising order of score.

    ``true_positives_GR`` counts the positives at each threshold and above it.
    """

    thresholds_G: Floats
    positives_GR: Floats
    true_positives_GR: Floats
    tied_negatives_GR: Floats
    negatives_below_GR: Floats
    num_positive_R: Floats
    num_negative_R: Floats

    def auroc(self) -> Floats:
        """Area under the ROC curve per replicate [R]: the share of (positive, negative) pairs in the right order.

        Ties count one half (Mann-Whitney). NaN where a replicate lacks one class.
        """
        lower_GR = self.negatives_below_GR + 0.5 * self.tied_negatives_GR
        return _ratio((self.positives_GR * lower_GR).sum(axis=0), self.num_positive_R * self.num_negative_R)

    def f1(self) -> Floats:
        """F1 with each positive's score as the threshold [G, R].

        No other threshold can be the best: it would call the same positives and at least as many negatives.
        """
        called_GR = self.true_positives_GR + self.num_negative_R - self.negatives_below_GR
        return 2 * self.true_positives_GR / np.maximum(called_GR + self.num_positive_R, 1)

    def best_f1(self) -> tuple[NDArray[np.integer], Floats, Floats]:
        """Index of the best threshold [R] (the lowest among equals), and F1 and accuracy there; NaN as in auroc.

        The threshold is best for **F1**, also where accuracy is reported, and chosen on these very images: the protocol
        of MedKLIP, which the papers follow. On rare findings that which is best for accuracy calls nothing positive.
        """
        num_replicates = self.num_positive_R.size
        if not self.thresholds_G.size:
            missing_R = np.full(num_replicates, np.nan)
            return np.zeros(num_replicates, np.int64), missing_R, missing_R
        f1_GR = self.f1()
        best_R = f1_GR.argmax(axis=0)
        columns_R = np.arange(num_replicates)
        true_R = self.true_positives_GR[best_R, columns_R]
        accuracy_R = (true_R + self.negatives_below_GR[best_R, columns_R]) / np.maximum(
            self.num_positive_R + self.num_negative_R, 1
        )
        has_both_R = self.has_both_classes()
        return (
            best_R,
            np.where(has_both_R, f1_GR[best_R, columns_R], np.nan),
            np.where(has_both_R, accuracy_R, np.nan),
        )

    def has_both_classes(self) -> NDArray[np.bool_]:
        """Whether a replicate has a positive and a negative image [R]; all metrics are NaN where it has not."""
        return (self.num_positive_R > 0) & (self.num_negative_R > 0)


class Ranking:
    """The stated images of one label, sorted once; every replicate is then a few sums over its weights."""

    def __init__(self, labels_N: ArrayLike, scores_N: ArrayLike, patient_of_image_N: ArrayLike | None = None) -> None:
        """``patient_of_image_N`` is each image's row in the weights; without it each image is its own patient."""
        labels, scores = np.asarray(labels_N, np.float64), np.asarray(scores_N, np.float64)
        rows = np.arange(labels.size) if patient_of_image_N is None else np.asarray(patient_of_image_N, np.intp)
        self.num_rows = int(rows.max()) + 1 if rows.size else 0
        self._scores = {1: scores[labels == 1], 0: scores[labels == 0]}
        self._rows = {1: rows[labels == 1], 0: rows[labels == 0]}
        self.thresholds_G, group_of_positive = np.unique(self._scores[1], return_inverse=True)
        num_groups = self.thresholds_G.size
        # Bin 2g holds the negatives between thresholds g-1 and g, bin 2g + 1 those tied with threshold g.
        bin_of_negative = np.searchsorted(self.thresholds_G, self._scores[0], "left") + np.searchsorted(
            self.thresholds_G, self._scores[0], "right"
        )
        self._positives = _Groups(self._rows[1], group_of_positive, num_groups)
        self._negatives = _Groups(self._rows[0], bin_of_negative, 2 * num_groups + 1)

    @property
    def num_positive(self) -> int:
        """Images in which the label is present."""
        return self._rows[1].size

    @property
    def num_images(self) -> int:
        """Images in which the label is stated."""
        return self._rows[1].size + self._rows[0].size

    def counts(self, weights_PR: Floats | None = None) -> Counts:
        """Counts of each replicate; without weights, of the images as they are (one replicate)."""
        weights = self._weights(weights_PR)
        positives_GR = self._positives.sum(weights)
        bins = self._negatives.sum(weights)
        cumulative = np.cumsum(bins, axis=0)
        return Counts(
            thresholds_G=self.thresholds_G,
            positives_GR=positives_GR,
            true_positives_GR=np.cumsum(positives_GR[::-1], axis=0)[::-1],
            tied_negatives_GR=bins[1::2],
            negatives_below_GR=cumulative[:-1:2],
            num_positive_R=positives_GR.sum(axis=0),
            num_negative_R=cumulative[-1],
        )

    def at(self, threshold: float, counts: Counts, weights_PR: Floats | None = None) -> tuple[Floats, Floats]:
        """F1 and accuracy [R] at a threshold chosen elsewhere; NaN without a threshold or without both classes."""
        weights = self._weights(weights_PR)
        is_called = self._scores[0] >= threshold
        false_R = weights[self._rows[0][is_called]].sum(axis=0, dtype=np.float64)
        true_R = counts.positives_GR[self.thresholds_G >= threshold].sum(axis=0)
        f1_R = 2 * true_R / np.maximum(true_R + false_R + counts.num_positive_R, 1)
        num_images_R = counts.num_positive_R + counts.num_negative_R
        accuracy_R = (true_R + counts.num_negative_R - false_R) / np.maximum(num_images_R, 1)
        is_defined_R = counts.has_both_classes() & ~np.isnan(threshold)
        return np.where(is_defined_R, f1_R, np.nan), np.where(is_defined_R, accuracy_R, np.nan)

    def _weights(self, weights_PR: Floats | None) -> Floats:
        return np.ones((self.num_rows, 1)) if weights_PR is None else weights_PR


class _Groups:
    """Rows of the weights in groups, arranged so that their sums are one pass over memory."""

    def __init__(self, rows: NDArray[np.intp], groups: NDArray[np.intp], num_groups: int) -> None:
        order = np.argsort(groups, kind="stable")
        self.rows, sorted_groups = rows[order], groups[order]
        self.present, self.starts = np.unique(sorted_groups, return_index=True)
        self.num_groups = num_groups

    def sum(self, weights_PR: Floats) -> Floats:
        """Sum of the weights per group [groups, R] in float64; each sum of float32 counts is exact below 2^24."""
        sums = np.zeros((self.num_groups, weights_PR.shape[1]))
        if self.rows.size:
            sums[self.present] = np.add.reduceat(weights_PR[self.rows], self.starts, axis=0)
        return sums


def auroc(labels_N: ArrayLike, scores_N: ArrayLike) -> float:
    """Area under the ROC curve, ties averaged; NaN where one class is missing."""
    return float(Ranking(labels_N, scores_N).counts().auroc()[0])


def best_f1_threshold(labels_N: ArrayLike, scores_N: ArrayLike) -> float:
    """The score that, as a threshold, gives the highest F1; the lowest of several; NaN without both classes."""
    counts = Ranking(labels_N, scores_N).counts()
    best_R, f1_R, _ = counts.best_f1()
    return float("nan") if np.isnan(f1_R[0]) else float(counts.thresholds_G[best_R[0]])


def macro_auroc(labels_NL: NDArray[np.floating], scores_NL: NDArray[np.floating]) -> float:
    """Mean AUROC over the labels that have both classes; NaN where none has."""
    return mean_of_defined([auroc(labels_NL[:, i], scores_NL[:, i]) for i in range(labels_NL.shape[1])])


def mean_of_defined(values: Sequence[float]) -> float:
    """Mean of the values that are not NaN; NaN where all are."""
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else float("nan")


def _ratio(numerator_R: Floats, denominator_R: Floats) -> Floats:
    """Quotient; NaN where the denominator is zero."""
    return np.divide(numerator_R, denominator_R, out=np.full_like(numerator_R, np.nan), where=denominator_R > 0)
