import csv
import gzip
import hashlib
import json
import re
import zipfile
from collections import Counter

import numpy as np
import pydicom
import pytest
from PIL import Image

from maskray.config.preprocessing import MadeConfig
from maskray.data.made import LAYOUTS, STUDIES_OF, make_dataset
from maskray.data.made.edema import grade_of
from maskray.data.made.labels import CHEXPERT_LABELS, NIH_LABELS, OPACITIES_OF_PNEUMONIA
from maskray.data.made.ms_cxr import CATEGORY_OF, sentences_of
from maskray.data.made.studies import draw_study

NUM_STUDIES = 32
CONFIG = MadeConfig(num_studies=dict.fromkeys(LAYOUTS, NUM_STUDIES), image_px=48, seed=2)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folders = {name: tmp_path_factory.mktemp("made") / name for name in LAYOUTS}
    for name, folder in folders.items():
        make_dataset(name, folder, CONFIG)
    return folders


def rows_of(path):
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
    return list(csv.DictReader(text.splitlines()))


def studies(name):
    return [draw_study(STUDIES_OF.get(name, name), CONFIG.seed, number) for number in range(NUM_STUDIES)]


HEADERS = {
    ("mimic", "mimic-cxr-2.0.0-split.csv.gz"): "dicom_id,study_id,subject_id,split",
    ("mimic", "mimic-cxr-2.0.0-metadata.csv.gz"): (
        "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns,StudyDate,StudyTime,"
        "ProcedureCodeSequence_CodeMeaning,ViewCodeSequence_CodeMeaning,PatientOrientationCodeSequence_CodeMeaning"
    ),
    ("mimic", "mimic-cxr-2.0.0-chexpert.csv.gz"): (
        "subject_id,study_id,Atelectasis,Cardiomegaly,Consolidation,Edema,Enlarged Cardiomediastinum,Fracture,"
        "Lung Lesion,Lung Opacity,No Finding,Pleural Effusion,Pleural Other,Pneumonia,Pneumothorax,Support Devices"
    ),
    ("chexpert", "CheXpert-v1.0-small/train.csv"): (
        "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,"
        "Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,"
        "Support Devices"
    ),
    ("rsna", "stage_2_train_labels.csv"): "patientId,x,y,width,height,Target",
    ("rsna", "stage_2_detailed_class_info.csv"): "patientId,class",
    ("siim", "train-rle.csv"): "ImageId, EncodedPixels",
    ("nih", "Data_Entry_2017_v2020.csv"): (
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
        "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
    ),
    ("nih", "BBox_List_2017.csv"): "Image Index,Finding Label,Bbox [x,y,w,h],,,",
    ("edema", "regex_report_edema_severity.csv"): "subject_id,study_id,edema_severity",
    ("edema", "expert_report_edema_severity.csv"): "subject_id,study_id,edema_severity",
    ("edema", "consensus_image_edema_severity.csv"): "subject_id,study_id,dicom_id,edema_severity",
    ("ms_cxr", "MS_CXR_Local_Alignment_v1.1.0.csv"): (
        "dicom_id,category_name,label_text,path,x,y,w,h,image_width,image_height,split"
    ),
    ("padchest", "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv"): (
        ",ImageID,ImageDir,StudyDate_DICOM,StudyID,PatientID,PatientBirth,PatientSex_DICOM,ViewPosition_DICOM,"
        "Projection,MethodProjection,Pediatric,Modality_DICOM,Manufacturer_DICOM,PhotometricInterpretation_DICOM,"
        "PixelRepresentation_DICOM,PixelAspectRatio_DICOM,SpatialResolution_DICOM,BitsStored_DICOM,WindowCenter_DICOM,"
        "WindowWidth_DICOM,Rows_DICOM,Columns_DICOM,XRayTubeCurrent_DICOM,Exposure_DICOM,ExposureInuAs_DICOM,"
        "ExposureTime,RelativeXRayExposure_DICOM,ReportID,Report,MethodLabel,Labels,Localizations,"
        "LabelsLocalizationsBySentence,labelCUIS,LocalizationsCUIS"
    ),
}
HEADERS["mimic", "mimic-cxr-2.0.0-negbio.csv.gz"] = HEADERS["mimic", "mimic-cxr-2.0.0-chexpert.csv.gz"]
HEADERS["chexpert", "CheXpert-v1.0-small/valid.csv"] = HEADERS["chexpert", "CheXpert-v1.0-small/train.csv"]
HEADERS["chexpert", "CheXpert-v1.0-small/test_labels.csv"] = HEADERS["chexpert", "CheXpert-v1.0-small/train.csv"]


