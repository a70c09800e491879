"""The official layouts: each function paints the studies it is given and writes them as the owners distribute theirs.

Boxes and run lengths are on the 1024 grid, whatever the size of the films.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from maskray.data.made import formats
from maskray.data.made.frontal import paint_frontal
from maskray.data.made.labels import BOXED_BY_NIH, CHEXPERT_LABELS, NIH_LABELS, OPACITIES_OF_PNEUMONIA, chexpert_truth
from maskray.data.made.lateral import paint_lateral
from maskray.data.made.marks import GRID
from maskray.data.made.studies import Study
from maskray.files import write_json, write_text

Layout = Callable[[Path, Iterable[Study], int], None]

_CHEXPERT_FOLDER = "CheXpert-v1.0-small"


def write_chexpert(folder: Path, studies: Iterable[Study], image_px: int) -> None:
    """CheXpert-v1.0-small: train.csv, valid.csv, test_labels.csv, and a folder per part, patient and study.

    As in the original, training labels are 1, 0, -1 (doubtful) or blank, those of the other parts 1 or 0, and the
    paths of the test list have no leading folder.
    """
    top = folder / _CHEXPERT_FOLDER
    rows: dict[str, list[list[object]]] = {"train": [], "valid": [], "test": []}
    for study in studies:
        part = {4: "valid", 7: "test", 9: "test"}.get(study.patient % 10, "train")
        place = f"{part}/patient{study.patient + 1:05d}/study{study.visit + 1}"
        prefix = "" if part == "test" else f"{_CHEXPERT_FOLDER}/"
        person = ["Female" if study.sex == "F" else "Male", study.age]
        codes = _chexpert_codes(study, is_training=part == "train")
        formats.write_jpeg(top / place / "view1_frontal.jpg", paint_frontal(study, image_px).pixels)
        rows[part].append([f"{prefix}{place}/view1_frontal.jpg", *person, "Frontal", study.view, *codes])
        if study.has_lateral:
            formats.write_jpeg(top / place / "view2_lateral.jpg", paint_lateral(study, image_px))
            rows[part].append([f"{prefix}{place}/view2_lateral.jpg", *person, "Lateral", "", *codes])
    header = ["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *CHEXPERT_LABELS]
    for part, name in {"train": "train.csv", "valid": "valid.csv", "test": "test_labels.csv"}.items():
        write_text(top / name, formats.table(header, rows[part]))


def _chexpert_codes(study: Study, is_training: bool) -> list[str]:
    truth = chexpert_truth(study.labels())
    if not is_training:
        return ["1.0" if label in truth else "0.0" for label in CHEXPERT_LABELS]
    sure = chexpert_truth(f.label for f in study.findings if not f.is_hedged)
    is_stated = study.rng("stated").random(len(CHEXPERT_LABELS)) < 0.5
    codes = []
    for label, stated in zip(CHEXPERT_LABELS, is_stated, strict=True):
        if label in truth:
            codes.append("1.0" if label in sure else "-1.0")
        else:
            codes.append("0.0" if stated and label != "No Finding" else "")
    return codes


def write_rsna(folder: Path, studies: Iterable[Study], image_px: int) -> None:
    """RSNA pneumonia challenge, stage 2: labels, class info, DICOM films, and the map to NIH-like file names.

    The positives are the opacities a reader would box: pneumonia, consolidation, infiltration.
    """
    labels: list[list[object]] = []
    classes: list[list[object]] = []
    mapping = []
    for study in studies:
        image_id = formats.hyphenated(formats.digest(study, "image"), (8, 4, 4, 4, 12))
        film = paint_frontal(study, image_px)
        formats.write_dicom(folder / "stage_2_train_images" / f"{image_id}.dcm", film.pixels, study, image_id)
        boxes = [box for label in OPACITIES_OF_PNEUMONIA for box in film.boxes.get(label, [])]
        diseases = study.labels() - {"Support Devices"}
        kind = "Lung Opacity" if boxes else "No Lung Opacity / Not Normal" if diseases else "Normal"
        labels += [[image_id, *_whole_pixels(box), 1] for box in boxes] or [[image_id, "", "", "", "", 0]]
        classes += [[image_id, kind]] * max(1, len(boxes))
        # NIH's own patients end at 30805: where the film is not one of NIH's, these are nobody's numbers.
        nih_name = nih_name_of(study, 1 if study.dataset == "nih" else 30806)
        mapping.append(_mapping_entry(study, image_id, nih_name))
    header = ["patientId", "x", "y", "width", "height", "Target"]
    write_text(folder / "stage_2_train_labels.csv", formats.table(header, labels))
    write_text(folder / "stage_2_detailed_class_info.csv", formats.table(["patientId", "class"], classes))
    write_json(folder / "pneumonia-challenge-dataset-mappings_2018.json", mapping)


def _mapping_entry(study: Study, image_id: str, nih_name: str) -> dict[str, object]:
    return {
        "subset_img_id": image_id,
        "img_id": nih_name,
        "SOPInstanceUID": formats.unique_id(study, "image"),
        "StudyInstanceUID": formats.unique_id(study, "study"),
        "SeriesInstanceUID": formats.unique_id(study, "series"),
        "orig_labels": nih_labels(study),
    }


def _whole_pixels(box: tuple[float, float, float, float]) -> list[str]:
    x, y, width, height = box
    left, top = math.floor(x), math.floor(y)
    return [f"{v:.1f}" for v in (left, top, math.ceil(x + width) - left, math.ceil(y + height) - top)]


def write_siim(folder: Path, studies: Iterable[Study], image_px: int) -> None:
    """SIIM-ACR pneumothorax: train-rle.csv with its leading spaces, and DICOM films by study and series."""
    rows = ["ImageId, EncodedPixels"]
    for study in studies:
        image_id = formats.unique_id(study, "image")
        place = folder / "dicom-images-train" / formats.unique_id(study, "study")
        patient_id = formats.hyphenated(formats.digest(study, "patient"), (8, 4, 4, 4, 12))
        film = paint_frontal(study, image_px)
        path = place / formats.unique_id(study, "series") / f"{image_id}.dcm"
        formats.write_dicom(path, film.pixels, study, patient_id)
        rows += [f"{image_id}, {code}" for code in _pneumothorax_codes(film.mask(["Pneumothorax"]))]
    write_text(folder / "train-rle.csv", "\n".join(rows) + "\n")


def _pneumothorax_codes(air: np.ndarray) -> list[str]:
    parts, num_parts = ndimage.label(air)
    sizes = np.bincount(parts.ravel(), minlength=num_parts + 1)
    codes = []
    for part in range(1, num_parts + 1):
        # Single pixels along a soft edge are no second pneumothorax.
        if sizes[part] >= 0.02 * air.sum():
            grid = Image.fromarray(parts == part).resize((GRID, GRID), Image.Resampling.NEAREST)
            codes.append(formats.run_lengths(np.asarray(grid)))
    return codes or ["-1"]


def nih_name_of(study: Study, first_patient: int = 1) -> str:
    """``00000001_000.png``: patient and visit, as NIH names its films."""
    return f"{first_patient + study.patient:08d}_{study.visit:03d}.png"


def nih_labels(study: Study) -> list[str]:
    """NIH's labels of a study, in the order of the alphabet as in the entry table; never empty."""
    painted = study.labels()
    return sorted(label for label in NIH_LABELS if label in painted) or ["No Finding"]


