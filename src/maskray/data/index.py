"""The common index: one row per image, whatever the data set.

Columns: ``TEXT_COLUMNS``, then one float32 column ``label_<Label>`` per label: 1, 0, or NaN (not stated or ignored).
``boxes`` is JSON, a list of {label, x, y, w, h, grid_w, grid_h} (and ``phrase`` where a sentence is grounded); ``rle``
is JSON, a list of run strings; ``mask`` is the path of a mask picture; all "" where the data set states none. Paths are
relative to the site folder. ``person`` names the patient across data sets, "<data set>/<patient>" in the numbering of
the data set that the films come from; ``same_as`` is the film of another data set, "<data set>/<image>", of which this
one is a copy, "" where none is known. Rows are sorted by image_id.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from maskray.config.dataset import DatasetConfig
from maskray.errors import InputError
from maskray.files import written_whole

TEXT_COLUMNS = (
    "image_id",
    "patient_id",
    "study_id",
    "path",
    "view",
    "dataset",
    "official_part",
    "boxes",
    "rle",
    "mask",
    "person",
    "same_as",
)
FRONTAL_VIEWS = ("PA", "AP", "FRONTAL")

log = logging.getLogger(__name__)


def label_column(label: str) -> str:
    """The index column of a label."""
    return f"label_{label}"


def labels_in(index: pd.DataFrame) -> list[str]:
    """The labels of an index, in its order."""
    prefix = label_column("")
    return [column.removeprefix(prefix) for column in index.columns if column.startswith(prefix)]


def wanted_labels(dataset: DatasetConfig, known: Sequence[str]) -> list[str]:
    """The labels of ``dataset``, which must be among those that its files have; where it names none, all of them."""
    unknown = [label for label in (*dataset.labels, *dataset.scored) if label not in known]
    if unknown:
        raise InputError(f"{dataset.name}: unknown label(s) {', '.join(unknown)}; there are {', '.join(known)}")
    return list(dataset.labels or known)


def apply_policies(codes: pd.DataFrame, dataset: DatasetConfig) -> pd.DataFrame:
    """Map label codes 1, 0, -1 (uncertain) and NaN (not stated) to 1, 0 and NaN, as the settings say."""
    uncertain = {"positive": 1.0, "negative": 0.0, "ignore": float("nan")}[dataset.uncertain]
    not_stated = {"negative": 0.0, "ignore": float("nan")}[dataset.not_stated]
    return codes.where(codes.notna(), not_stated).where(codes != -1, uncertain).astype("float32")


def build_index(rows: pd.DataFrame, labels: pd.DataFrame, dataset: DatasetConfig) -> pd.DataFrame:
    """Put together what a reader found: ``rows`` has the text columns that the data set states, ``labels`` 1, 0, NaN.

    Raises InputError where there is no row, an id is empty, an image stands there twice, or a path leaves the folder.
    """
    if rows.empty:
        raise InputError(f"{dataset.name}: no image is left. {dataset.title}: {dataset.access}")
    index = rows.assign(dataset=dataset.name)
    for column in TEXT_COLUMNS:
        index[column] = index[column].astype("str") if column in index else ""
    index["person"] = index["person"].where(index["person"] != "", f"{dataset.name}/" + index["patient_id"])
    for column in ("image_id", "patient_id", "study_id", "path"):
        if (index[column] == "").any():
            raise InputError(f"{dataset.name}: {column} is empty in {(index[column] == '').sum()} row(s)")
    for column in ("path", "mask"):
        leaves = index[column].str.startswith("/") | index[column].str.contains(r"(?:^|/)\.\.(?:/|$)")
        if leaves.any():
            raise InputError(f"{dataset.name}: {column} {index.loc[leaves, column].min()} leads out of the site folder")
    repeated = index.loc[index["image_id"].duplicated(), "image_id"]
    if len(repeated):
        raise InputError(f"{dataset.name}: image {repeated.min()} stands there twice")
    index = index[list(TEXT_COLUMNS)].join(labels.astype("float32").rename(columns=label_column))
    index = index.sort_values("image_id", ignore_index=True)
    _report_completeness(index, dataset)
    return index


def write_index(index: pd.DataFrame, path: Path) -> None:
    """Write the index as parquet; equal indexes give equal bytes."""
    with written_whole(path) as partial:
        index.to_parquet(partial, index=False)


def load_index(path: Path) -> pd.DataFrame:
    """Read an index; :class:`InputError` where the file is missing, damaged or not an index."""
    try:
        index = pd.read_parquet(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable index ({error}); delete it and run again") from None
    missing = [column for column in TEXT_COLUMNS if column not in index]
    if missing:
        raise InputError(f"{path}: no column {', '.join(missing)}; delete it and run again")
    return index


def _report_completeness(index: pd.DataFrame, dataset: DatasetConfig) -> None:
    """A partial copy is said, not refused and not guessed."""
    found = {
        "images": len(index),
        "patients": index["patient_id"].nunique(),
        "studies": index["study_id"].nunique(),
    }
    log.info("%s: %s", dataset.name, ", ".join(f"{count} {name}" for name, count in found.items()))
    if dataset.expected is None or dataset.made:
        return
    for name, count in found.items():
        expected = getattr(dataset.expected, name)
        if expected is not None and count < expected:
            log.warning("%s: %d %s; a complete copy has %d", dataset.name, count, name, expected)
