"""Tiny folders in the owners' layouts: a few rows, empty files in place of images (readers never open one)."""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from maskray.config.dataset import DatasetConfig
from maskray.data.registry import READERS

CHEXPERT_HEADER = (
    "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,Lung Lesion,"
    "Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,Support Devices"
)
NIH_HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
)
NIH_ROWS = (
    "00000001_000.png,Cardiomegaly|Emphysema,0,1,57,M,PA,2682,2749,0.143,0.143",
    "00000001_001.png,No Finding,1,1,58,M,PA,2894,2729,0.143,0.143",
    "00000002_000.png,Infiltration|Pleural_Thickening,0,2,80,M,AP,2500,2048,0.171,0.171",
    "00000003_000.png,Hernia,0,3,74,F,PA,2500,2048,0.168,0.168",
)
MIMIC_IMAGES = (
    ("aa-01", "50000001", "10000001", "PA", "train"),
    ("aa-02", "50000001", "10000001", "LATERAL", "train"),
    ("bb-01", "50000002", "10000002", "ap", "validate"),
    ("cc-01", "50000003", "11000003", "", "test"),
)
COVID_HEADER = (
    "patientid,offset,sex,age,finding,survival,view,modality,date,location,folder,filename,doi,url,license,"
    "clinical_notes,other_notes,"
)
COVID_ROWS = (
    '2,0,M,65,Pneumonia/Viral/COVID-19,Y,PA,X-ray,2020,,images,a.jpg,,,CC,"Bilateral opacities,\nno effusion.",,',
    "2,0,M,65,Pneumonia/Viral/COVID-19,Y,L,X-ray,2020,,images,a-side.jpg,,,CC,,,",
    '2,0,M,65,"COVID-19, ARDS",Y,AP Supine,X-ray,2020,,images,b.jpg,,,CC,"Bilateral opacities,\nno effusion.",,',
    "2,3,M,65,COVID-19,Y,AP,X-ray,2020,,images,c.png,,,CC,Better.,,",
    "4,,F,50,No Finding,,PA,X-ray,2019,,images,d.jpeg,,,CC,,,",
    "5,,F,50,todo,,PA,X-ray,2019,,images,e.jpg,,,CC,,,",
    "6,,F,50,ARDS,,PA,X-ray,2019,,images,f.jpg,,,CC,,,",
    "7,,F,50,Streptococcus,,AP,X-ray,2019,,images,g.jpg,,,CC,,,",
    "8,,F,50,Tuberculosis,,AP,X-ray,2019,,images,h.jpg,,,CC,,,",
    "9,,F,50,COVID-19,,Axial,CT,2019,,volumes,i.nii.gz,,,CC,,,",
)


COVID_FILMS = (
    "COVID-19-AR-90000001_01-08-2012-XR",
    "COVID-19-AR-90000001_01-15-2012-XR",
    "COVID-19-AR-90000001_01-15-2012-XR-2",
    "COVID-19-AR-90000002_12-31-2011-XR",
)
EDEMA_TABLES = {
    "regex_report_edema_severity.csv": (
        "subject_id,study_id,edema_severity",
        "10000001,50000001,1",
        "10000002,50000002,0",
    ),
    "expert_report_edema_severity.csv": ("subject_id,study_id,edema_severity", "10000002,50000002,3"),
    "consensus_image_edema_severity.csv": ("subject_id,study_id,dicom_id,edema_severity", "11000003,50000003,cc-01,2"),
}
MS_CXR_HEADER = "dicom_id,category_name,label_text,path,x,y,w,h,image_width,image_height"
MS_CXR_BOXES = (
    ("aa-01", "Pneumonia", "Opacity, left base", "10", "20", "30", "40", "2544", "3056"),
    ("aa-01", "Pneumonia", "Opacity, left base", "100", "200", "30", "40", "2544", "3056"),
    ("aa-01", "Edema", "mild edema", "0", "0", "2544", "3000", "2544", "3056"),
    ("bb-01", "Pleural Effusion", "Small effusion", "5", "6", "7", "8", "3056", "2544"),
)
IMAGES_OF = {"edema": "mimic", "ms_cxr": "mimic"}


def dataset(name: str, **settings) -> DatasetConfig:
    """Settings of a data set with all labels that its reader knows."""
    defaults = {"title": f"the {name} data", "licence": "free", "access": "https://example.org", "reader": name}
    defaults["images_of"] = IMAGES_OF.get(name)
    labels = getattr(READERS[name], "LABELS", ())
    return DatasetConfig(**{"name": name, "labels": labels, **defaults, **settings})


