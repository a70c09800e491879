"""``predictions.parquet``: what every benchmark writes and scoring reads. The one writer, reader and validator.

Columns: image_id, patient_id, part, then ``label_<L>`` and ``score_<L>`` for each label; rows sorted by part and
image_id. What the labels are to each other stands in the metadata. Shapes: N images, L labels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from maskray.errors import InputError
from maskray.files import written_whole

PARTS = ("test", "validation")
_KEYS = ("image_id", "patient_id", "part")
_NOTES = b"maskray"
_RELATIONS = b"maskray labels"


@dataclass(frozen=True)
class Predictions:
    """Scores of the validation and test images of one run.

    Attributes:
        labels_NL: float32; 1, 0 or NaN (not stated).
        scores_NL: float32; a probability, or a difference of similarities; higher = more likely present.
        notes: what else belongs to these numbers (prompts, chosen learning rate); plain JSON values.
        exclusive: each image shows exactly one of the labels, or none is stated.
        label_sets: set -> its labels, whose scores get a mean of their own.
    """

    label_names: tuple[str, ...]
    image_ids: Sequence[str]
    patient_ids: Sequence[str]
    parts: Sequence[str]
    labels_NL: NDArray[np.float32]
    scores_NL: NDArray[np.float32]
    notes: Mapping[str, Any]
    exclusive: bool = False
    label_sets: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def part(self, name: str) -> Predictions:
        """The rows of one part."""
        rows = np.flatnonzero(np.asarray(self.parts, dtype=str) == name)
        return self._take(rows)

    def sorted(self) -> Predictions:
        """The same rows by part and image_id."""
        rows = sorted(range(len(self.image_ids)), key=lambda i: (self.parts[i], self.image_ids[i]))
        return self._take(np.array(rows, dtype=np.intp))

    def _take(self, rows: NDArray[np.intp]) -> Predictions:
        return replace(
            self,
            image_ids=[self.image_ids[i] for i in rows],
            patient_ids=[self.patient_ids[i] for i in rows],
            parts=[self.parts[i] for i in rows],
            labels_NL=self.labels_NL[rows],
            scores_NL=self.scores_NL[rows],
        )


def write_predictions(path: str | Path, predictions: Predictions) -> None:
    """Write sorted, whole or not at all; equal predictions are equal bytes."""
    _check(path, predictions)
    predictions = predictions.sorted()
    columns: dict[str, Any] = {
        "image_id": pa.array(predictions.image_ids, pa.string()),
        "patient_id": pa.array(predictions.patient_ids, pa.string()),
        "part": pa.array(predictions.parts, pa.string()),
    }
    for prefix, values_NL in (("label", predictions.labels_NL), ("score", predictions.scores_NL)):
        for i, name in enumerate(predictions.label_names):
            columns[f"{prefix}_{name}"] = pa.array(values_NL[:, i].astype(np.float32), pa.float32())
    metadata = {_NOTES: json.dumps(dict(predictions.notes), sort_keys=True, allow_nan=False)}
    sets = {name: list(labels) for name, labels in predictions.label_sets.items()}
    metadata[_RELATIONS] = json.dumps({"exclusive": predictions.exclusive, "label_sets": sets})
    table = pa.table(columns).replace_schema_metadata(metadata)
    with written_whole(path) as partial:
        parquet.write_table(table, partial, compression="zstd")


def read_predictions(path: str | Path) -> Predictions:
    """Read and check; :class:`InputError` names the file and what is wrong in it."""
    try:
        # A single file: no partition columns from folder names such as seed=0.
        table = parquet.ParquetFile(path).read()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; run the benchmark first") from None
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path}: not a readable Parquet file ({type(error).__name__}); make it again") from None
    names = tuple(name.removeprefix("label_") for name in table.column_names if name.startswith("label_"))
    expected = {*_KEYS, *(f"{prefix}_{name}" for prefix in ("label", "score") for name in names)}
    if not names or set(table.column_names) != expected:
        odd = sorted(expected ^ set(table.column_names)) or ["no label_ column"]
        raise InputError(f"{path}: missing or unexpected columns: {', '.join(odd)}; make it again")
    try:
        image_ids, patient_ids, parts = (table[key].cast(pa.string()).to_pylist() for key in _KEYS)
        labels_NL, scores_NL = (_matrix(table, prefix, names) for prefix in ("label", "score"))
        notes, relations = (json.loads((table.schema.metadata or {}).get(key, b"{}")) for key in (_NOTES, _RELATIONS))
    except (pa.ArrowException, ValueError) as error:
        raise InputError(f"{path}: a column has the wrong type ({error}); make it again") from None
    predictions = Predictions(names, image_ids, patient_ids, parts, labels_NL, scores_NL, notes, **relations)
    _check(path, predictions)
    return predictions


def _matrix(table: pa.Table, prefix: str, names: Sequence[str]) -> NDArray[np.float32]:
    """Columns as [N, L]; null reads as NaN."""
    # By way of lists, since to_numpy imports pandas, which takes longer than all of scoring a small test set.
    columns = [table[f"{prefix}_{name}"].cast(pa.float32()).to_pylist() for name in names]
    return np.array(columns, np.float32).reshape(len(names), table.num_rows).T


def _check(path: str | Path, predictions: Predictions) -> None:
    """Refuse what scoring would silently get wrong."""
    ids = predictions.image_ids
    shape = (len(ids), len(predictions.label_names))
    if predictions.labels_NL.shape != shape or predictions.scores_NL.shape != shape:
        raise InputError(f"{path}: labels and scores must both have the shape {shape}")
    if None in ids or None in predictions.patient_ids or len(set(ids)) != len(ids):
        raise InputError(f"{path}: an image_id is missing or stands twice, or a patient_id is missing; make it again")
    if unknown := sorted({str(part) for part in predictions.parts} - set(PARTS)):
        raise InputError(f"{path}: unknown part {unknown[0]!r}; expected {' or '.join(PARTS)}")
    if unknown := sorted(
        {label for names in predictions.label_sets.values() for label in names} - {*predictions.label_names}
    ):
        raise InputError(f"{path}: no score of {unknown[0]}, which a label set names; run the benchmark again")
    labels = predictions.labels_NL
    for problem, is_bad_NL in (
        ("a label that is not 1, 0 or empty", ~(np.isnan(labels) | (labels == 0) | (labels == 1))),
        ("a score that is not a finite number", ~np.isfinite(predictions.scores_NL)),
    ):
        if is_bad_NL.any():
            row, column = np.argwhere(is_bad_NL)[0]
            where = f"image {ids[row]}, {predictions.label_names[column]}"
            raise InputError(f"{path}: {where}: {problem}; {int(is_bad_NL.sum())} in all; run the benchmark again")
    if predictions.exclusive and (is_bad_N := ~np.isnan(labels).all(axis=1) & ~(labels.sum(axis=1) == 1)).any():
        raise InputError(
            f"{path}: image {ids[int(is_bad_N.argmax())]} is not of exactly one class; run the benchmark again"
        )
