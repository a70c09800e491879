"""Pulmonary edema severity grades of MIMIC-CXR's films: mimic-cxr-pe-severity 1.0.1, and the list of MICCAI 2020.

Grades 0 none, 1 vascular congestion, 2 interstitial, 3 alveolar edema; the owners use no other value, and any other is
refused. Three tables: 141 films read by four radiologists to a consensus, 485 reports read by experts, 6,710 reports
read by a regular expression. The MICCAI list grades films, spells the column ``edeme_severity``, and has folds, which
are not used. A film takes its grade from the first of consensus, expert, regex, list that speaks of it, the most
trustworthy first; ``official_part`` tells which. A report's grade belongs to all frontal films of its study. Images are
MIMIC-CXR's. PhysioNet, restricted access. Known noise: regex grades are text-mined; the owners recommend the consensus
films for testing, which the papers' random split does not heed.
Horng et al., Radiology: AI 2021, doi:10.1148/ryai.2021190228; Chauhan et al., MICCAI 2020, arXiv:2008.09884.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from maskray.config.dataset import DatasetConfig
from maskray.data.index import FRONTAL_VIEWS, build_index, wanted_labels
from maskray.data.readers.mimic import borrow_films, report_unknown
from maskray.data.site import Site, require, rows_with_files, site_folder
from maskray.data.tables import Table, read_table

LABELS = ("Grade 0", "Grade 1", "Grade 2", "Grade 3")
GRADE = "edema_severity"
SPELLINGS = {"edeme_severity": GRADE}
GRADE_OF = {text: grade for grade in range(len(LABELS)) for text in (f"{grade}", f"{grade}.0")}


@dataclass(frozen=True)
class Source:
    """A table of grades: ``key`` names what is graded, a film (dicom_id) or a report (study_id)."""

    name: str
    files: tuple[str, ...]
    key: str
    num_rows: int | None = None  # in a complete copy; None: not known


SOURCES = (
    Source("consensus_image", ("consensus_image_edema_severity.csv",), "dicom_id", 141),
    Source("expert_report", ("expert_report_edema_severity.csv",), "study_id", 485),
    Source("regex_report", ("regex_report_edema_severity.csv",), "study_id", 6710),
    Source(
        "miccai2020",
        ("mimic-cxr-sub-img-edema-split-manualtest.csv", "mimic-cxr-sub-img-edema-split-allLabeledCXR.csv"),
        "dicom_id",
    ),
)
"""The first that grades a film decides."""

log = logging.getLogger(__name__)


def read_index(site: Site, dataset: DatasetConfig) -> pd.DataFrame:
    """One row per graded film; exactly one of its labels is 1."""
    labels = wanted_labels(dataset, LABELS)
    tables = _tables(site_folder(site, dataset, "annotations"), dataset)
    films = borrow_films(site, dataset)
    grades, sources = pd.Series(float("nan"), index=films.index), pd.Series("", index=films.index)
    for source, table in tables:
        found = _grades_of_films(table, source, films, dataset)
        is_new = grades.isna() & found.notna()
        grades, sources = grades.where(~is_new, found), sources.where(~is_new, source.name)
        log.info("%s: %d films take their grade from %s", dataset.name, is_new.sum(), table.path.name)
    rows = films.assign(official_part=sources)[grades.notna()]
    rows = rows_with_files(rows, site_folder(site, dataset), dataset)
    one_hot = pd.DataFrame({label: grades == LABELS.index(label) for label in labels}, index=films.index)
    return build_index(rows, one_hot.loc[rows.index], dataset)


def _tables(folder: Path, dataset: DatasetConfig) -> list[tuple[Source, Table]]:
    """The tables that are there; none at all is an InputError, a missing or partial one is said."""
    tables = []
    for source in SOURCES:
        path = next((folder / file for file in source.files if (folder / file).exists()), None)
        if path is not None:
            tables.append((source, _read(path, source)))
            num_rows = len(tables[-1][1].rows)
            if source.num_rows not in (None, num_rows) and not dataset.made:
                log.warning("%s: %s has %d rows; a complete one has %d", dataset.name, path, num_rows, source.num_rows)
        elif source.num_rows is not None:
            log.warning("%s: %s is not there: no grades from it", dataset.name, folder / source.files[0])
    if not tables:
        require(folder, ["regex_report_edema_severity.csv"], "the owners' tables of grades", dataset)
    return tables


def _read(path: Path, source: Source) -> Table:
    table = read_table(path, ["subject_id", source.key, GRADE], SPELLINGS)
    table.refuse_blank("subject_id", source.key)
    table.refuse(~table[GRADE].isin(list(GRADE_OF)), GRADE, "expected a grade from 0 to 3")
    of_key = table[GRADE].map(GRADE_OF).groupby(table[source.key])
    table.refuse(of_key.transform("nunique") > 1, GRADE, f"this {source.key} has two different grades")
    return table


def _grades_of_films(table: Table, source: Source, films: pd.DataFrame, dataset: DatasetConfig) -> pd.Series:
    """Grade of each film, float64; NaN where the table does not speak of it."""
    is_report = source.key == "study_id"
    keys = ("s" if is_report else "") + table[source.key]
    column = films["study_id" if is_report else "image_id"]
    patient_of = films["patient_id"].set_axis(column)
    patients = keys.map(patient_of[~patient_of.index.duplicated()])
    is_other = patients.notna() & (patients != "p" + table["subject_id"])
    table.refuse(is_other, "subject_id", "MIMIC-CXR's metadata table has this under another patient")
    report_unknown(keys, column, table.path, dataset)
    grade_of = table[GRADE].map(GRADE_OF).set_axis(keys)
    found = column.map(grade_of[~grade_of.index.duplicated()]).astype("float64")
    return found.where(films["view"].isin(FRONTAL_VIEWS)) if is_report else found