def write(path: Path, lines: Sequence[str]) -> Path:
    """A text file; gzipped where its name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def write_nih(folder: Path, rows: Sequence[str] = NIH_ROWS, header: str = NIH_HEADER) -> Path:
    write(folder / "Data_Entry_2017_v2020.csv", [header, *rows])
    write(folder / "train_val_list.txt", ["00000001_000.png", "00000001_001.png"])
    write(folder / "test_list.txt", ["00000002_000.png", "00000003_000.png"])
    boxes = ["00000002_000.png,Infiltrate,100.5,20,30,1010,,,", "00000001_000.png,Cardiomegaly,1,2,3,4,,,"]
    write(folder / "BBox_List_2017.csv", ["Image Index,Finding Label,Bbox [x,y,w,h],,,", *boxes])
    touch(*(folder / "images" / row.split(",")[0] for row in rows))
    return folder


def write_chexpert(folder: Path, prefix: str = "CheXpert-v1.0-small") -> Path:
    """The official folder inside ``folder``."""
    top = folder / prefix
    train = [
        f"{prefix}/train/patient00001/study1/view1_frontal.jpg,Female,68,Frontal,AP,1.0,,,,,,,,,0.0,,,,1.0",
        f"{prefix}/train/patient00002/study2/view1_frontal.jpg,Female,87,Frontal,PA,,,-1.0,1.0,,-1.0,-1.0,,-1.0,,-1.0,,1.0,",
        f"{prefix}/train/patient00002/study2/view2_lateral.jpg,Female,87,Lateral,,,,-1.0,1.0,,-1.0,0.0,,-1.0,,-1.0,,1.0,",
    ]
    valid = [f"{prefix}/valid/patient64541/study1/view1_frontal.jpg,Male,73,Frontal,AP,0.0,1.0,1.0,1.0" + ",0.0" * 10]
    write(top / "train.csv", [CHEXPERT_HEADER, *train])
    write(top / "valid.csv", [CHEXPERT_HEADER, *valid])
    touch(*(folder / row.split(",")[0] for row in (*train, *valid)))
    return folder


def write_rsna(folder: Path) -> Path:
    """Images a and b are of one NIH patient, c of another, d is in no mapping."""
    rows = ["b,10,20,30,40,1", "a,,,,,0", "b,1.0,2.0,3.0,4.0,1", "c,,,,,0", "d,5,5,5,5,1"]
    write(folder / "stage_2_train_labels.csv", ["patientId,x,y,width,height,Target", *rows])
    mappings = [("a", "00000007_000.png"), ("b", "00000007_012.png"), ("c", "00000008_000.png")]
    entries = [{"subset_img_id": ours, "img_id": nih, "orig_labels": ["Mass"]} for ours, nih in mappings]
    (folder / "pneumonia-challenge-dataset-mappings_2018.json").write_text(json.dumps(entries))
    touch(*(folder / "stage_2_train_images" / f"{name}.dcm" for name in "abcd"))
    return folder


def write_siim(folder: Path, table: str = "train-rle.csv") -> Path:
    """Image 1.b has two masks."""
    rows = ["1.b, 100 5 20 3", "1.a, -1", "1.b, 7 2", "1.c,-1", "1.d, 1048570 6"]
    header = "ImageId, EncodedPixels" if table == "train-rle.csv" else "ImageId,EncodedPixels"
    write(folder / table, [header, *(row if header.count(" ") else row.replace(", ", ",") for row in rows)])
    touch(*(folder / f"dicom-images-train/9.{n}/8.{n}/1.{n}.dcm" for n in "abcd"))
    return folder


def write_mimic(folder: Path, images: Sequence[tuple[str, ...]] = MIMIC_IMAGES) -> Path:
    """Study 50000003 has no labels, and no report."""
    names = "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns,StudyDate"
    rows = [f"{image},{patient},{study},CHEST,{view},3056,2544,21800506" for image, study, patient, view, _ in images]
    write(folder / "mimic-cxr-2.0.0-metadata.csv.gz", [names, *rows])
    rows = [f"{image},{study},{patient},{part}" for image, study, patient, _, part in images]
    write(folder / "mimic-cxr-2.0.0-split.csv.gz", ["dicom_id,study_id,subject_id,split", *rows])
    labels = ",".join(READERS["mimic"].LABELS)
    rows = ["10000001,50000001,1.0" + "," * 13, "10000002,50000002,,-1.0,0.0" + "," * 11]
    write(folder / "mimic-cxr-2.0.0-chexpert.csv.gz", [f"subject_id,study_id,{labels}", *rows])
    for image, study, patient, _, _ in images:
        touch(folder / f"files/p{patient[:2]}/p{patient}/s{study}/{image}.jpg")
    return folder


def write_mimic_reports(folder: Path, zipped: bool) -> Path:
    texts = {
        "files/p10/p10000001/s50000001.txt": "FINDINGS: Clear lungs.\n",
        "files/p10/p10000002/s50000002.txt": "IMPRESSION: No change.\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    if zipped:
        with zipfile.ZipFile(folder / "mimic-cxr-reports.zip", "w") as archive:
            for name, text in reversed(texts.items()):
                archive.writestr(name, text)
    else:
        for name, text in texts.items():
            write(folder / name, [text.rstrip("\n")])
    return folder


def write_covid_chestxray(folder: Path, rows: Sequence[str] = COVID_ROWS) -> Path:
    write(folder / "metadata.csv", [COVID_HEADER, *rows])
    touch(*(folder / "images" / name for name in ("a.jpg", "a-side.jpg", "b.jpg", "c.png", "d.jpeg")))
    touch(*(folder / "images" / f"{name}.jpg" for name in "efgh"))
    return folder


def write_covid_rural(folder: Path) -> Path:
    """The repository's folder; the last film but one has a mask that is called a little differently, the last none."""
    top = folder / "covid_rural_annot"
    touch(*(top / "jpgs" / f"{name}.jpg" for name in COVID_FILMS))
    touch(top / "jpgs" / f"{COVID_FILMS[0]}.json", top / "covid_rural_patient_info.csv")
    touch(*(top / "pngs_masks" / f"{name}.png" for name in (*COVID_FILMS[:2], f"{COVID_FILMS[2]}.jpg")))
    return folder