@pytest.mark.parametrize(("name", "file"), HEADERS)
def test_headers_are_official_to_the_letter(made, name, file):
    path = made[name] / file
    text = gzip.decompress(path.read_bytes()).decode() if file.endswith(".gz") else path.read_text()
    assert text.split("\n")[0] == HEADERS[name, file]
    assert text.endswith("\n")


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_same_run_writes_the_same_bytes(made, name, tmp_path):
    make_dataset(name, tmp_path / "again", CONFIG)

    def digests(folder):
        return {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.rglob("*")
            if path.is_file()
        }

    assert digests(made[name]) == digests(tmp_path / "again")


@pytest.mark.parametrize("name", LAYOUTS)
def test_readme_says_that_no_patient_is_shown(made, name):
    assert "show no patient" in (made[name] / "README.txt").read_text()


def test_mimic_files_tables_and_reports_agree(made):
    folder = made["mimic"]
    with zipfile.ZipFile(folder / "reports" / "mimic-cxr-reports.zip") as archive:
        reports = {name: archive.read(name).decode() for name in archive.namelist()}
    metadata = rows_of(folder / "mimic-cxr-2.0.0-metadata.csv.gz")
    assert len(reports) == len({row["study_id"] for row in metadata}) == NUM_STUDIES
    assert len(metadata) > NUM_STUDIES
    for row in metadata:
        subject = row["subject_id"]
        place = f"files/p{subject[:2]}/p{subject}/s{row['study_id']}"
        assert re.fullmatch(r"1\d{7}", subject)
        assert (folder / place / f"{row['dicom_id']}.jpg").is_file()
        assert "FINAL REPORT" in reports[f"{place}.txt"]
        assert row["ViewPosition"] in ("PA", "AP", "LATERAL")
    parts = {row["subject_id"]: row["split"] for row in rows_of(folder / "mimic-cxr-2.0.0-split.csv.gz")}
    assert set(parts.values()) == {"train", "validate", "test"}
    for row in rows_of(folder / "mimic-cxr-2.0.0-chexpert.csv.gz"):
        assert {row[label] for label in CHEXPERT_LABELS} <= {"1.0", "0.0", "-1.0", ""}


def test_chexpert_labels_are_what_is_painted(made):
    top = made["chexpert"] / "CheXpert-v1.0-small"
    by_place = {f"patient{s.patient + 1:05d}/study{s.visit + 1}": s for s in studies("chexpert")}
    for name in ("train.csv", "valid.csv", "test_labels.csv"):
        for row in rows_of(top / name):
            path = row["Path"].removeprefix("CheXpert-v1.0-small/")
            assert (top / path).is_file()
            assert row["Path"].startswith("test/" if name == "test_labels.csv" else "CheXpert-v1.0-small/")
            assert (row["Frontal/Lateral"] == "Frontal") == ("frontal" in path)
            study = by_place["/".join(path.split("/")[1:3])]
            for label, painted in (("Pneumothorax", "Pneumothorax"), ("Pleural Effusion", "Effusion")):
                is_painted = painted in study.labels()
                assert row[label] in (("1.0", "-1.0") if is_painted else ("0.0", ""))
            if name != "train.csv":
                assert {row[label] for label in CHEXPERT_LABELS} <= {"1.0", "0.0"}


