"""SIIM-ACR Pneumothorax Segmentation 2019.

12,047 frontal DICOM images of 1024x1024 in 12,954 rows; label Pneumothorax (2,669 images positive, with run-length
masks); no official parts. Taken from NIH ChestX-ray14, but no public file says which image is which: patients are not
known, and each image counts as one. Kaggle competition rules, non-commercial. Known noise: an image may have several
rows, and a split by row puts one image on both sides.
"""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import pandas as pd

from maskray.config.dataset import DatasetConfig
from maskray.data.boxes import refuse_bad_runs
from maskray.data.index import build_index, wanted_labels
from maskray.data.site import Site, files_under, left_out, report_unlisted, require, site_folder
from maskray.data.tables import Table, read_table
from maskray.errors import InputError

LABELS = ("Pneumothorax",)
GRID_PX = 1024
TABLES = ["train-rle.csv", "stage_2_train.csv"]
IMAGE_FOLDERS = ("dicom-images-train", "dicom-images-test", "stage_2_images")


def read_index(site: Site, dataset: DatasetConfig) -> pd.DataFrame:
    """One row per image; ``rle`` lists its masks, which are OR-ed, column-major and relative on the 1024 grid."""
    folder = site_folder(site, dataset)
    labels = wanted_labels(dataset, LABELS)
    path = require(folder, TABLES, "SIIM's run-length masks", dataset)
    table = read_table(path, ["ImageId", "EncodedPixels"])
    table.refuse_blank("ImageId", "EncodedPixels")
    masks = _masks(table)
    rows = pd.DataFrame({"image_id": masks.index, "patient_id": masks.index}, index=masks.index)
    rows["rle"] = masks.map(lambda runs: json.dumps(runs) if runs else "")

    files = _files(folder, dataset)
    report_unlisted(files, masks.index, path, dataset)
    rows["path"] = rows["image_id"].map(files)
    rows = left_out(rows, rows["path"].notna(), folder, dataset)
    rows["study_id"] = rows["path"].map(_study)
    is_positive = rows["rle"] != ""
    return build_index(rows, pd.DataFrame(dict.fromkeys(labels, is_positive)), dataset)


def _masks(table: Table) -> pd.Series:
    """Image -> its run strings, sorted; an empty list where the row says -1."""
    is_negative = table["EncodedPixels"] == "-1"
    runs = table["EncodedPixels"].str.replace(r"\s+", " ", regex=True)
    positive = Table(table.path, table.rows.assign(EncodedPixels=runs)[~is_negative])
    refuse_bad_runs(positive, "EncodedPixels", GRID_PX)
    is_mixed = is_negative.groupby(table["ImageId"]).transform("nunique") > 1
    table.refuse(is_mixed, "EncodedPixels", "this image has rows with -1 and rows with a mask")
    masks: dict[str, set[str]] = {image: set() for image in sorted(table["ImageId"].unique())}
    for image, run in zip(positive["ImageId"], positive["EncodedPixels"], strict=True):
        masks[image].add(run)
    return pd.Series({image: sorted(runs) for image, runs in masks.items()}, dtype="object")


def _files(folder: Path, dataset: DatasetConfig) -> dict[str, str]:
    """Image -> path below the site folder."""
    require(folder, IMAGE_FOLDERS, "SIIM's DICOM images", dataset)
    files: dict[str, str] = {}
    for name in IMAGE_FOLDERS:
        for path in files_under(folder, [".dcm"], folder / name):
            image = PurePosixPath(path).stem
            if image in files:
                raise InputError(f"{folder / path}: this image lies in {folder / files[image]} too; delete one")
            files[image] = path
    return files


def _study(path: str) -> str:
    """The study's own number where the owners' folders are kept, else the image."""
    parts = PurePosixPath(path).parts
    return parts[-3] if len(parts) == 4 else PurePosixPath(path).stem