def write_nih(folder: Path, studies: Iterable[Study], image_px: int) -> None:
    """ChestX-ray14: entry table, boxes of the test films, the two official lists, PNG films."""
    header = (
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
        "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
    )
    entries, boxes = [header], ["Image Index,Finding Label,Bbox [x,y,w,h],,,"]
    lists: dict[str, list[str]] = {"train_val_list.txt": [], "test_list.txt": []}
    for study in studies:
        name = nih_name_of(study)
        film = paint_frontal(study, image_px)
        formats.write_png(folder / "images" / name, film.pixels)
        entries.append(
            f"{name},{'|'.join(nih_labels(study))},{study.visit},{study.patient + 1},{study.age},{study.sex},"
            f"{study.view},2500,2500,0.168,0.168"
        )
        is_test = study.patient % 4 == 3
        lists["test_list.txt" if is_test else "train_val_list.txt"].append(name)
        for label in BOXED_BY_NIH if is_test else ():
            spelt = "Infiltrate" if label == "Infiltration" else label
            boxes += [f"{name},{spelt},{','.join(str(float(v)) for v in box)}" for box in film.boxes.get(label, [])]
    write_text(folder / "Data_Entry_2017_v2020.csv", "\n".join(entries) + "\n")
    write_text(folder / "BBox_List_2017.csv", "\n".join(boxes) + "\n")
    for list_name, names in lists.items():
        write_text(folder / list_name, "\n".join(names) + "\n")