def test_rsna_boxes_are_those_of_opacities(made):
    folder = made["rsna"]
    labels = rows_of(folder / "stage_2_train_labels.csv")
    mapping = json.loads((folder / "pneumonia-challenge-dataset-mappings_2018.json").read_text())
    assert len({row["patientId"] for row in labels}) == len(mapping) == NUM_STUDIES
    assert len({entry["img_id"].split("_")[0] for entry in mapping}) < NUM_STUDIES
    classes = {row["patientId"]: row["class"] for row in rows_of(folder / "stage_2_detailed_class_info.csv")}
    for study, entry in zip(studies("rsna"), mapping, strict=True):
        mine = [row for row in labels if row["patientId"] == entry["subset_img_id"]]
        is_positive = bool(study.labels() & set(OPACITIES_OF_PNEUMONIA))
        assert {row["Target"] for row in mine} == {str(int(is_positive))}
        assert (classes[entry["subset_img_id"]] == "Lung Opacity") == is_positive
        for row in mine if is_positive else ():
            x, y, width, height = (float(row[key]) for key in ("x", "y", "width", "height"))
            assert x >= 0
            assert y >= 0
            assert x + width <= 1024
            assert y + height <= 1024
            assert width > 60


def decode_runs(code):
    mask, position = np.zeros(1024 * 1024, dtype=bool), 0
    numbers = [int(word) for word in code.split()]
    for gap, length in zip(numbers[::2], numbers[1::2], strict=True):
        position += gap
        mask[position : position + length] = True
        position += length
    return mask.reshape(1024, 1024).T


def test_siim_runs_mark_the_air_on_the_painted_side(made):
    folder = made["siim"]
    rows = [line.split(",") for line in (folder / "train-rle.csv").read_text().splitlines()[1:]]
    films = {path.stem: path for path in (folder / "dicom-images-train").glob("*/*/*.dcm")}
    assert {row[0] for row in rows} == set(films)
    assert len(films) == NUM_STUDIES
    first_ids = list(dict.fromkeys(row[0] for row in rows))
    num_positive = 0
    for study, image_id in zip(studies("siim"), first_ids, strict=True):
        codes = [code for row_id, code in rows if row_id == image_id]
        painted = [f for f in study.findings if f.label == "Pneumothorax"]
        assert (codes == [" -1"]) == (not painted)
        if painted:
            air = np.logical_or.reduce([decode_runs(code) for code in codes])
            assert 0.005 < air.mean() < 0.3
            assert (np.nonzero(air)[1].mean() > 512) == (painted[0].side == "left")
            num_positive += 1
    assert num_positive >= 3


def test_dicom_films_can_be_read(made):
    path = next((made["rsna"] / "stage_2_train_images").glob("*.dcm"))
    record = pydicom.dcmread(path)
    assert record.PhotometricInterpretation == "MONOCHROME2"
    assert record.PatientID == path.stem
    assert record.pixel_array.shape == (48, 48)
    assert record.pixel_array.std() > 20


def test_nih_lists_labels_and_boxes_agree(made):
    folder = made["nih"]
    lines = [line.split(",") for line in (folder / "Data_Entry_2017_v2020.csv").read_text().splitlines()[1:]]
    assert {len(line) for line in lines} == {11}
    test = (folder / "test_list.txt").read_text().split()
    train = (folder / "train_val_list.txt").read_text().split()
    assert sorted(train + test) == sorted(line[0] for line in lines)
    assert not {name[:8] for name in train} & {name[:8] for name in test}
    for line, study in zip(lines, studies("nih"), strict=True):
        labels = set(line[1].split("|"))
        assert labels == (study.labels() & set(NIH_LABELS) or {"No Finding"})
        assert Image.open(folder / "images" / line[0]).mode == "L"
    boxes = [line.split(",") for line in (folder / "BBox_List_2017.csv").read_text().splitlines()[1:]]
    assert boxes
    assert {box[0] for box in boxes} <= set(test)
    assert "Infiltration" not in {box[1] for box in boxes}


