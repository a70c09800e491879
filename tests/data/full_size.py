"""Made tables as long as the real ones, with their counts; images are empty files, since readers never open one."""

import csv
import gzip
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from maskray.data.readers import chexpert, nih
from tests.data.layouts import NIH_HEADER

NIH_IMAGES, NIH_PATIENTS, NIH_TEST = 112_120, 30_805, 25_596
MIMIC_IMAGES, MIMIC_PATIENTS, MIMIC_STUDIES = 377_110, 65_379, 227_835


def parents(num_children: int, num_parents: int, rng: np.random.Generator) -> np.ndarray:
    """The parent of each child, sorted; each parent has at least one, and a few have very many."""
    weights = rng.pareto(1.5, num_parents) + 0.1
    more = rng.choice(num_parents, num_children - num_parents, p=weights / weights.sum())
    return np.sort(np.concatenate([np.arange(num_parents), more]))


def write_nih(folder: Path, seed: int = 0) -> Path:
    """112,120 rows in random order, and as many files in twelve folders."""
    rng = np.random.default_rng(seed)
    patients = parents(NIH_IMAGES, NIH_PATIENTS, rng)
    visits = np.arange(NIH_IMAGES) - np.searchsorted(patients, patients)
    names = [f"{patient + 1:08d}_{visit:03d}.png" for patient, visit in zip(patients, visits, strict=True)]
    is_found_IL = rng.random((NIH_IMAGES, len(nih.LABELS))) < np.geomspace(0.1, 0.002, len(nih.LABELS))
    labels = np.array(nih.LABELS)
    rows = [
        f"{name},{'|'.join(labels[is_found_L]) or nih.NO_FINDING},{visit},{patient + 1},58,M,PA,2682,2749,0.143,0.143"
        for name, is_found_L, visit, patient in zip(names, is_found_IL, visits, patients, strict=True)
    ]
    rng.shuffle(rows)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Data_Entry_2017_v2020.csv").write_text("\n".join([NIH_HEADER, *rows]) + "\n")
    # The official test list is of whole patients, too.
    is_test = patients >= patients[-NIH_TEST]
    for name, is_listed in (("train_val_list.txt", ~is_test), ("test_list.txt", is_test)):
        (folder / name).write_text("\n".join(np.array(names)[is_listed]) + "\n")
    boxes = [f"{name},Infiltrate,100,20,30,101,,,," for name in names[:: NIH_IMAGES // 984]]
    (folder / "BBox_List_2017.csv").write_text(
        "\n".join(["Image Index,Finding Label,Bbox [x,y,w,h],,,", *boxes]) + "\n"
    )
    _make_files(folder / f"images_{1 + 12 * place // NIH_IMAGES:03d}/images/{name}" for place, name in enumerate(names))
    return folder


def write_mimic(folder: Path, seed: int = 0) -> Path:
    """377,110 rows in random order, and as many files in 227,835 study folders."""
    rng = np.random.default_rng(seed)
    subject_of_study = parents(MIMIC_STUDIES, MIMIC_PATIENTS, rng)
    study_of_image = parents(MIMIC_IMAGES, MIMIC_STUDIES, rng)
    subjects = np.sort(rng.choice(10_000_000, MIMIC_PATIENTS, replace=False)) + 10_000_000
    studies = rng.choice(10_000_000, MIMIC_STUDIES, replace=False) + 50_000_000
    ids = [f"{a:08x}-{b:08x}-{c:08x}-{d:08x}-{e:08x}" for a, b, c, d, e in rng.integers(2**32, size=(MIMIC_IMAGES, 5))]
    views = rng.choice(["PA", "AP", "LATERAL", "LL", ""], MIMIC_IMAGES, p=[0.25, 0.39, 0.22, 0.1, 0.04])
    parts = rng.choice(["train", "validate", "test"], MIMIC_PATIENTS, p=[0.987, 0.008, 0.005])
    images = [
        (image, subjects[subject_of_study[study]], studies[study], view, parts[subject_of_study[study]])
        for image, study, view in zip(ids, study_of_image, views, strict=True)
    ]
    rng.shuffle(images)
    metadata = ([image, subject, study, "CHEST", view, 3056, 2544] for image, subject, study, view, _ in images)
    names = [
        "dicom_id",
        "subject_id",
        "study_id",
        "PerformedProcedureStepDescription",
        "ViewPosition",
        "Rows",
        "Columns",
    ]
    folder.mkdir(parents=True, exist_ok=True)
    _write_gzip(folder / "mimic-cxr-2.0.0-metadata.csv.gz", names, metadata)
    split = ([image, study, subject, part] for image, subject, study, _, part in images)
    _write_gzip(folder / "mimic-cxr-2.0.0-split.csv.gz", ["dicom_id", "study_id", "subject_id", "split"], split)
    codes = rng.choice(["1.0", "0.0", "-1.0", ""], (MIMIC_STUDIES, len(chexpert.LABELS)), p=[0.08, 0.05, 0.03, 0.84])
    findings = (
        [subjects[subject], study, *row] for subject, study, row in zip(subject_of_study, studies, codes, strict=True)
    )
    _write_gzip(folder / "mimic-cxr-2.0.0-chexpert.csv.gz", ["subject_id", "study_id", *chexpert.LABELS], findings)
    _make_files(
        folder / f"files/p{int(subject) // 1_000_000}/p{subject}/s{study}/{image}.jpg"
        for image, subject, study, _, _ in images
    )
    return folder


def _write_gzip(path: Path, names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    path.write_bytes(gzip.compress(text.getvalue().encode(), compresslevel=1))


def _make_files(paths: Iterable[Path]) -> None:
    made = set()
    for path in paths:
        if path.parent not in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            made.add(path.parent)
        path.touch()
