"""The layout of COVID rural: films, and masks of the painted opacities for most of those that have some."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from maskray.data.made import formats
from maskray.data.made.frontal import paint_frontal
from maskray.data.made.labels import OPACITIES_OF_PNEUMONIA
from maskray.data.made.studies import Study
from maskray.files import write_text

_MASKED_SHARE = 0.9
_HEADER = (
    "PATIENT_ID,AGE,SEX,RACE,ZIP,LATEST_BMI,LATEST WEIGHT,LATEST_HEIGHT_inches,TUBERCULOSIS,"
    "SYSTEMIC LUPUS ERYTHMATOSUS,RHEUMATOID ARTHRITIS,EXTENSIVE BURNS,ASPLENIA,HYPOSPLENIA,MEASLES,CYTOMEGALOVIRUS,"
    "CHICKEN POX,HERPES ZOSTER,MALNUTRITION,CURRENT PREGNANT,CHRONIC KIDNEY DISEASE,DIABETES TYPE I,"
    "DIABETES TYPE II,TRANSPLANT,HEMODIALYSIS Pre Diagnosis,HEMODIALYSIS Post diagnosis,CANCER,COVID TEST POSITIVE,"
    "TEST NAME,ICU Admit,# ICU admits,MORTALITY"
)


def write_covid_rural(folder: Path, studies: Iterable[Study], image_px: int) -> None:
    """covid_rural_annot with jpgs, pngs_masks (0 and 1) and the table of patients."""
    top, columns = folder / "covid_rural_annot", _HEADER.split(",")
    patients: dict[str, list[object]] = {}
    for study in studies:
        # The real ones begin with 164: these are nobody's numbers.
        patient = f"COVID-19-AR-{99_000_000 + study.patient}"
        film, name = paint_frontal(study, image_px), f"{patient}_{_day(study):%m-%d-%Y}-XR"
        formats.write_jpeg(top / "jpgs" / f"{name}.jpg", film.pixels)
        mask = film.mask(OPACITIES_OF_PNEUMONIA)
        if mask.any() and study.rng("mask").random() < _MASKED_SHARE:
            formats.write_png(top / "pngs_masks" / f"{name}.png", mask.astype(np.uint8))
        known = {"PATIENT_ID": patient, "AGE": study.age, "SEX": study.sex, "COVID TEST POSITIVE": 1}
        patients.setdefault(patient, [known.get(column, "") for column in columns])
    write_text(top / "covid_rural_patient_info.csv", formats.table(columns, patients.values()))


def _day(study: Study) -> date:
    """The days of a patient's visits rise by at least one."""
    first = int(study.person_rng().integers(60))
    return date(2011, 12, 20) + timedelta(days=first + 5 * study.visit + int(study.rng("day").integers(5)))
