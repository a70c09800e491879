"""From a file of predictions or of measurements to ``metrics.json`` and ``bootstrap.npz``; needs no torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from maskray.config.stages import ScoreStage
from maskray.errors import InputError
from maskray.evaluation.measurements import holds_measurements, read_measurements
from maskray.evaluation.predictions import Predictions, read_predictions
from maskray.files import write_json, written_whole
from maskray.metrics.classes import score_classes
from maskray.metrics.means import score_means
from maskray.metrics.rows import Score
from maskray.metrics.score import Part, score


def score_file(predictions: str | Path, settings: ScoreStage, metrics: str | Path, bootstrap: str | Path) -> None:
    """Score one run by the kind of its file. ``bootstrap`` holds float32 [replicates] arrays ``<metric>/<label>``.

    Equal predictions and settings give equal bytes. Raises InputError where there is nothing of the test part.
    """
    result = (_score_measurements if holds_measurements(predictions) else _score_predictions)(predictions, settings)
    with written_whole(bootstrap) as partial:
        np.savez(partial, **result.replicates)  # type: ignore[arg-type]
    write_json(metrics, result.metrics)


def _score_predictions(path: str | Path, settings: ScoreStage) -> Score:
    read = read_predictions(path)
    test = read.part("test")
    if not test.image_ids:
        raise InputError(f"{path}: no image of the test part; run the benchmark again")
    scorer = score_classes if read.exclusive else score
    parts = _part(read.part("validation")), _part(test)
    result = scorer(read.label_names, *parts, label_sets=read.label_sets, **settings.model_dump())
    sets = {name: list(labels) for name, labels in read.label_sets.items()}
    return Score(result.metrics | {"label_sets": sets}, result.replicates) if sets else result


def _score_measurements(path: str | Path, settings: ScoreStage) -> Score:
    read = read_measurements(path)
    return score_means(read.patient_ids, read.labels, read.values, settings=read.settings, **settings.model_dump())


def _part(predictions: Predictions) -> Part:
    return Part(predictions.patient_ids, predictions.labels_NL, predictions.scores_NL)
