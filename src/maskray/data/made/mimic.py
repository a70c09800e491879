"""The layout of MIMIC-CXR-JPG 2.0.0, with the reports of MIMIC-CXR in the sub-folder ``reports``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from maskray.data.made import formats
from maskray.data.made.frontal import paint_frontal
from maskray.data.made.labels import CHEXPERT_LABELS
from maskray.data.made.lateral import paint_lateral
from maskray.data.made.reports import UNCERTAIN, Report, write_report
from maskray.data.made.studies import Study

_METADATA = (
    "dicom_id",
    "subject_id",
    "study_id",
    "PerformedProcedureStepDescription",
    "ViewPosition",
    "Rows",
    "Columns",
    "StudyDate",
    "StudyTime",
    "ProcedureCodeSequence_CodeMeaning",
    "ViewCodeSequence_CodeMeaning",
    "PatientOrientationCodeSequence_CodeMeaning",
)
_VIEW_MEANING = {"PA": "postero-anterior", "AP": "antero-posterior", "LATERAL": "lateral"}
# Multiplying modulo a prime scatters consecutive numbers over the official range without repeating one.
_PRIME = 9_999_991


def subject_of(study: Study) -> int:
    """Eight digits, from 10000000 to 19999990; one per patient."""
    return 10_000_000 + (study.patient + 1) * 3_819_661 % _PRIME


def study_id_of(study: Study) -> int:
    """Eight digits, from 50000000 to 59999990; one per study."""
    return 50_000_000 + (study.number + 1) * 6_180_339 % _PRIME


def dicom_id_of(study: Study, view: str) -> str:
    """Forty hexadecimal digits in five groups; one per film."""
    return formats.hyphenated(formats.digest(study, view) + formats.digest(study, "id"), (8, 8, 8, 8, 8))


def place_of(study: Study) -> str:
    """The patient's folder, in which the films of the study have a folder and its report a file."""
    subject = subject_of(study)
    return f"files/p{str(subject)[:2]}/p{subject}"


def film_of(study: Study, view: str) -> str:
    """Path of a film."""
    return f"{place_of(study)}/s{study_id_of(study)}/{dicom_id_of(study, view)}.jpg"


def write_mimic(folder: Path, studies: Iterable[Study], image_px: int) -> None:
    """Films, the four gzipped tables, and ``reports/mimic-cxr-reports.zip``.

    The label tables say what the *reports* say (1, 0, -1 or blank), as the official ones do; what a report leaves out
    is blank although it is painted.
    """
    splits: list[list[object]] = []
    metadata: list[list[object]] = []
    chexpert: list[list[object]] = []
    negbio: list[list[object]] = []
    texts: dict[str, str] = {}
    for study in studies:
        subject, study_id = subject_of(study), study_id_of(study)
        part = {9: "validate", 19: "test"}.get(study.patient % 20, "train")
        films = {study.view: paint_frontal(study, image_px).pixels}
        if study.has_lateral:
            films["LATERAL"] = paint_lateral(study, image_px)
        for view, pixels in films.items():
            dicom_id = dicom_id_of(study, view)
            formats.write_jpeg(folder / film_of(study, view), pixels)
            splits.append([dicom_id, study_id, subject, part])
            metadata.append(_metadata_row(study, dicom_id, subject, study_id, view, image_px))
        report = write_report(study)
        texts[f"{place_of(study)}/s{study_id}.txt"] = report.text
        chexpert.append([subject, study_id, *_codes(report)])
        negbio.append([subject, study_id, *_codes(report, is_negbio=True)])
    _write(folder, "split", ("dicom_id", "study_id", "subject_id", "split"), splits)
    _write(folder, "metadata", _METADATA, metadata)
    _write(folder, "chexpert", ("subject_id", "study_id", *sorted(CHEXPERT_LABELS)), chexpert)
    _write(folder, "negbio", ("subject_id", "study_id", *sorted(CHEXPERT_LABELS)), negbio)
    formats.write_zip(folder / "reports" / "mimic-cxr-reports.zip", texts)


def _write(folder: Path, name: str, header: tuple[str, ...], rows: list[list[object]]) -> None:
    formats.write_gzip(folder / f"mimic-cxr-2.0.0-{name}.csv.gz", formats.table(header, rows))


def _codes(report: Report, is_negbio: bool = False) -> list[str]:
    codes = report.chexpert_codes()
    if is_negbio:
        # The two labellers differ most in what they call uncertain: NegBio reads suspicion as presence.
        suspected = {
            label
            for statement in report.statements
            if "suspicious" in statement.text
            for label, code in statement.codes.items()
            if code == UNCERTAIN
        }
        codes |= dict.fromkeys(suspected, 1)
    return [f"{codes[label]:.1f}" if label in codes else "" for label in sorted(CHEXPERT_LABELS)]


def _metadata_row(study: Study, dicom_id: str, subject: int, study_id: int, view: str, image_px: int) -> list[object]:
    rng = study.rng("date")
    years = study.person_rng().integers(2110, 2200) + study.visit
    date = f"{years}{rng.integers(1, 13):02d}{rng.integers(1, 29):02d}"
    time = f"{rng.integers(0, 24):02d}{rng.integers(0, 60):02d}{rng.integers(0, 60):02d}.{rng.integers(0, 1000):03d}"
    procedure = (
        "CHEST (PORTABLE AP)" if study.view == "AP" else "CHEST (PA AND LAT)" if study.has_lateral else "CHEST (PA)"
    )
    lies = "Recumbent" if study.view == "AP" else "Erect"
    size = (image_px, image_px)
    meaning = _VIEW_MEANING[view]
    return [dicom_id, subject, study_id, procedure, view, *size, date, time, procedure, meaning, lies]
