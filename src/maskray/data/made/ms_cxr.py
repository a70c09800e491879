"""The layout of MS-CXR 1.1.0: sentences of the made MIMIC-CXR's reports, boxed on its films; no film of its own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from maskray.data.made import formats
from maskray.data.made.frontal import paint_frontal
from maskray.data.made.marks import GRID, Box
from maskray.data.made.mimic import dicom_id_of, film_of
from maskray.data.made.reports import write_report
from maskray.data.made.studies import Finding, Study
from maskray.files import write_json, write_text

CATEGORY_OF = {
    "Atelectasis": "Atelectasis",
    "Cardiomegaly": "Cardiomegaly",
    "Consolidation": "Consolidation",
    "Edema": "Edema",
    "Infiltration": "Lung Opacity",
    "Effusion": "Pleural Effusion",
    "Pneumonia": "Pneumonia",
    "Pneumothorax": "Pneumothorax",
}
"""What each painted finding that is boxed is called."""

_NAME = "MS_CXR_Local_Alignment_v1.1.0"
_HEADER = (
    *("dicom_id", "category_name", "label_text", "path", "x", "y", "w", "h", "image_width", "image_height", "split"),
)


def write_ms_cxr(folder: Path, studies: Iterable[Study], image_px: int) -> None:
    """The table of boxes in pixels of the film, as csv and as json in COCO form; a sentence may have two boxes."""
    rows: list[list[object]] = []
    for study in studies:
        sentences = sentences_of(study)
        # Painting is what takes the time.
        boxes = paint_frontal(study, image_px).boxes if sentences else {}
        part = {9: "val", 19: "test"}.get(study.patient % 20, "train")
        for finding, sentence in sentences:
            ids = [dicom_id_of(study, study.view), CATEGORY_OF[finding.label], sentence, film_of(study, study.view)]
            pixels = [_in_pixels(box, image_px) for box in boxes.get(finding.label, [])]
            rows += [[*ids, *box, image_px, image_px, part] for box in pixels]
    write_text(folder / f"{_NAME}.csv", formats.table(_HEADER, rows))
    write_json(folder / f"{_NAME}.json", _coco([dict(zip(_HEADER, row, strict=True)) for row in rows]))


def sentences_of(study: Study) -> list[tuple[Finding, str]]:
    """The first sentence of the report that surely names each finding of the eight categories."""
    first: dict[str, tuple[Finding, str]] = {}
    for statement in write_report(study).statements:
        finding = statement.finding
        if finding is not None and finding.label in CATEGORY_OF and not finding.is_hedged:
            first.setdefault(finding.label, (finding, statement.text))
    return list(first.values())


def _in_pixels(box: Box, image_px: int) -> list[int]:
    """The same box in whole pixels of the film."""
    x, y, width, height = (value * image_px / GRID for value in box)
    left, top = round(x), round(y)
    return [left, top, max(1, round(x + width) - left), max(1, round(y + height) - top)]


def _coco(rows: list[dict[str, object]]) -> dict[str, object]:
    categories = {name: number for number, name in enumerate(sorted(CATEGORY_OF.values()), 1)}
    images = {row["dicom_id"]: row for row in rows}
    ids = {name: number for number, name in enumerate(images, 1)}
    return {
        "info": {"description": "made by maskray; no patient is shown"},
        "categories": [{"id": number, "name": name} for name, number in categories.items()],
        "images": [
            {"id": ids[name], "file_name": f"{name}.jpg", "path": row["path"], "split": row["split"]}
            | {"width": row["image_width"], "height": row["image_height"]}
            for name, row in images.items()
        ],
        "annotations": [
            {"id": number, "image_id": ids[row["dicom_id"]], "category_id": categories[str(row["category_name"])]}
            | {"label_text": row["label_text"], "bbox": [row[key] for key in ("x", "y", "w", "h")]}
            for number, row in enumerate(rows, 1)
        ],
    }