def write_edema(folder: Path, tables: Mapping[str, Sequence[str]] = EDEMA_TABLES) -> Path:
    """Grades of the films that ``write_mimic`` writes."""
    for name, lines in tables.items():
        write(folder / name, lines)
    return folder


def write_ms_cxr(
    folder: Path, boxes: Sequence[tuple[str, ...]] = MS_CXR_BOXES, version: str = "1.0.0", form: str = "csv"
) -> Path:
    """Boxes on the films that ``write_mimic`` writes; in 1.1.0 with the column split, in "json" in COCO form."""
    path = folder / f"MS_CXR_Local_Alignment_v{version}.{form}"
    if form == "json":
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(coco(boxes)))
        return folder
    has_split = version == "1.1.0"
    rows = io.StringIO()
    csv.writer(rows, lineterminator="\n").writerows(
        [*box[:3], f"files/{box[0]}.jpg", *box[3:], *["train"] * has_split] for box in boxes
    )
    write(path, [MS_CXR_HEADER + ",split" * has_split, *rows.getvalue().splitlines()])
    return folder


def coco(boxes: Sequence[tuple[str, ...]]) -> dict:
    """The same boxes in the form of the json file."""
    names, categories = sorted({box[0] for box in boxes}), sorted({box[1] for box in boxes})
    sizes = {box[0]: box[-2:] for box in boxes}
    images = [
        {"id": n, "file_name": f"{name}.jpg", "width": int(sizes[name][0]), "height": int(sizes[name][1])}
        for n, name in enumerate(names)
    ]
    annotations = [
        {
            "id": 7 + n,
            "image_id": names.index(box[0]),
            "category_id": 1 + categories.index(box[1]),
            "label_text": box[2],
        }
        | {"bbox": [float(cell) for cell in box[3:7]]}
        for n, box in enumerate(boxes)
    ]
    kinds = [{"id": 1 + n, "name": name, "supercategory": "finding"} for n, name in enumerate(categories)]
    return {"info": {}, "images": images, "categories": kinds, "annotations": annotations}


def write_site(name: str, folder: Path) -> dict[str, Path | None]:
    """All folders of a data set, as readers take them: films and, where it adds to another one's, its annotations."""
    owner = IMAGES_OF.get(name)
    site = {"folder": WRITERS[owner or name](folder / (owner or name)), "reports": None}
    return site | ({"annotations": WRITERS[name](folder / name)} if owner else {})


OPENI_REPORTS = {
    "1": (("normal",), "PA and lateral chest", ("CXR1_1_IM-0001-3001", "CXR1_1_IM-0001-4001")),
    "10": (("Cardiomegaly/borderline", "Tube, Inserted/trachea"), "AP portable chest", ("CXR10_IM-0002-1001",)),
    "2": (("Pneumonia/lung/base/left", "Hydropneumothorax"), "Chest XXXX and lateral", ("CXR2_IM-0652-1001",)),
    "3": (("No Indexing",), "PA chest radiograph", ("CXR3_IM-1384-1001",)),
    "4": (("Mass/breast/large", "Opacity/lung/base"), "", ()),
}


