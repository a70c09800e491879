"""Scores of classes that exclude each other: each against the rest, and the class that an image is given.

An image is given the class with the highest score, the first of equal ones. Shapes: N images, L classes, R replicates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskray.metrics.means import score_means
from maskray.metrics.rows import Score
from maskray.metrics.score import Part, score

ACCURACY, F1 = "class_accuracy", "class_f1"


def given_classes(scores_NL: NDArray[np.floating]) -> NDArray[np.float32]:
    """1 at the class that an image is given, else 0 [N, L]."""
    given_NL = np.zeros(scores_NL.shape, np.float32)
    given_NL[np.arange(len(scores_NL)), scores_NL.argmax(axis=1)] = 1
    return given_NL


def score_classes(
    labels: Sequence[str], validation: Part, test: Part, *, label_sets: Any = None, **settings: Any
) -> Score:
    """The rows of :func:`score`, one class against the rest, and two metrics of the class that an image is given.

    ``class_f1`` is the F1 of each class, ``macro`` their mean. ``class_accuracy`` is the share of images that are given
    their own class: ``all`` over the images, a class's row over its images (recall), ``macro`` over the classes
    (balanced accuracy). Images whose class is not stated count for nothing.
    """
    given_NL = given_classes(test.scores_NL)
    first = score(labels, validation, test, label_sets=label_sets, decisions={F1: given_NL}, **settings)
    is_stated_N = ~np.isnan(test.labels_NL).any(axis=1)
    is_right_N = np.where(is_stated_N, (given_NL * test.labels_NL).sum(axis=1), np.nan)
    own_N = np.where(is_stated_N, np.asarray(labels)[np.nan_to_num(test.labels_NL).argmax(axis=1)], "")
    second = score_means(test.patient_ids, list(own_N), {ACCURACY: is_right_N}, **settings)
    rows = first.metrics["rows"] + second.metrics["rows"]
    left_out = first.metrics["labels_left_out"] | second.metrics["labels_left_out"]
    metrics = first.metrics | {"rows": rows, "labels_left_out": left_out}
    return Score(metrics, first.replicates | second.replicates)
