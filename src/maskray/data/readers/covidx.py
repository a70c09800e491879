"""COVIDx CXR: chest films gathered from some ten public collections, to tell COVID-19 from other pneumonia and health.

Version CXR-3 (the papers'): two classes, 29,986 training images of 16,648 patients and 400 test images; three classes,
29,634 and 400. PNG and JPEG, frontal and some lateral or abdominal films. The licences are those of the sources. Known
noise: source and class go together (RSNA's films are never positive), so that a model may learn the source. Films of
RSNA's and of covid-chestxray's are in it: ``same_as`` names them.
Pavlova et al., Frontiers in Medicine 2022, doi:10.3389/fmed.2022.861680.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from maskray.config.dataset import DatasetConfig
from maskray.data.index import build_index, wanted_labels
from maskray.data.site import Site, report_unlisted, require, rows_with_files, site_folder
from maskray.data.tables import Table, read_list
from maskray.errors import InputError

LABELS = ("Normal", "Pneumonia", "COVID-19")
TWO_CLASSES = ["COVID-19"]
# File names may hold spaces: one word stands before them, two after.
ROW = r"^(?P<patient>\S+)\s+(?P<filename>\S|\S.*\S)\s+(?P<class>\S+)\s+(?P<source>\S+)$"
HEADER_WORDS = {"patientid", "patient", "filename", "image", "class", "label", "source"}
NEGATIVE = "negative"
CLASSES = {"normal": "Normal", "pneumonia": "Pneumonia", "covid-19": "COVID-19", "positive": "COVID-19"}
# The training lists of version 9 spell RSNA in both ways.
SOURCES = {"rnsa": "rsna"}
FILMS_OF = "covidx"
FOLDERS = {"train": "train", "validation": "val", "test": "test"}

log = logging.getLogger(__name__)


class _List(Table):
    """A list without a header: the first record is the first line."""

    def line_of(self, record: int) -> int:
        return record + 1


def read_index(site: Site, dataset: DatasetConfig) -> pd.DataFrame:
    """One row per image of the lists, which are those of two or of three classes, as the labels ask."""
    folder = site_folder(site, dataset)
    labels = wanted_labels(dataset, LABELS)
    is_binary = labels == TWO_CLASSES
    paths = _lists(folder, is_binary, dataset)
    log.info("%s: reading %s", dataset.name, ", ".join(path.name for path in paths.values()))
    tables = {part: _read_list(path, part, is_binary) for part, path in paths.items()}
    _refuse_shared_films(tables.values())
    for part, table in tables.items():
        found = [file.name for file in (folder / FOLDERS[part]).glob("[!.]*")]
        report_unlisted(found, table["filename"], table.path, dataset)

    listed = pd.concat([table.rows for table in tables.values()], ignore_index=True)
    kept = rows_with_files(_rows(listed, dataset), folder, dataset)
    codes = pd.DataFrame({label: listed["class"] == label for label in labels})
    return build_index(kept, codes.loc[kept.index], dataset)


def _lists(folder: Path, is_binary: bool, dataset: DatasetConfig) -> dict[str, Path]:
    """Part -> its list: the owners' pair for the number of classes, else the lists of the copies on Kaggle."""
    letter, what = ("B", "COVIDx's lists of two classes") if is_binary else ("A", "COVIDx's lists of three classes")
    pairs = sorted(folder.glob(f"train_COVIDx*{letter}.txt"))
    if len(pairs) > 1:
        raise InputError(
            f"{folder}: lists of several versions: {', '.join(path.name for path in pairs)}; keep one pair"
        )
    if pairs:
        return {"train": pairs[0], "test": require(folder, [pairs[0].name.replace("train", "test", 1)], what, dataset)}
    require(folder, [f"train_COVIDx9{letter}.txt", "train.txt"], what, dataset)
    require(folder, ["test.txt"], what, dataset)
    lists = {part: folder / f"{name}.txt" for part, name in FOLDERS.items()}
    return {part: path for part, path in lists.items() if path.exists()}


def _read_list(path: Path, part: str, is_binary: bool) -> Table:
    """Columns patient, filename, class (one of ``LABELS``, or ``NEGATIVE``), source and part."""
    lines = read_list(path)
    if lines.empty:
        raise InputError(f"{path}: no row; fetch it again")
    if len(HEADER_WORDS & set(lines.iloc[0].lower().replace("_", "").replace(",", " ").split())) > 1:
        raise InputError(f"{path}, line 1: a header, which the owners' lists do not have; delete this line")
    table = _List(path, lines.str.extract(ROW))
    table.refuse(table["source"].isna(), "source", "expected patient, file name, class and source, parted by spaces")
    table.refuse_repeats("filename")
    classes, sources = table["class"].str.lower(), table["source"].str.lower()
    table.refuse(~classes.isin([*CLASSES, NEGATIVE]), "class", f"expected {NEGATIVE}, {', '.join(CLASSES)}")
    if not is_binary:
        table.refuse(classes == NEGATIVE, "class", "this is a list of two classes; three are in train_COVIDx9A.txt")
    rows = table.rows.assign(source=sources.replace(SOURCES), part=part)
    rows["class"] = classes.map({**CLASSES, NEGATIVE: NEGATIVE})
    return _List(path, rows)


def _refuse_shared_films(tables: Iterable[Table]) -> None:
    seen: dict[str, Path] = {}
    for table in tables:
        for name in table["filename"]:
            if name in seen:
                table.refuse(table["filename"] == name, "filename", f"this film stands in {seen[name].name} too")
        seen |= dict.fromkeys(table["filename"], table.path)


def _rows(listed: pd.DataFrame, dataset: DatasetConfig) -> pd.DataFrame:
    """The text columns; whom and what the films are in the data sets that they come from.

    Numbers of patients are the sources' own, so that two sources may use one number.
    """
    rows = pd.DataFrame({"image_id": listed["filename"], "study_id": listed["filename"]})
    rows["patient_id"] = listed["source"] + "-" + listed["patient"]
    rows["path"] = listed["part"].map(FOLDERS) + "/" + listed["filename"]
    rows["official_part"] = listed["part"]
    is_cohen, is_rsna = listed["source"] == "cohen", listed["source"] == "rsna"
    # The films are the same whether two or three classes are told apart.
    ours = f"{FILMS_OF}/" + listed["filename"] if dataset.name != FILMS_OF else ""
    rows["same_as"] = pd.Series(ours, index=rows.index, dtype="str")
    rows.loc[is_rsna, "same_as"] = "rsna/" + listed["filename"].str.rsplit(".", n=1).str[0]
    rows.loc[is_cohen, "same_as"] = "covid_chestxray/" + listed["filename"]
    rows["person"] = f"{FILMS_OF}/" + rows["patient_id"]
    rows.loc[is_cohen, "person"] = "covid_chestxray/" + listed["patient"]
    return rows
