"""NIH ChestX-ray14.

112,120 frontal PNG images of 30,805 patients; 14 findings, 984 boxes on the 1024 grid; official lists by patient
(86,524 train and validation, 25,596 test). No restrictions on use; credit the NIH Clinical Center. Known noise: labels
are text-mined, with an estimated accuracy above 90 % by the owners and lower by later readers.
Wang et al., CVPR 2017, doi:10.1109/CVPR.2017.369.
"""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd

from maskray.config.dataset import DatasetConfig
from maskray.data.boxes import boxes_by_image
from maskray.data.index import build_index, wanted_labels
from maskray.data.site import Site, files_under, left_out, report_unlisted, require, site_folder
from maskray.data.tables import Table, read_columns, read_list, read_table
from maskray.errors import InputError

LABELS = (
    "Atelectasis",
    "Cardiomegaly",
    "Effusion",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pneumonia",
    "Pneumothorax",
    "Consolidation",
    "Edema",
    "Emphysema",
    "Fibrosis",
    "Pleural_Thickening",
    "Hernia",
)
NO_FINDING = "No Finding"
TABLES = ["Data_Entry_2017_v2020.csv", "Data_Entry_2017.csv"]
LISTS = {"train": "train_val_list.txt", "test": "test_list.txt"}
BOXES = "BBox_List_2017.csv"
BOX_SPELLINGS = {"Infiltrate": "Infiltration"}
GRID_PX = 1024

log = logging.getLogger(__name__)


def read_index(site: Site, dataset: DatasetConfig) -> pd.DataFrame:
    """One row per image that has both a row and a file; the others are logged and left out."""
    folder = site_folder(site, dataset)
    labels = wanted_labels(dataset, LABELS)
    path = require(folder, TABLES, "NIH's table of findings, one row per image", dataset)
    table = read_table(path, ["Image Index", "Finding Labels", "Patient ID", "View Position"])
    table.refuse_blank("Image Index", "Finding Labels", "Patient ID")
    table.refuse_repeats("Image Index")
    findings = _findings(table)
    files = _files(folder, dataset)
    report_unlisted(files, table["Image Index"], path, dataset)

    rows = pd.DataFrame({"image_id": table["Image Index"], "patient_id": table["Patient ID"]})
    # Follow-up numbers count the visits, one image each; the image's name is the study's too.
    rows["study_id"] = rows["image_id"]
    rows["path"] = rows["image_id"].map(files)
    rows["view"] = table["View Position"].str.upper()
    parts, boxes = _official_parts(folder), _boxes(folder)
    rows["official_part"] = [parts.get(image, "") for image in rows["image_id"]]
    rows["boxes"] = [boxes.get(image, "") for image in rows["image_id"]]
    rows = left_out(rows, rows["path"].notna(), folder, dataset)
    return build_index(rows, findings.loc[rows.index, labels], dataset)


def _findings(table: Table) -> pd.DataFrame:
    """1 where the cell names the finding, else 0: the owners state all fourteen for every image."""
    cells = table["Finding Labels"]
    names_in = {cell: {name.strip() for name in cell.split("|")} for cell in cells.unique()}
    for cell, names in names_in.items():
        if unknown := sorted(names - {*LABELS, NO_FINDING}):
            table.refuse(cells == cell, "Finding Labels", f"unknown finding {unknown[0]!r}")
        if NO_FINDING in names and len(names) > 1:
            table.refuse(cells == cell, "Finding Labels", f"{NO_FINDING!r} beside a finding")
    return pd.DataFrame(
        {label: cells.map({cell: label in names for cell, names in names_in.items()}) for label in LABELS}
    )


def _files(folder: Path, dataset: DatasetConfig) -> dict[str, str]:
    """Image -> path: all in ``images/``, or in ``images_001/images/`` to ``images_012/images/`` as they are packed."""
    starts = sorted(start for start in folder.glob("images*") if start.is_dir())
    if not starts:
        require(folder, ["images"], "NIH's PNG images", dataset)
    files: dict[str, str] = {}
    for start in starts:
        for path in files_under(folder, [".png"], start):
            image = path.rsplit("/", 1)[-1]
            if image in files:
                raise InputError(f"{folder / path}: this image lies in {folder / files[image]} too; delete one")
            files[image] = path
    return files


def _official_parts(folder: Path) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part, name in LISTS.items():
        if not (folder / name).exists():
            log.warning("nih: %s is not there: no official part is known for its images", folder / name)
            continue
        listed = read_list(folder / name)
        both = sorted(set(listed) & set(parts))
        if both:
            raise InputError(f"{folder / name}: {both[0]} stands in {LISTS['train']} too ({len(both)} such image(s))")
        parts |= dict.fromkeys(listed, part)
    return parts


def _boxes(folder: Path) -> dict[str, str]:
    path = folder / BOXES
    if not path.exists():
        log.warning("nih: %s is not there: the index has no boxes", path)
        return {}
    table = read_columns(path, ["Image Index", "Finding Label", "x", "y", "w", "h"])
    table.refuse_blank("Image Index")
    labels = table["Finding Label"].replace(BOX_SPELLINGS)
    table.refuse(~labels.isin(list(LABELS)), "Finding Label", "unknown finding")
    return boxes_by_image(table, "Image Index", labels, ["x", "y", "w", "h"], GRID_PX).to_dict()
