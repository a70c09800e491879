"""Two rows of runs, compared on the test items that both were predicted on; needs no torch.

A row's runs differ in their seeds. Runs of both rows are averaged first, as in the tables, and the means are compared:
see :mod:`maskray.metrics.delong` and :mod:`maskray.metrics.paired`. Shapes: S runs, N items, L labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskray.errors import InputError
from maskray.evaluation.measurements import holds_measurements, read_measurements
from maskray.evaluation.predictions import read_predictions
from maskray.files import read_json
from maskray.metrics.delong import compare_aurocs
from maskray.metrics.paired import PairedTest, Runs, compare_replicates, not_compared
from maskray.metrics.rows import MACRO


@dataclass(frozen=True)
class Items:
    """What a run was tested on, and how that was resampled (seed, number): paired tests need the same of both."""

    patients: Mapping[str, str]
    labels: Mapping[str, bytes | str]
    resampling: tuple[int, int]

    def why_not_those_of(self, other: Items) -> str:
        """What differs, in numbers; empty where nothing does."""
        if self.patients.keys() != other.patients.keys():
            here, there = len(self.patients.keys() - other.patients.keys()), len(other.patients.keys() - self.patients)
            return f"test parts differ: {here} items on one side alone, {there} on the other"
        for what, ours, theirs in (
            ("patient", self.patients, other.patients),
            ("label", self.labels, other.labels),
        ):
            if num := sum(ours[item] != theirs[item] for item in ours):
                return f"test parts differ: another {what} of {num} of the {len(ours)} items"
        if self.resampling != other.resampling:
            return "scored with different resamples: score both with the same settings"
        return ""


@dataclass(frozen=True)
class Scores:
    """Labels of the items and the scores of all runs, in the order of their names."""

    label_names: tuple[str, ...]
    label_sets: Mapping[str, Sequence[str]]
    patient_of_image_N: NDArray[np.intp]
    labels_NL: NDArray[np.floating]
    scores_SNL: NDArray[np.floating]

    def columns(self, label: str) -> list[int]:
        """The labels behind a row of the metrics: one, all, or those of a set."""
        whole, _, name = label.partition("/")
        names = (self.label_sets[name] if name else self.label_names) if whole == MACRO else (label,)
        return [self.label_names.index(one) for one in names]


@dataclass(frozen=True)
class Opened:
    """The runs of one row at one benchmark; without scores where the items were measured one by one."""

    items: Items
    scores: Scores | None = None


class Comparer:
    """Compares two rows metric by metric; the two read last are kept, as their other metrics mostly come next."""

    def __init__(self, confidence: float) -> None:
        self.confidence = confidence
        self._open = lru_cache(maxsize=2)(open_runs)

    def __call__(self, first: Runs, second: Runs, metric: str, label: str) -> PairedTest:
        """First less second: DeLong's test for AUROC, the paired bootstrap for all other metrics."""
        ours, theirs = self._open(first.files), self._open(second.files)
        if reason := ours.items.why_not_those_of(theirs.items):
            return not_compared(reason)
        if metric == "auroc" and ours.scores and theirs.scores:
            chosen = ours.scores.columns(label)
            return compare_aurocs(
                ours.scores.labels_NL[:, chosen],
                ours.scores.scores_SNL[:, :, chosen],
                theirs.scores.scores_SNL[:, :, chosen],
                ours.scores.patient_of_image_N,
                self.confidence,
                [ours.scores.label_names[place] for place in chosen],
            )
        difference = float(first.values_S.mean() - second.values_S.mean())
        first_R, second_R = (runs.replicates_SR.mean(axis=0) for runs in (first, second))
        return compare_replicates(difference, first_R, second_R, self.confidence)


def open_runs(files: tuple[str, ...]) -> Opened:
    """Read the predictions of all runs of a row; :class:`InputError` where they are not of the same test items."""
    opened = [_open_run(Path(file)) for file in files]
    first = opened[0]
    for file, one in zip(files[1:], opened[1:], strict=True):
        if reason := first.items.why_not_those_of(one.items):
            raise InputError(f"{file}: not like {files[0]}, another run of the same cell: {reason}; predict both again")
    scores_SNL = [one.scores.scores_SNL for one in opened if one.scores]
    return replace(first, scores=first.scores and replace(first.scores, scores_SNL=np.concatenate(scores_SNL)))


def _open_run(path: Path) -> Opened:
    resampling = _resampling(path.with_name("metrics.json"))
    if holds_measurements(path):
        read = read_measurements(path)
        patients, labels = (dict(zip(read.item_ids, one, strict=True)) for one in (read.patient_ids, read.labels))
        return Opened(Items(patients, labels, resampling))
    test = read_predictions(path).part("test").sorted()
    _, patient_of_image_N = np.unique(np.asarray(test.patient_ids, dtype=str), return_inverse=True)
    # The names besides the values: two rows may have been scored on other labels.
    names = repr(test.label_names).encode()
    labels_N = (names + row.tobytes() for row in test.labels_NL)
    items = Items(
        dict(zip(test.image_ids, test.patient_ids, strict=True)),
        dict(zip(test.image_ids, labels_N, strict=True)),
        resampling,
    )
    scores = Scores(test.label_names, test.label_sets, patient_of_image_N, test.labels_NL, test.scores_NL[None])
    return Opened(items, scores)


def _resampling(path: Path) -> tuple[int, int]:
    """Seed and number of the resamples that a run was scored with."""
    content = read_json(path)
    try:
        return int(content["seed"]), int(content["num_replicates"])
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{path}: no seed and number of resamples; delete it and score again") from None
