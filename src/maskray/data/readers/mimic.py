"""MIMIC-CXR-JPG 2.0.0 / 2.1.0 with the reports of MIMIC-CXR 2.0.0 / 2.1.0.

377,110 images of 65,379 patients and 227,835 studies; the 14 CheXpert labels by the CheXpert labeller (1, 0, -1
uncertain, blank), per study; official train / validate / test by patient. Credentialed access, PhysioNet Credentialed
Health Data Licence 1.5.0. Known noise: labels are text-mined; a few studies have none.
Johnson et al., Scientific Data 2019, doi:10.1038/s41597-019-0322-0.
"""

from __future__ import annotations

import logging
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from maskray.config.dataset import DatasetConfig
from maskray.data.index import apply_policies, build_index, wanted_labels
from maskray.data.readers.chexpert import LABELS
from maskray.data.site import Site, examples, require, rows_with_files, site_folder
from maskray.data.tables import Table, read_table
from maskray.errors import InputError

PARTS = {"train": "train", "validate": "validation", "test": "test"}
REPORT_NAME = re.compile(r"(?:^|/)(s\d+)\.txt$")
MAX_REPORT_BYTES = 1_000_000  # The longest real report has a few thousand characters.

log = logging.getLogger(__name__)


def read_index(site: Site, dataset: DatasetConfig) -> pd.DataFrame:
    """One row per row of the metadata table, with the study's labels and the image's official part."""
    folder = site_folder(site, dataset)
    labels = wanted_labels(dataset, LABELS)
    rows = read_films(site, dataset)
    parts = _read(folder, "split", "official parts", ["dicom_id", "split"], dataset)
    parts.refuse_repeats("dicom_id")
    parts.refuse(~parts["split"].isin(list(PARTS)), "split", f"expected one of {', '.join(PARTS)}")
    findings = _read(folder, "chexpert", "labels", ["study_id", *labels], dataset)
    findings.refuse_blank("study_id")
    findings.refuse_repeats("study_id")
    codes = apply_policies(findings.label_codes(labels), dataset).set_axis("s" + findings["study_id"], axis=0)

    part_of = parts["split"].map(PARTS).set_axis(parts["dicom_id"])
    rows["official_part"] = part_of.reindex(rows["image_id"]).fillna("").to_numpy()
    rows = rows_with_files(rows, folder, dataset)
    # A study without a row has no labels at all, whatever the policy for blank cells.
    of_images = codes.reindex(rows["study_id"]).set_axis(rows.index, axis=0)
    return build_index(rows, of_images, dataset)


def read_films(site: Site, dataset: DatasetConfig) -> pd.DataFrame:
    """image_id, patient_id, study_id, path and view of each row of the metadata table, with or without a file."""
    images = _read(
        site_folder(site, dataset), "metadata", "views", ["dicom_id", "subject_id", "study_id", "ViewPosition"], dataset
    )
    images.refuse_blank("dicom_id", "subject_id", "study_id")
    images.refuse_repeats("dicom_id")
    for column in ("subject_id", "study_id"):
        images.refuse(~images[column].str.fullmatch(r"\d+"), column, "expected digits only")
    patient, study = "p" + images["subject_id"], "s" + images["study_id"]
    return pd.DataFrame(
        {
            "image_id": images["dicom_id"],
            "patient_id": patient,
            "study_id": study,
            "path": "files/" + patient.str[:3] + "/" + patient + "/" + study + "/" + images["dicom_id"] + ".jpg",
            "view": images["ViewPosition"].str.upper(),
        }
    )


def borrow_films(site: Site, dataset: DatasetConfig) -> pd.DataFrame:
    """The films for a data set that adds to them (``images_of``), with ``person`` and ``same_as``."""
    owner = dataset.images_of
    if owner is None:
        raise InputError(f"{dataset.name}: images_of is not set: the data set that has MIMIC-CXR's films, mimic")
    films = read_films(site, dataset)
    return films.assign(person=f"{owner}/" + films["patient_id"], same_as=f"{owner}/" + films["image_id"])


def report_unknown(named: pd.Series, films: pd.Series, table: Path, dataset: DatasetConfig) -> None:
    """Log how many of the ids that ``table`` names are not among those of the ``films``; all of them: InputError."""
    names = set(named)
    if unknown := sorted(names - set(films)):
        said = f"{len(unknown)} of {len(names)} ids of {table} are not in MIMIC-CXR's metadata table"
        if len(unknown) == len(names):
            raise InputError(f"{said}: is {dataset.images_of}'s folder a whole copy of MIMIC-CXR-JPG?")
        log.warning("%s: %s and are left out, e.g. %s", dataset.name, said, examples(unknown))


def _read(folder: Path, name: str, what: str, columns: list[str], dataset: DatasetConfig) -> Table:
    names = [f"mimic-cxr-2.0.0-{name}.csv.gz", f"mimic-cxr-2.0.0-{name}.csv"]
    return read_table(require(folder, names, f"MIMIC-CXR-JPG's table of {what}", dataset), columns)


def read_reports(site: Site, dataset: DatasetConfig) -> Iterator[tuple[str, str]]:
    """Yield ("s50000001", text) in the order of the file names, from ``mimic-cxr-reports.zip`` or the unpacked tree.

    They are looked for in the reports folder, and beside the images where none is given.
    """
    folder = site_folder(site, dataset, "folder" if site.get("reports") is None else "reports")
    source = require(
        folder,
        ["mimic-cxr-reports.zip", "mimic-cxr-reports", "files"],
        "the reports of MIMIC-CXR (they come with MIMIC-CXR, not with MIMIC-CXR-JPG)",
        dataset,
    )
    has_reports = False
    for report in _from_folder(source) if source.is_dir() else _from_zip(source):
        has_reports = True
        yield report
    if not has_reports:
        raise InputError(f"{source}: no report (s<digits>.txt) inside. {dataset.title}: {dataset.access}")


def _from_folder(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("s*.txt")):
        if found := REPORT_NAME.search(path.as_posix()):
            yield found[1], path.read_text(encoding="utf-8", errors="replace")


def _from_zip(path: Path) -> Iterator[tuple[str, str]]:
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in sorted(archive.infolist(), key=lambda entry: entry.filename):
                found = REPORT_NAME.search(entry.filename)
                if found is None:
                    continue
                if entry.file_size > MAX_REPORT_BYTES:
                    raise InputError(f"{path}: {entry.filename} declares {entry.file_size} bytes: not a report")
                yield found[1], archive.read(entry).decode("utf-8", errors="replace")
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:  # RuntimeError: encrypted
        raise InputError(f"{path}: damaged, locked or not a zip file ({error}); fetch it again") from None
