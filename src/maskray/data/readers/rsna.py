"""RSNA Pneumonia Detection Challenge 2018, stage 2.

26,684 frontal DICOM images of 1024x1024, taken from NIH ChestX-ray14; label Pneumonia (6,012 positive), 9,555 boxes by
radiologists: official part train. The 3,000 test images have no labels on Kaggle; RSNA's own release of 2018 has them
(:mod:`maskray.data.readers.rsna_release`), and with it they are official part test. Kaggle competition rules,
non-commercial. Known noise: "patientId" is per image; the mappings file leads to the NIH image and so to the true
patient, who may have images in both parts.
Shih et al., Radiology: AI 2019, doi:10.1148/ryai.2019180041.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pandas as pd

from maskray.config.dataset import DatasetConfig
from maskray.data.boxes import boxes_by_image
from maskray.data.index import build_index, wanted_labels
from maskray.data.readers.rsna_release import read_test_rows
from maskray.data.site import Site, report_unlisted, require, rows_with_files, site_folder
from maskray.data.tables import Table, read_table
from maskray.errors import InputError
from maskray.files import read_json

LABELS = ("Pneumonia",)
GRID_PX = 1024
IMAGE_FOLDER = "stage_2_train_images"
MAPPINGS = "pneumonia-challenge-dataset-mappings_2018.json"
BOX = ["x", "y", "width", "height"]
NIH_NAME = re.compile(r"\d{8}_\d{3}\.png")
NIH_FILM = r"nih/(\d{8})_"

log = logging.getLogger(__name__)


def read_index(site: Site, dataset: DatasetConfig) -> pd.DataFrame:
    """One row per image; boxes of one image are joined. The test images are there where their labels are."""
    folder = site_folder(site, dataset)
    labels = wanted_labels(dataset, LABELS)
    path = require(folder, ["stage_2_train_labels.csv"], "RSNA's labels and boxes", dataset)
    require(folder, [IMAGE_FOLDER], "RSNA's DICOM images", dataset)
    mappings = _mappings(folder)
    parts = [_train_rows(path)]
    if (test := read_test_rows(folder, mappings, GRID_PX)) is not None:
        parts.append(test[~test["image_id"].isin(parts[0]["image_id"])])
    rows = pd.concat(parts, ignore_index=True)
    rows["same_as"] = _nih_films(folder, mappings, rows["image_id"])
    nih_patient = rows["same_as"].str.extract(NIH_FILM, expand=False)
    rows["patient_id"] = nih_patient.fillna(rows["image_id"])
    # NIH's own table writes patient 13 as 13.
    rows["person"] = ("nih/" + nih_patient.str.lstrip("0")).fillna("")
    rows["study_id"] = rows["image_id"]
    kept = rows_with_files(rows, folder, dataset)
    files = [file.stem for file in (folder / IMAGE_FOLDER).glob("*.dcm")]
    report_unlisted(files, rows["image_id"], path, dataset)
    return build_index(kept, pd.DataFrame(dict.fromkeys(labels, kept["is_positive"])), dataset)


def _train_rows(path: Path) -> pd.DataFrame:
    """image_id, path, official_part, is_positive, boxes of the images that Kaggle labels."""
    table = read_table(path, ["patientId", *BOX, "Target"])
    table.refuse_blank("patientId")
    table.refuse(~table["Target"].isin(["0", "1"]), "Target", "expected 0 or 1")
    targets = table["Target"].groupby(table["patientId"])
    is_mixed = targets.transform("nunique") > 1
    table.refuse(is_mixed, "Target", "this image has rows with Target 0 and with Target 1")
    is_positive = (targets.first() == "1").sort_index()
    rows = pd.DataFrame({"image_id": is_positive.index, "is_positive": is_positive, "official_part": "train"})
    rows["path"] = f"{IMAGE_FOLDER}/" + rows["image_id"] + ".dcm"
    rows["boxes"] = _boxes(table).reindex(rows.index).fillna("")
    return rows.reset_index(drop=True)


def _boxes(table: Table) -> pd.Series:
    positive = table.where(table["Target"] == "1")
    label = pd.Series("Pneumonia", index=positive.rows.index)
    return boxes_by_image(positive, "patientId", label, BOX, GRID_PX)


def _mappings(folder: Path) -> list[dict[str, object]] | None:
    """The entries of the mappings file; None where it is not there."""
    path = folder / MAPPINGS
    if not path.exists():
        log.warning(
            "rsna: %s is not there: each image counts as a patient, and two images of one patient may be parted", path
        )
        return None
    entries = read_json(path)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(f"{path}: expected a list of objects with subset_img_id and img_id")
    return entries


def _nih_films(folder: Path, mappings: list[dict[str, object]] | None, images: pd.Series) -> pd.Series:
    """ "nih/<file>", the NIH film that each image is; "" where that is not known."""
    if mappings is None:
        return pd.Series("", index=images.index)
    nih_of: dict[str, str] = {}
    for entry in mappings:
        texts = [text for text in entry.values() if isinstance(text, str)]
        for nih in filter(NIH_NAME.fullmatch, texts):
            nih_of |= dict.fromkeys(texts, f"nih/{nih}")
    num_unknown = sum(image not in nih_of for image in images)
    if num_unknown:
        log.warning(
            "rsna: %d of %d images are not in %s: each counts as a patient",
            num_unknown, len(images), folder / MAPPINGS,
        )  # fmt: skip
    return images.map(lambda image: nih_of.get(image, ""))
