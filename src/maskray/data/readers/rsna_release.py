"""RSNA's own release of the Pneumonia Detection Challenge 2018: labels of the 3,000 stage 2 test images.

The file is an export of the annotation tool MD.ai: label groups, one of them, "Calculated", the final reading that the
challenge used (Normal, No Lung Opacity / Not Normal, Lung Opacity with its boxes), and annotations by SOPInstanceUID.
29,684 images have such a label: the 26,684 that Kaggle labels, and the 3,000. The mappings file leads from the UID to
Kaggle's name. rsna.org, RSNA Pneumonia Detection Challenge 2018.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from maskray.data.boxes import boxes_by_image
from maskray.data.tables import Table
from maskray.errors import InputError
from maskray.files import read_json

ANNOTATIONS = "pneumonia-challenge-annotations-adjudicated-kaggle_2018.json"
TEST_FOLDER = "stage_2_test_images"
FINAL_GROUP = "Calculated"
POSITIVE = "Lung Opacity"
BOX = ["x", "y", "width", "height"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Annotations(Table):
    """Final annotations as text cells: image, label, x, y, width, height."""

    def place_of(self, record: int) -> str:
        """Counted from 1, in the order of the file."""
        return f"annotation {record + 1}"


def read_test_rows(folder: Path, mappings: Iterable[Mapping[str, Any]] | None, grid_px: int) -> pd.DataFrame | None:
    """image_id, path, official_part, is_positive and boxes of every image that the release labels.

    None where the release, the test images or the mappings are not there. The images that Kaggle labels are among them.
    """
    path = folder / ANNOTATIONS
    if not path.exists():
        return None
    if mappings is None or not (folder / TEST_FOLDER).is_dir():
        log.warning("rsna: %s is not used: it needs the mappings file and %s", path, folder / TEST_FOLDER)
        return None
    names = {entry.get("SOPInstanceUID"): entry.get("subset_img_id") for entry in mappings}
    table = _annotations(path, names)
    is_positive = (table["label"] == POSITIVE).groupby(table["image"])
    table.refuse(is_positive.transform("nunique") > 1, "label", f"this image has {POSITIVE} and another final label")
    positive = table.where(table["label"] == POSITIVE)
    boxes = boxes_by_image(positive, "image", pd.Series("Pneumonia", index=positive.rows.index), BOX, grid_px)
    is_positive_of = is_positive.first().sort_index()
    rows = pd.DataFrame({"image_id": is_positive_of.index, "is_positive": is_positive_of, "official_part": "test"})
    rows["path"] = f"{TEST_FOLDER}/" + rows["image_id"] + ".dcm"
    rows["boxes"] = boxes.reindex(rows.index).fillna("")
    return rows.reset_index(drop=True)


def _annotations(path: Path, names: Mapping[Any, Any]) -> Annotations:
    try:
        export = read_json(path)
        groups = {group["name"].strip(): group["labels"] for group in export["labelGroups"]}
        final = {label["id"]: label["name"].strip() for label in groups[FINAL_GROUP]}
        found = {
            number: [names[entry["SOPInstanceUID"]], final[entry["labelId"]]]
            + [str((entry.get("data") or {}).get(key, "")) for key in BOX]
            for number, entry in enumerate(entry for part in export["datasets"] for entry in part["annotations"])
            if entry["labelId"] in final and names.get(entry.get("SOPInstanceUID"))
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: not RSNA's export of annotations ({type(error).__name__}: {error})") from None
    if not found:
        raise InputError(f"{path}: no final label of an image that the mappings file names; are both unchanged?")
    return Annotations(path, pd.DataFrame.from_dict(found, orient="index", columns=["image", "label", *BOX]))
