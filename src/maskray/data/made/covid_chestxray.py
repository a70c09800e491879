"""The layout of the COVID-19 Image Data Collection: ``metadata.csv`` and ``images/``.

As in the original: findings as a path or as the older plain names, notes for most images only, lateral films and CT
rows between the frontal ones, three formats' names, and a header that ends in a comma.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from maskray.data.made import formats
from maskray.data.made.frontal import paint_frontal
from maskray.data.made.lateral import paint_lateral
from maskray.data.made.reports import write_report
from maskray.data.made.studies import Study
from maskray.files import write_text
from maskray.reports.sections import split_sections

HEADER = (
    "patientid,offset,sex,age,finding,survival,intubated,intubation_present,went_icu,in_icu,needed_supplemental_O2,"
    "extubated,temperature,pO2_saturation,leukocyte_count,neutrophil_count,lymphocyte_count,view,modality,date,location,"
    "folder,filename,doi,url,license,clinical_notes,other_notes,"
)

# What must be painted -> the finding in both spellings; the first that fits.
_FINDINGS = (
    ({"Pneumonia", "Edema"}, ("Pneumonia/Viral/COVID-19", "COVID-19, ARDS")),
    ({"Pneumonia", "Consolidation"}, ("Pneumonia/Bacterial/Streptococcus", "Streptococcus")),
    ({"Pneumonia"}, ("Pneumonia/Viral/COVID-19", "COVID-19")),
    ({"Consolidation"}, ("Pneumonia/Bacterial/Klebsiella", "Klebsiella")),
    ({"Edema"}, ("ARDS", "ARDS")),
    ({"Fibrosis"}, ("Tuberculosis", "Tuberculosis")),
)


def write_covid_chestxray(folder: Path, studies: Iterable[Study], image_px: int) -> None:
    """A row and a film per frontal and lateral view; some patients have a CT row besides, whose volume is not there."""
    columns = HEADER.split(",")
    rows: list[list[object]] = []
    for study in studies:
        known = _known(study)
        name = f"made-{study.number + 1:04d}"
        suffix = (".jpg", ".png", ".jpeg")[study.number % 3]
        view = "AP Supine" if study.view == "AP" and study.number % 2 else study.view
        _write(folder / "images" / f"{name}{suffix}", paint_frontal(study, image_px).pixels)
        films = [{"view": view, "modality": "X-ray", "folder": "images", "filename": name + suffix}]
        if study.has_lateral:
            _write(folder / "images" / f"{name}-side{suffix}", paint_lateral(study, image_px))
            films.append({"view": "L", "modality": "X-ray", "folder": "images", "filename": f"{name}-side{suffix}"})
        if study.number % 10 == 4:
            films.append({"view": "Axial", "modality": "CT", "folder": "volumes", "filename": f"{name}.nii.gz"})
        rows += [[(known | film).get(column, "") for column in columns] for film in films]
    write_text(folder / "metadata.csv", formats.table(columns, rows))


def _known(study: Study) -> dict[str, object]:
    """What all rows of a study say."""
    sections = split_sections(write_report(study).text)
    notes = [sections[name] for name in ("findings", "impression", "last_paragraph") if name in sections]
    return {
        "patientid": study.patient + 1,
        "offset": 3 * study.visit,
        "sex": study.sex,
        "age": study.age,
        "finding": _finding(study),
        "license": "painted by maskray",
        "clinical_notes": "" if study.number % 4 == 3 else "\n".join(notes),
    }


def _finding(study: Study) -> str:
    painted = study.labels() - {"Support Devices"}
    if not painted:
        return "No Finding"
    spellings = next((spellings for needed, spellings in _FINDINGS if needed <= painted), ("todo", "Unknown"))
    return spellings[study.number % 2]


def _write(path: Path, pixels: np.ndarray) -> None:
    (formats.write_png if path.suffix == ".png" else formats.write_jpeg)(path, pixels)
