"""From the predictions of one run to its metrics, with intervals and replicates.

Shapes: N images, L labels, K labels that can be scored, M metrics, P patients, R replicates (the first is the test
set itself).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskray.metrics.classification import Ranking, best_f1_threshold
from maskray.metrics.intervals import Resamples, resample_patients
from maskray.metrics.rows import MACRO, Score, finite, macro, summary, with_the_test_set_first

METRICS = ("auroc", "f1", "f1_oracle", "accuracy", "accuracy_oracle")

# Replicates at a time: 25,000 images then take 13 MB, which stays near the caches.
_REPLICATES_PER_PASS = 128


@dataclass(frozen=True)
class Part:
    """Images of one part: whose they are, what they show (NaN = not stated), and how they were scored."""

    patient_ids: Sequence[str]
    labels_NL: NDArray[np.floating]
    scores_NL: NDArray[np.floating]


def score(
    labels: Sequence[str],
    validation: Part,
    test: Part,
    *,
    num_replicates: int,
    confidence: float,
    seed: int,
    label_sets: Mapping[str, Sequence[str]] | None = None,
    decisions: Mapping[str, NDArray[np.floating]] | None = None,
) -> Score:
    """Score the test part; thresholds of ``f1`` and ``accuracy`` come from the validation part.

    Besides the mean over all labels each of the ``label_sets`` gets one, labelled ``macro/<set>``. ``decisions`` name
    further metrics: F1 of what is called present in the test part, 1 or 0 [N, L].

    Each replicate is scored as a test set of its own: the oracle chooses its threshold anew, and the macro mean
    runs over the labels that have both classes there. Thresholds from validation stay as they are.
    """
    thresholds = [best_f1_threshold(validation.labels_NL[:, i], validation.scores_NL[:, i]) for i in range(len(labels))]
    resamples = with_the_test_set_first(resample_patients(test.patient_ids, num_replicates, seed))
    rankings = _rankings(test.labels_NL, test.scores_NL, resamples)
    values_MLR = np.stack(
        [_score_label(*pair, resamples.weights_PR) for pair in zip(rankings, thresholds, strict=True)], axis=1
    )
    values = dict(zip(METRICS, values_MLR, strict=True))
    for metric, called_NL in (decisions or {}).items():
        at_half = [
            _score_label(each, 0.5, resamples.weights_PR) for each in _rankings(test.labels_NL, called_NL, resamples)
        ]
        values[metric] = np.stack([values_MR[METRICS.index("f1")] for values_MR in at_half])
    means = {MACRO: list(range(len(labels)))}
    means |= {
        f"{MACRO}/{name}": [labels.index(label) for label in of_set] for name, of_set in (label_sets or {}).items()
    }
    rows: list[dict[str, Any]] = []
    left_out: dict[str, list[str]] = {}
    replicates: dict[str, NDArray[np.float32]] = {}
    for metric, values_LR in values.items():
        left_out[metric] = [name for name, value in zip(labels, values_LR[:, 0], strict=True) if np.isnan(value)]
        by_label = {name: macro(values_LR[columns]) for name, columns in means.items()}
        by_label |= dict(zip(labels, values_LR, strict=True))
        counted = [_numbers_of_mean(values_LR, rankings, test, columns) for columns in means.values()]
        counted += [{"num_images": ranking.num_images, "num_positive": ranking.num_positive} for ranking in rankings]
        for (name, values_R), numbers in zip(by_label.items(), counted, strict=True):
            rows.append({"metric": metric, "label": name} | summary(values_R, confidence) | numbers)
            replicates[f"{metric}/{name}"] = values_R[1:].astype(np.float32)
    metrics = {
        "rows": rows,
        "labels_left_out": left_out,
        "thresholds": {name: finite(value) for name, value in zip(labels, thresholds, strict=True)},
        "num_replicates": num_replicates,
        "confidence": confidence,
        "seed": seed,
    }
    return Score(metrics, replicates)


def _rankings(labels_NL: NDArray[np.floating], scores_NL: NDArray[np.floating], resamples: Resamples) -> list[Ranking]:
    return [Ranking(*columns, resamples.patient_of_image_N) for columns in zip(labels_NL.T, scores_NL.T, strict=True)]


def _score_label(ranking: Ranking, threshold: float, weights_PR: NDArray[np.uint16]) -> NDArray[np.floating]:
    """All metrics of one label [M, R], in the order of METRICS."""
    passes = []
    for start in range(0, weights_PR.shape[1], _REPLICATES_PER_PASS):
        weights = weights_PR[:, start : start + _REPLICATES_PER_PASS].astype(np.float32)
        counts = ranking.counts(weights)
        f1_R, accuracy_R = ranking.at(threshold, counts, weights)
        _, f1_oracle_R, accuracy_oracle_R = counts.best_f1()
        passes.append([counts.auroc(), f1_R, f1_oracle_R, accuracy_R, accuracy_oracle_R])
    return np.concatenate([np.stack(one) for one in passes], axis=1)


def _numbers_of_mean(
    values_LR: NDArray[np.floating], rankings: Sequence[Ranking], test: Part, columns: Sequence[int]
) -> dict[str, int]:
    """Images, positives and labels behind a mean over the labels of some columns."""
    scored = [column for column in columns if not np.isnan(values_LR[column, 0])]
    return {
        "num_images": int((~np.isnan(test.labels_NL[:, scored])).any(axis=1).sum()),
        "num_positive": sum(rankings[column].num_positive for column in scored),
        "num_labels": len(scored),
    }