def films_of_mimic(made):
    return {row["dicom_id"]: row for row in rows_of(made["mimic"] / "mimic-cxr-2.0.0-metadata.csv.gz")}


def test_edema_grades_are_the_painted_ones_of_the_made_mimic(made):
    films, tables = (
        films_of_mimic(made),
        {path.name.split("_")[0]: rows_of(path) for path in made["edema"].glob("*.csv")},
    )
    numbers = {(row["subject_id"], row["study_id"]): row for row in films.values()}
    ids = dict.fromkeys((row["subject_id"], row["study_id"]) for row in films.values())
    grades = dict(zip(ids, map(grade_of, studies("edema")), strict=True))
    assert {row["edema_severity"] for row in tables["regex"]} > {"0"}
    for row in tables["expert"] + tables["consensus"]:
        assert int(row["edema_severity"]) == grades[row["subject_id"], row["study_id"]]
    for row in tables["regex"]:
        assert (row["edema_severity"] == "0") == (grades[row["subject_id"], row["study_id"]] == 0)
    for row in tables["consensus"]:
        assert films[row["dicom_id"]]["ViewPosition"] in ("PA", "AP")
    assert numbers.keys() >= {(row["subject_id"], row["study_id"]) for table in tables.values() for row in table}


def test_ms_cxr_boxes_sentences_of_the_made_mimics_reports(made):
    rows, films = rows_of(made["ms_cxr"] / "MS_CXR_Local_Alignment_v1.1.0.csv"), films_of_mimic(made)
    with zipfile.ZipFile(made["mimic"] / "reports" / "mimic-cxr-reports.zip") as archive:
        reports = {name: " ".join(archive.read(name).decode().lower().split()) for name in archive.namelist()}
    for row in rows:
        assert films[row["dicom_id"]]["ViewPosition"] in ("PA", "AP")
        assert (made["mimic"] / row["path"]).is_file()
        assert row["label_text"].lower() in reports[f"{row['path'].rsplit('/', 1)[0]}.txt"]
        x, y, w, h = (int(row[key]) for key in "xywh")
        assert min(x, y, w - 1, h - 1) >= 0
        assert max(x + w, y + h) <= int(row["image_width"]) == int(row["image_height"]) == 48
    boxed = {(row["category_name"], row["label_text"]) for row in rows}
    assert boxed == {(CATEGORY_OF[f.label], text) for study in studies("ms_cxr") for f, text in sentences_of(study)}
    counts = Counter((row["dicom_id"], row["label_text"]) for row in rows)
    assert set(counts.values()) == {1, 2}


def test_covid_rural_masks_mark_the_painted_opacities(made):
    top = made["covid_rural"] / "covid_rural_annot"
    films, masks = ({path.stem for path in (top / name).iterdir()} for name in ("jpgs", "pngs_masks"))
    assert len(films) == NUM_STUDIES
    assert NUM_STUDIES / 3 < len(masks) < NUM_STUDIES
    assert masks < films
    drawn, total = (sorted(studies("covid_rural"), key=lambda study: (study.patient, study.visit)), 0)
    for study, name in zip(drawn, sorted(films, key=lambda n: (n.split("_")[0], day_of(n))), strict=True):
        if name not in masks:
            continue
        mask = np.asarray(Image.open(top / "pngs_masks" / f"{name}.png"))
        assert set(np.unique(mask)) == {0, 1}
        assert study.labels() & set(OPACITIES_OF_PNEUMONIA)
        total += mask.mean()
    assert 0.02 < total / len(masks) < 0.4
    assert {row["PATIENT_ID"] for row in rows_of(top / "covid_rural_patient_info.csv")} == {
        n.split("_")[0] for n in films
    }


def day_of(name):
    month, day, year = name.split("_")[1].removesuffix("-XR").split("-")
    return year, month, day
