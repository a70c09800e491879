"""COVID-19 Image Data Collection (ieee8023/covid-chestxray-dataset): open films with case notes.

About 950 images; the frontal X-rays (PA, AP, AP Supine) are kept. Labels from ``finding``, either a path such as
"Pneumonia/Viral/COVID-19" or the older plain names ("COVID-19, ARDS", "Streptococcus"):

- COVID-19: 1 where it is named, 0 for any other stated finding.
- Pneumonia: 1 for any infectious or lipoid pneumonia, COVID-19 among them; 0 for No Finding and Tuberculosis.
- No Finding: 1 where that is the finding, 0 for any other stated finding.

ARDS alone says nothing of pneumonia, and ``todo`` or ``Unknown`` nothing at all: NaN, whatever the policies. The
column supports no other label of a benchmark (pneumothorax is not in it). Licence per image. Known noise: images come
from publications; nearly all show pneumonia; the notes are case descriptions, not dictated reports.
Cohen et al. 2020, arXiv:2006.11988.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pandas as pd

from maskray.config.dataset import DatasetConfig
from maskray.data.index import build_index, wanted_labels
from maskray.data.site import Site, report_unlisted, require, rows_with_files, site_folder
from maskray.data.tables import Table, read_table

LABELS = ("COVID-19", "Pneumonia", "No Finding")
VIEWS = {"PA": "PA", "AP": "AP", "AP Supine": "AP"}
NOT_STATED = {"", "todo", "unknown"}
NO_PNEUMONIA = {"no finding", "tuberculosis"}
PNEUMONIAS = {
    "pneumonia", "viral", "bacterial", "fungal", "lipoid", "aspiration", "covid-19", "sars", "mers-cov", "varicella",
    "influenza", "h1n1", "herpes", "streptococcus", "klebsiella", "legionella", "chlamydophila", "mycoplasma", "e.coli",
    "staphylococcus", "mrsa", "nocardia", "pneumocystis", "aspergillosis",
}  # fmt: skip
SILENT_ON_PNEUMONIA = {"ards"}
COLUMNS = [
    "patientid",
    "offset",
    "finding",
    "view",
    "modality",
    "filename",
    "clinical_notes",
]

log = logging.getLogger(__name__)


def read_index(site: Site, dataset: DatasetConfig) -> pd.DataFrame:
    """One row per frontal X-ray. Images of one patient, day and note are one study, named after its first image."""
    folder = site_folder(site, dataset)
    labels = wanted_labels(dataset, LABELS)
    table = _frontal_films(site, dataset)
    films = table.rows
    rows = pd.DataFrame({"image_id": films["filename"], "patient_id": films["patientid"]})
    rows["study_id"] = _studies(table)
    rows["path"] = "images/" + films["filename"]
    rows["view"] = films["view"].map(VIEWS)
    rows = rows_with_files(rows, folder, dataset)
    return build_index(rows, _findings(table).loc[rows.index, labels], dataset)


def read_reports(site: Site, dataset: DatasetConfig) -> Iterator[tuple[str, str]]:
    """Yield (study, clinical notes) for the studies of the index that have notes, in the order of their names."""
    table = _frontal_films(site, dataset)
    notes = table["clinical_notes"].set_axis(_studies(table))
    yield from notes[notes != ""].groupby(level=0).first().items()


def _frontal_films(site: Site, dataset: DatasetConfig) -> Table:
    folder = site_folder(site, dataset)
    path = require(folder, ["metadata.csv"], "the collection's table, one row per image", dataset)
    table = read_table(path, COLUMNS)
    table.refuse_blank("patientid", "filename")
    table.refuse_repeats("filename")
    if (folder / "images").is_dir():
        report_unlisted(
            [file.name for file in (folder / "images").iterdir() if not file.name.startswith(".")],
            table["filename"], path, dataset,
        )  # fmt: skip
    is_frontal = (table["modality"] == "X-ray") & table["view"].isin(list(VIEWS))
    log.info("%s: %d of %d rows are frontal X-rays", dataset.name, is_frontal.sum(), len(table.rows))
    return table.where(is_frontal)


def _studies(table: Table) -> pd.Series:
    of_study = [table["patientid"], table["offset"], table["clinical_notes"]]
    return table["filename"].groupby(of_study).transform("min")


def _findings(table: Table) -> pd.DataFrame:
    """The labels of each distinct cell, by the names in it."""
    cells = {cell: _labels_of(cell) for cell in table["finding"].unique()}
    return pd.DataFrame([cells[cell] for cell in table["finding"]], index=table.rows.index, columns=list(LABELS))


def _labels_of(cell: str) -> tuple[float, float, float]:
    """COVID-19, Pneumonia and No Finding of one cell: 1, 0 or NaN."""
    names = {name.strip().lower() for name in cell.replace("/", ",").split(",")} - NOT_STATED
    nothing = float("nan")
    if not names:
        return nothing, nothing, nothing
    covid = float("covid-19" in names)
    no_finding = float(names == {"no finding"})
    if names & PNEUMONIAS:
        return covid, 1.0, no_finding
    if names <= NO_PNEUMONIA:
        return covid, 0.0, no_finding
    if not names <= SILENT_ON_PNEUMONIA:
        log.warning("covid_chestxray: finding %r is new to maskray: its Pneumonia is not stated", cell)
    return covid, nothing, no_finding
