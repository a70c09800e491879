"""CheXpert 1.0, full or small: chest radiographs of Stanford Hospital.

224,316 images of 65,240 patients (counting train, validation and test); 14 labels (1, 0, -1 uncertain, blank = not
mentioned), five of them scored; official parts by patient: validation 234 images of 200 studies, test 500 studies.
Stanford research use agreement. Known noise: training labels are text-mined; the other parts are read by radiologists.
Irvin et al., AAAI 2019, doi:10.1609/aaai.v33i01.3301590.
"""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd

from maskray.config.dataset import DatasetConfig
from maskray.data.index import apply_policies, build_index, wanted_labels
from maskray.data.site import Site, require, rows_with_files, site_folder
from maskray.data.tables import Table, read_table
from maskray.errors import InputError

LABELS = (
    "No Finding",
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Opacity",
    "Lung Lesion",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    "Support Devices",
)
FOLDERS = ("CheXpert-v1.0", "CheXpert-v1.0-small")
PATH_PATTERN = r"^(?:CheXpert-v1\.0(?:-small)?/)?(?P<rest>.*/(?P<patient>patient\d+)/(?P<study>study\d+)/[^/]+)$"

log = logging.getLogger(__name__)


def read_index(site: Site, dataset: DatasetConfig) -> pd.DataFrame:
    """One row per row of ``train.csv`` and ``valid.csv``, and of ``test_labels.csv`` where it is there."""
    folder = site_folder(site, dataset)
    labels = wanted_labels(dataset, LABELS)
    top = _top(folder)
    train = require(top, ["train.csv"], "CheXpert's training list", dataset)
    valid = require(top, ["valid.csv"], "CheXpert's validation list", dataset)
    parts = [_read_list(train, "train", labels, dataset), _read_list(valid, "validation", labels, dataset)]
    if (test := _test_list(top)) is not None:
        parts.append(_read_test_list(test, labels, dataset))
    rows = pd.concat([rows for rows, _ in parts], ignore_index=True)
    codes = pd.concat([codes for _, codes in parts], ignore_index=True)
    rows["path"] = "" if top == folder else f"{top.name}/"
    rows["path"] += rows["image_id"]
    kept = rows_with_files(rows, folder, dataset)
    return build_index(kept, codes.loc[kept.index], dataset)


def _top(folder: Path) -> Path:
    """The folder that holds ``train.csv``: the site folder itself, or the official folder inside it."""
    for top in (folder, *(folder / name for name in FOLDERS)):
        if (top / "train.csv").exists():
            return top
    return folder


def _test_list(top: Path) -> Path | None:
    for name in ("test_labels.csv", "test.csv"):
        if (top / name).exists():
            return top / name
    if (top / "groundtruth.csv").exists():
        log.warning("%s: lists studies, not images, and is not used; test_labels.csv is", top / "groundtruth.csv")
    return None


def _read_list(path: Path, part: str, labels: list[str], dataset: DatasetConfig) -> tuple[pd.DataFrame, pd.DataFrame]:
    table = read_table(path, ["Path", "Frontal/Lateral", "AP/PA", *labels])
    plane = table["Frontal/Lateral"]
    table.refuse(~plane.isin(["Frontal", "Lateral"]), "Frontal/Lateral", "expected Frontal or Lateral")
    view = table["AP/PA"].where(table["AP/PA"].isin(["AP", "PA"]), "FRONTAL").where(plane == "Frontal", "LATERAL")
    return _rows(table, part, view), apply_policies(table.label_codes(labels), dataset)


def _read_test_list(path: Path, labels: list[str], dataset: DatasetConfig) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The test list came later and without the columns of age and view: the file's name tells the plane."""
    table = read_table(path, ["Path", *labels])
    view = table["Path"].str.contains("lateral").map({True: "LATERAL", False: "FRONTAL"})
    return _rows(table, "test", view), apply_policies(table.label_codes(labels), dataset)


def _rows(table: Table, part: str, view: pd.Series) -> pd.DataFrame:
    names = table["Path"].str.extract(PATH_PATTERN)
    table.refuse(names["rest"].isna(), "Path", "expected …/patient<n>/study<n>/<image>")
    table.refuse(names["rest"].duplicated(), "Path", "this image stands in an earlier row too")
    if names.empty:
        raise InputError(f"{table.path}: no row")
    return pd.DataFrame(
        {
            "image_id": names["rest"],
            "patient_id": names["patient"],
            "study_id": names["patient"] + "/" + names["study"],
            "view": view,
            "official_part": part,
        }
    )
