"""From a predictions file to ``metrics.json`` and ``bootstrap.npz``; needs no torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from maskray.config.stages import ScoreStage
from maskray.errors import InputError
from maskray.evaluation.predictions import Predictions, read_predictions
from maskray.files import write_json, written_whole
from maskray.metrics.score import Part, score


def score_file(predictions: str | Path, settings: ScoreStage, metrics: str | Path, bootstrap: str | Path) -> None:
    """Score one run. ``bootstrap`` holds float32 [replicates] arrays named ``<metric>/<label>``.

    Equal predictions and settings give equal bytes. Raises InputError where there is no test image.
    """
    read = read_predictions(predictions)
    test = read.part("test")
    if not test.image_ids:
        raise InputError(f"{predictions}: no image of the test part; run the benchmark again")
    result = score(
        read.label_names,
        _part(read.part("validation")),
        _part(test),
        num_replicates=settings.num_replicates,
        confidence=settings.confidence,
        seed=settings.seed,
    )
    with written_whole(bootstrap) as partial:
        np.savez(partial, **result.replicates)  # type: ignore[arg-type]
    write_json(metrics, result.metrics)


def _part(predictions: Predictions) -> Part:
    return Part(predictions.patient_ids, predictions.labels_NL, predictions.scores_NL)
