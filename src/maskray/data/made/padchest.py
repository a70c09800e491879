"""The layout of PadChest: one table with label lists as text, 16-bit films in numbered folders, Spanish reports."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from maskray.data.made import formats
from maskray.data.made.frontal import paint_frontal
from maskray.data.made.lateral import paint_lateral
from maskray.data.made.studies import Finding, Study
from maskray.files import write_text

_HEADER = (
    "", "ImageID", "ImageDir", "StudyDate_DICOM", "StudyID", "PatientID", "PatientBirth", "PatientSex_DICOM",
    "ViewPosition_DICOM", "Projection", "MethodProjection", "Pediatric", "Modality_DICOM", "Manufacturer_DICOM",
    "PhotometricInterpretation_DICOM", "PixelRepresentation_DICOM", "PixelAspectRatio_DICOM", "SpatialResolution_DICOM",
    "BitsStored_DICOM", "WindowCenter_DICOM", "WindowWidth_DICOM", "Rows_DICOM", "Columns_DICOM",
    "XRayTubeCurrent_DICOM", "Exposure_DICOM", "ExposureInuAs_DICOM", "ExposureTime", "RelativeXRayExposure_DICOM",
    "ReportID", "Report", "MethodLabel", "Labels", "Localizations", "LabelsLocalizationsBySentence", "labelCUIS",
    "LocalizationsCUIS",
)  # fmt: skip
_TABLE = "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv"
_NAMES = {
    "Atelectasis": ("atelectasis", "atelectasia"),
    "Cardiomegaly": ("cardiomegaly", "cardiomegalia"),
    "Effusion": ("pleural effusion", "derrame pleural"),
    "Infiltration": ("infiltrates", "infiltrado"),
    "Mass": ("pulmonary mass", "masa pulmonar"),
    "Nodule": ("nodule", "nodulo"),
    "Pneumonia": ("pneumonia", "neumonia"),
    "Pneumothorax": ("pneumothorax", "neumotorax"),
    "Consolidation": ("consolidation", "consolidacion"),
    "Edema": ("pulmonary edema", "edema pulmonar"),
    "Emphysema": ("emphysema", "enfisema"),
    "Fibrosis": ("pulmonary fibrosis", "fibrosis pulmonar"),
    "Pleural_Thickening": ("pleural thickening", "engrosamiento pleural"),
    "Hernia": ("hiatal hernia", "hernia de hiato"),
    "Fracture": ("fracture", "fractura costal"),
    "Enlarged Cardiomediastinum": ("mediastinal enlargement", "ensanchamiento mediastinico"),
    "endotracheal tube": ("endotracheal tube", "tubo endotraqueal"),
    "nasogastric tube": ("NSG tube", "sonda nasogastrica"),
    "right internal jugular central venous catheter": (
        "central venous catheter via jugular vein",
        "cateter venoso central yugular",
    ),
    "left pectoral pacemaker": ("pacemaker", "marcapasos"),
    "median sternotomy wires": ("sternotomy", "esternotomia"),
    "right chest port": ("reservoir central venous catheter", "reservorio"),
}
"""Finding, or kind of device -> its label and its words in the report."""
_SIDES = {"right": "derecho", "left": "izquierdo", "bilateral": "bilateral", "": ""}
_NUM_FOLDERS = 5


def write_padchest(folder: Path, studies: Iterable[Study], image_px: int) -> None:
    """The table and the films; a physician labelled the first visit of each fourth patient, the network all others."""
    rows: list[list[object]] = []
    for study in studies:
        films = {"AP_horizontal" if study.view == "AP" else "PA": paint_frontal(study, image_px).pixels}
        if study.has_lateral:
            films["L"] = paint_lateral(study, image_px)
        for projection, pixels in films.items():
            image_id = f"{_digits(study, projection)}_{study.number % 100:02d}-{len(rows) % 1000:03d}.png"
            directory = study.number % _NUM_FOLDERS
            formats.write_png(folder / str(directory) / image_id, _deep(study, projection, pixels))
            rows.append(_row(study, [len(rows), image_id, directory], projection, image_px))
    write_text(folder / _TABLE, formats.table(_HEADER, rows))


def _digits(study: Study, purpose: str) -> str:
    """A number of some 38 digits, which no computer's integer holds."""
    return str(int(formats.digest(study, purpose), 16) + 10**38)


def _deep(study: Study, projection: str, pixels: np.ndarray) -> np.ndarray:
    """12 bits of grey in the high bits of 16: the lower byte holds noise alone, and zeros."""
    noise = study.rng(f"depth/{projection}").integers(0, 16, pixels.shape, dtype=np.uint16)
    return (pixels.astype(np.uint16) << 8) | (noise << 4)


def _row(study: Study, image: list[object], projection: str, image_px: int) -> list[object]:
    year = 2009 + int(study.person_rng().integers(0, 6)) + study.visit
    patient = str(int(study.person_rng().integers(10**17, 10**18))) + f"{study.patient:018d}"
    is_by_physician = study.patient % 4 == 3 and study.visit == 0
    cells: dict[str, object] = {
        "StudyDate_DICOM": f"{year}0101",
        "StudyID": _digits(study, "study"),
        "PatientID": patient,
        "PatientBirth": f"{year - study.age}.0",
        "PatientSex_DICOM": study.sex,
        "ViewPosition_DICOM": {"L": "LATERAL", "PA": "POSTEROANTERIOR"}.get(projection, "ANTEROPOSTERIOR"),
        "Projection": projection,
        "MethodProjection": "Manual review of DICOM fields",
        "Pediatric": "No",
        "Modality_DICOM": "CR",
        "PhotometricInterpretation_DICOM": "MONOCHROME2",
        "BitsStored_DICOM": "12",
        "Rows_DICOM": image_px,
        "Columns_DICOM": image_px,
        "ReportID": study.number + 1,
        "Report": _report(study),
        "MethodLabel": "Physician" if is_by_physician else "RNN_model",
        "Labels": _list(painted_labels(study)),
    }
    return [*image, *(cells.get(name, "") for name in _HEADER[len(image) :])]


def _painted(study: Study) -> list[Finding]:
    return sorted(study.findings, key=lambda finding: finding.label)


def painted_labels(study: Study) -> list[str]:
    """Every painted finding, now and then twice; on a later visit also that nothing is new."""
    names = [_NAMES[finding.kind or finding.label][0] for finding in _painted(study)]
    if not names:
        return ["normal"]
    return [*names, *names[:1] * (study.number % 7 == 0), *["unchanged"] * (study.visit > 1)]


def _list(names: list[str]) -> str:
    """As the owners write lists: each item but the first with a space before it."""
    return str([name if place == 0 else f" {name}" for place, name in enumerate(names)])


def _report(study: Study) -> str:
    words = [f"{_NAMES[f.kind or f.label][1]} {_SIDES[f.side]}".strip() for f in _painted(study)]
    return " . ".join([*(words or ["sin hallazgos"]), ""]).strip()
