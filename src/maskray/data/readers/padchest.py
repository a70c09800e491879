"""PadChest: chest radiographs of Hospital San Juan, Alicante, 2009 to 2017.

160,861 16-bit PNG images of 67,625 patients (the paper counts 160,868), six projections; 193 labels: 174 findings and
19 diagnoses. Physicians labelled 27 % of the reports, a network the others. The owners give no parts: here the
physician-labelled images are "test", and other images of the same patients are of no part, so that no test patient
is trained on. Research use, on request. Known noise: some 20 broken files; the network's labels; names in
several cases and with spaces; "unchanged" says only that nothing is new.
Bustos et al., Medical Image Analysis 2020, doi:10.1016/j.media.2020.101797.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from maskray.config.dataset import DatasetConfig
from maskray.data.index import apply_policies, build_index, wanted_labels
from maskray.data.label_sets import by_frequency
from maskray.data.site import Site, files_under, left_out, report_unlisted, require, site_folder
from maskray.data.tables import Table, column_names, read_table
from maskray.errors import InputError
from maskray.reports.vocabulary import FINDINGS

LABELS = ()  # No list is official: all that the table names.
TABLE = "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv"
COLUMNS = ["ImageID", "PatientID", "Projection", "Labels"]
OPTIONAL = ["ImageDir", "StudyID", "MethodLabel"]
VIEWS = {"AP_HORIZONTAL": "AP", "L": "LATERAL", "LL": "LATERAL", "UNK": "", "EXCLUDE": ""}
PHYSICIAN, NETWORK = "physician", "rnn_model"
# A report that names nothing else says nothing about what is on the film.
SILENT = {"exclude", "suboptimal study", "unchanged"}
NO_LIST = {"", "nan", "none"}
_ITEM = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|nan|None"""
ITEM, LIST = re.compile(_ITEM), re.compile(rf"\[\s*(?:(?:{_ITEM})\s*(?:,\s*(?:{_ITEM})\s*)*,?\s*)?\]")
QUOTED = re.compile(r"\\(.)")

log = logging.getLogger(__name__)


def read_index(site: Site, dataset: DatasetConfig) -> pd.DataFrame:
    """One row per image that has both a row and a file; the others are logged and left out."""
    folder = site_folder(site, dataset)
    path = require(folder, [TABLE, f"{TABLE}.gz"], "PadChest's table, one row per image", dataset)
    present = set(column_names(path))
    table = read_table(path, [*COLUMNS, *(name for name in OPTIONAL if name in present)])
    table.refuse_blank("ImageID", "PatientID")
    table.refuse_repeats("ImageID")
    rows = pd.DataFrame({"image_id": table["ImageID"], "patient_id": table["PatientID"]})
    studies = _optional(table, "StudyID")
    rows["study_id"] = studies.where(studies != "", rows["image_id"])
    views = table["Projection"].str.upper()
    rows["view"] = views.map(VIEWS).fillna(views)
    rows["official_part"] = _parts(table)
    rows["path"] = _paths(table, folder, dataset)

    cells, names_of = _label_lists(table)
    is_by_physician = rows["official_part"] == "test"
    counted = cells[is_by_physician] if is_by_physician.any() else cells
    labels = wanted_labels(dataset, _names_by_frequency(counted, names_of))
    rows = left_out(rows, rows["path"].notna(), folder, dataset)
    return build_index(rows, apply_policies(_stated(cells[rows.index], names_of, labels), dataset), dataset)


def _optional(table: Table, column: str) -> pd.Series:
    return table[column] if column in table.rows else pd.Series("", index=table.rows.index)


def _parts(table: Table) -> pd.Series:
    """ "test" for physician-labelled images, "train" for those of patients who have none, "" for all others."""
    methods = _optional(table, "MethodLabel").str.lower()
    table.refuse(~methods.isin([PHYSICIAN, NETWORK, *NO_LIST]), "MethodLabel", "expected Physician or RNN_model")
    is_unknown = methods.isin(NO_LIST)
    if is_unknown.any():
        log.warning(
            "padchest: %s: no MethodLabel for %d of %d images: they are of no official part",
            table.path, is_unknown.sum(), len(methods),
        )  # fmt: skip
    is_test = methods == PHYSICIAN
    has_test = is_test.groupby(table["PatientID"]).transform("any")
    return pd.Series(np.select([is_test, ~has_test & ~is_unknown], ["test", "train"], ""), index=methods.index)


def _paths(table: Table, folder: Path, dataset: DatasetConfig) -> pd.Series:
    """Path of each image: in the folder that ImageDir names, else where its one file lies; None where there is none."""
    files = files_under(folder, [".png"], folder)
    places: dict[str, list[str]] = {}
    for path in files:
        places.setdefault(PurePosixPath(path).name, []).append(path)
    report_unlisted(places, table["ImageID"], table.path, dataset)
    directories = _optional(table, "ImageDir")
    official = (directories + "/" + table["ImageID"]).where(directories != "", table["ImageID"])
    there = set(files)
    return pd.Series(
        [
            path if path in there else _only(folder, places.get(image, []))
            for path, image in zip(official, table["ImageID"], strict=True)
        ],
        index=official.index,
        dtype="object",
    )


def _only(folder: Path, paths: Sequence[str]) -> str | None:
    if len(paths) > 1:
        raise InputError(f"{folder / paths[1]}: this image lies in {folder / paths[0]} too; delete one")
    return paths[0] if paths else None


def _label_lists(table: Table) -> tuple[pd.Series, list[set[str]]]:
    """The number of each image's cell among the distinct cells, and the names in each of these."""
    numbers, cells = pd.factorize(table["Labels"])
    names_of = []
    for number, cell in enumerate(cells):
        if cell.lower() not in NO_LIST and not LIST.fullmatch(cell):
            is_bad = pd.Series(numbers == number, index=table.rows.index)
            table.refuse(is_bad, "Labels", "expected a list of names such as ['nodule', 'scoliosis']")
        names_of.append(_names(cell))
    return pd.Series(numbers, index=table.rows.index), names_of


def _names(cell: str) -> set[str]:
    """ "['Nodule ', 'nodule', '']" -> {"nodule"}: one spelling, whatever the case and the spaces."""
    items = [QUOTED.sub(r"\1", item[1:-1]) for item in ITEM.findall(cell) if item[0] in "'\""]
    return {" ".join(item.lower().split()) for item in items} - NO_LIST


def _names_by_frequency(cells: pd.Series, names_of: list[set[str]]) -> list[str]:
    """All names of the table, by how many of ``cells`` name them; then those that the vocabulary spells for PadChest.

    The latter have columns even in a copy of few rows, so that settings may score them.
    """
    spelt = [finding.labels["padchest"] for finding in FINDINGS.values() if "padchest" in finding.labels]
    counts = Counter(dict.fromkeys([*spelt, *(name for names in names_of for name in names)], 0))
    for number, count in cells.value_counts().items():
        counts.update(dict.fromkeys(names_of[number], count))
    return by_frequency(counts)


def _stated(cells: pd.Series, names_of: list[set[str]], labels: list[str]) -> pd.DataFrame:
    """1 where the cell names the label, else 0, or NaN where the report says nothing about findings."""
    codes_CL = np.zeros((len(names_of), len(labels)), dtype="float32")
    column_of = {label: column for column, label in enumerate(labels)}
    for codes_L, names in zip(codes_CL, names_of, strict=True):
        if names <= SILENT:
            codes_L[:] = np.nan
        codes_L[[column_of[name] for name in names if name in column_of]] = 1
    return pd.DataFrame(codes_CL[cells], index=cells.index, columns=labels)
