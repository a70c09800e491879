"""MS-CXR: boxes by radiologists for sentences about MIMIC-CXR's films, 1.0.0 (as in release 0.1) or 1.1.0.

1,162 image-sentence pairs of 851 patients, 8 categories. ``MS_CXR_Local_Alignment_v<version>.csv`` or the same as json
in COCO form is read: the newest version, and the csv where both are there. Boxes are in pixels of the film as MIMIC-CXR
has it; those of one film and one sentence ground it together (evaluation makes them one mask). A label is 1 where the
film has a box of that category; a category without a box is not stated. The column ``split`` of 1.1.0 is not used: the
data set is for zero-shot testing. PhysioNet Credentialed Health Data Licence 1.5.0. ``boxes`` holds the sentences: they
are report text and never logged. Known noise: a category that is not boxed may be there all the same.
Boecking et al., ECCV 2022, doi:10.1007/978-3-031-20059-5_1.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from maskray.config.dataset import DatasetConfig
from maskray.data.boxes import boxes_by_image
from maskray.data.index import apply_policies, build_index, wanted_labels
from maskray.data.readers.mimic import borrow_films, report_unknown
from maskray.data.site import Site, require, rows_with_files, site_folder
from maskray.data.tables import Table, read_table
from maskray.errors import InputError
from maskray.files import read_json

LABELS = (
    "Atelectasis",
    "Cardiomegaly",
    "Consolidation",
    "Edema",
    "Lung Opacity",
    "Pleural Effusion",
    "Pneumonia",
    "Pneumothorax",
)
VERSIONS = ("1.1.0", "1.0.0")
FILES = [f"MS_CXR_Local_Alignment_v{version}.{form}" for version in VERSIONS for form in ("csv", "json")]
BOX = ["x", "y", "w", "h"]
SIZE = ("image_width", "image_height")
COLUMNS = ["dicom_id", "category_name", "label_text", *BOX, *SIZE]
NUM_PAIRS = 1162

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Annotations(Table):
    """Rows from the json file: errors name the annotation, counted from 1, where a csv file's name the line."""

    def place_of(self, record: int) -> str:
        """Where a record stands, in words."""
        return f"annotation {record + 1}"


def read_index(site: Site, dataset: DatasetConfig) -> pd.DataFrame:
    """One row per film that has a box."""
    labels = wanted_labels(dataset, LABELS)
    table = _read(site_folder(site, dataset, "annotations"), dataset)
    table.refuse_blank("dicom_id", "category_name", "label_text")
    table.refuse(~table["category_name"].isin(list(LABELS)), "category_name", f"expected one of {', '.join(LABELS)}")
    boxes = boxes_by_image(table, "dicom_id", table["category_name"], BOX, SIZE, phrase="label_text")
    num_pairs = len(table.rows[["dicom_id", "label_text"]].drop_duplicates())
    log.info("%s: %d image-sentence pairs (the owners count %d)", dataset.name, num_pairs, NUM_PAIRS)

    films = borrow_films(site, dataset)
    report_unknown(table["dicom_id"], films["image_id"], table.path, dataset)
    rows = films[films["image_id"].isin(boxes.index)]
    rows = rows.assign(boxes=rows["image_id"].map(boxes))
    rows = rows_with_files(rows, site_folder(site, dataset), dataset)
    codes = pd.crosstab(table["dicom_id"], table["category_name"]).clip(upper=1).reindex(columns=labels)
    codes = codes.reindex(rows["image_id"]).set_axis(rows.index, axis=0)
    return build_index(rows, apply_policies(codes.where(codes == 1), dataset), dataset)


def _read(folder: Path, dataset: DatasetConfig) -> Table:
    """The table of boxes; says so where the other form of the same version has another number of them."""
    path = require(folder, FILES, "MS-CXR's boxes", dataset)
    table = _read_json(path) if path.suffix == ".json" else read_table(path, COLUMNS)
    other = path.with_suffix(".json")
    if path.suffix == ".csv" and other.exists():
        counts = [(len(t.rows), t["dicom_id"].nunique()) for t in (table, _read_json(other))]
        if counts[0] != counts[1]:
            log.warning(
                "%s: %s has %d boxes on %d images, %s has %d on %d; the first is used",
                dataset.name, path, *counts[0], other.name, *counts[1],
            )  # fmt: skip
    return table


def _read_json(path: Path) -> Annotations:
    """The same columns from the COCO form; what is missing there is an empty cell."""
    content = read_json(path)
    images, categories = _by_id(content, "images", path), _by_id(content, "categories", path)
    annotations = _objects(content, "annotations", path)
    rows = [_cells(entry, images, categories) for entry in annotations]
    return Annotations(path, pd.DataFrame(rows, columns=COLUMNS, dtype="str"))


def _cells(entry: dict[str, Any], images: dict[Any, Any], categories: dict[Any, Any]) -> list[str]:
    image, category = images.get(entry.get("image_id"), {}), categories.get(entry.get("category_id"), {})
    name = PurePosixPath(str(image.get("file_name") or image.get("path") or "")).name.removesuffix(".jpg")
    box = entry.get("bbox")
    box = box if isinstance(box, list) and len(box) == len(BOX) else [""] * len(BOX)
    size = [image.get(key, entry.get(key, "")) for key in ("width", "height")]
    cells = (name, category.get("name", ""), entry.get("label_text", ""), *box, *size)
    return ["" if cell is None else str(cell).strip() for cell in cells]


def _by_id(content: Any, key: str, path: Path) -> dict[Any, Any]:
    return {entry.get("id"): entry for entry in _objects(content, key, path)}


def _objects(content: Any, key: str, path: Path) -> list[dict[str, Any]]:
    entries = content.get(key) if isinstance(content, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(f"{path}: no list of objects {key!r}; is this the owners' file, unchanged?")
    return entries
