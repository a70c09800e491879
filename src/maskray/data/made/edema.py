"""The layout of mimic-cxr-pe-severity: grades of the made MIMIC-CXR's films and reports; no film of its own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from maskray.data.made import formats
from maskray.data.made.mimic import dicom_id_of, study_id_of, subject_of
from maskray.data.made.reports import ABSENT, PRESENT, write_report
from maskray.data.made.studies import Study
from maskray.files import write_text

_HEADER = ("subject_id", "study_id", "edema_severity")
_ERROR_SHARE = 0.1
_KEPT_WITHOUT = 0.4


def write_edema(folder: Path, studies: Iterable[Study], image_px: int) -> None:
    """The three tables of grades, 0 to 3 as painted.

    A regular expression grades the reports that affirm or deny edema, and errs by one grade now and then; experts read
    the reports of some patients, and a consensus grades the frontal films of others. As in the original, whose patients
    have heart failure, edema is commoner than among all films: most films without are not in it.
    """
    regex: list[list[object]] = []
    expert: list[list[object]] = []
    consensus: list[list[object]] = []
    for study in studies:
        ids, grade = [subject_of(study), study_id_of(study)], grade_of(study)
        if not grade and study.rng("cohort").random() >= _KEPT_WITHOUT:
            continue
        stated = write_report(study).chexpert_codes().get("Edema")
        if stated in (PRESENT, ABSENT):
            regex.append([*ids, _misread(grade, study)])
        if study.patient % 10 in (3, 6):
            expert.append([*ids, grade])
        if study.patient % 10 in (6, 8):
            consensus.append([*ids, dicom_id_of(study, study.view), grade])
    write_text(folder / "regex_report_edema_severity.csv", formats.table(_HEADER, regex))
    write_text(folder / "expert_report_edema_severity.csv", formats.table(_HEADER, expert))
    header = (*_HEADER[:2], "dicom_id", _HEADER[2])
    write_text(folder / "consensus_image_edema_severity.csv", formats.table(header, consensus))


def grade_of(study: Study) -> int:
    """The painted grade; 0 where no edema is painted."""
    return max((finding.grade for finding in study.findings if finding.label == "Edema"), default=0)


def _misread(grade: int, study: Study) -> int:
    """An edema's neighbouring grade, in some studies; what is denied is read rightly."""
    errs = bool(grade) and study.rng("regex").random() < _ERROR_SHARE
    return {1: 2, 2: 3, 3: 2}[grade] if errs else grade