def openi_xml(number: str, codes: Sequence[str], caption: str, images: Sequence[str]) -> list[str]:
    texts = {"COMPARISON": "None.", "INDICATION": "", "FINDINGS": f"Text\n of {number}.", "IMPRESSION": "Stable."}
    return [
        f'<?xml version="1.0" encoding="utf-8"?><eCitation><uId id="CXR{number}"/><Abstract>',
        *(f'<AbstractText Label="{name}">{text}</AbstractText>' for name, text in texts.items()),
        f"</Abstract><MeSH>{''.join(f'<major>{code}</major>' for code in codes)}<automatic>heart</automatic></MeSH>",
        *(f'<parentImage id="{image}"><caption>{caption}</caption></parentImage>' for image in images),
        "</eCitation>",
    ]


def write_openi(folder: Path, image_folder: str = "NLMCXR_png") -> Path:
    for number, (codes, caption, images) in OPENI_REPORTS.items():
        write(folder / f"ecgen-radiology/{number}.xml", openi_xml(number, codes, caption, images))
        touch(*(folder / image_folder / f"{image}.png" for image in images))
    return folder


PADCHEST_COLUMNS = ("", "ImageID", "ImageDir", "StudyID", "PatientID", "Projection", "MethodLabel", "Report", "Labels")
PADCHEST_ROWS = (
    ("0", "1_a.png", "0", "90", f"{7 * 10**34 + 1}", "PA", "Physician", "normal .", "['Cardiomegaly', ' copd signs ']"),
    ("1", "1_b.png", "0", "90", f"{7 * 10**34 + 1}", "L", "Physician", "", "['cardiomegaly', ' copd signs']"),
    ("2", "1_c.png", "5", "91", f"{7 * 10**34 + 1}", "AP_horizontal", "RNN_model", "", "['nodule', ' unchanged']"),
    ("3", "2_a.png", "5", "92", f"{7 * 10**34 + 2}", "PA", "RNN_model", "", "['NSG tube', ' NSG  tube', '', ]"),
    ("4", "3_a.png", "54", "93", f"{7 * 10**34 + 3}", "AP", "Physician", "", "['normal']"),
    ("5", "4_a.png", "54", "94", f"{7 * 10**34 + 4}", "UNK", "RNN_model", "", "['unchanged']"),
    ("6", "5_a.png", "54", "95", f"{7 * 10**34 + 5}", "COSTAL", "RNN_model", "", "nan"),
)
COVIDX_TRAIN = (
    ("5", "ARDS severe, day 2.png", "pneumonia", "cohen"),
    ("5", "CR.1.2.png", "COVID-19", "actmed"),
    ("0a-1", "0a-1.png", "normal", "rnsa"),
)
COVIDX_TEST = (("0b-2", "0b-2.png", "Normal", "rsna"), ("SITE2-01", "RICORD-1.jpg", "covid-19", "ricord"))


def write_padchest(folder: Path, rows: Sequence[tuple[str, ...]] = PADCHEST_ROWS, without: Sequence[str] = ()) -> Path:
    """Image 1_c is the network's, of a patient whom a physician labelled; the films lie in the folders of the table."""
    text = io.StringIO()
    kept = [place for place, name in enumerate(PADCHEST_COLUMNS) if name not in without]
    csv.writer(text, lineterminator="\n").writerows([row[place] for place in kept] for row in (PADCHEST_COLUMNS, *rows))
    write(folder / "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv", text.getvalue().splitlines())
    touch(*(folder / row[2] / row[1] for row in rows))
    return folder


def covidx_lines(rows: Sequence[tuple[str, ...]], is_binary: bool) -> list[str]:
    words = {"covid-19": "positive"} if is_binary else {}
    kinds = [words.get(row[2].lower(), "negative") if is_binary else row[2] for row in rows]
    return [f"{row[0]} {row[1]} {kind} {row[3]}" for row, kind in zip(rows, kinds, strict=True)]


def write_covidx(
    folder: Path,
    train: Sequence[tuple[str, ...]] = COVIDX_TRAIN,
    test: Sequence[tuple[str, ...]] = COVIDX_TEST,
    version: str = "9",
) -> Path:
    """The pairs of two and of three classes."""
    for part, rows in {"train": train, "test": test}.items():
        for letter in "AB":
            write(folder / f"{part}_COVIDx{version}{letter}.txt", covidx_lines(rows, letter == "B"))
        touch(*(folder / part / row[1] for row in rows))
    return folder


WRITERS = {
    "mimic": write_mimic,
    "chexpert": write_chexpert,
    "rsna": write_rsna,
    "siim": write_siim,
    "nih": write_nih,
    "covid_chestxray": write_covid_chestxray,
    "covid_rural": write_covid_rural,
    "edema": write_edema,
    "ms_cxr": write_ms_cxr,
    "openi": write_openi,
    "padchest": write_padchest,
    "covidx": write_covidx,
}


def label(index, name: str) -> list:
    """A label column as a list with None for not stated."""
    return [None if value != value else value for value in index[f"label_{name}"]]
