import csv
import logging
import math
import shutil

import pytest

from maskray.data.mesh_codes import LABELS, labels_of
from maskray.data.readers import openi
from maskray.data.readers.openi import read_index, read_reports
from maskray.errors import InputError
from tests.data.layouts import OPENI_REPORTS, dataset, label, openi_xml, touch, write, write_openi

SETTINGS = dataset("openi")


def bomb(name):
    """A few hundred bytes that would grow to a thousand million."""
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    return [f'<!DOCTYPE eCitation [<!ENTITY e0 "patient">{entities}]><eCitation><uId id="{name}"/>&e9;</eCitation>']


def write_tables(folder, reports=(), films=()):
    """Kaggle's form of reports 1 and 2."""
    rows = [
        "1,normal,normal,Xray Chest PA and Lateral,,None.,Clear.,Normal.",
        '2,"Catheters, Indwelling/right;Pulmonary Edema","Catheters, Indwelling;Edema",XR,Cough.,,,"Edema,\nmild."',
        *reports,
    ]
    write(folder / "indiana_reports.csv", ["uid,MeSH,Problems,image,indication,comparison,findings,impression", *rows])
    rows = [
        "1,1_IM-0001-4001.dcm.png,Frontal",
        "1,1_IM-0001-3001.dcm.png,Lateral",
        "2,2_IM-0652-1001.dcm.png,Frontal",
        *films,
    ]
    write(folder / "indiana_projections.csv", ["uid,filename,projection", *rows])
    touch(*(folder / "images/images_normalized" / row.split(",")[1] for row in rows))
    return folder


@pytest.mark.parametrize("place", ["NLMCXR_png", "images", "."])
def test_one_row_per_image_and_the_report_is_study_and_patient(tmp_path, place):
    index = read_index({"folder": write_openi(tmp_path, place)}, SETTINGS)
    assert list(index["image_id"]) == sorted(image for _, _, images in OPENI_REPORTS.values() for image in images)
    assert list(index["study_id"]) == list(index["patient_id"]) == ["CXR10", "CXR1", "CXR1", "CXR2", "CXR3"]
    assert list(index["path"]) == [f"{place}/{image}.png".removeprefix("./") for image in index["image_id"]]


def test_codes_become_labels_and_an_uncoded_report_states_none(tmp_path):
    index = read_index({"folder": write_openi(tmp_path)}, SETTINGS)
    assert label(index, "No Finding") == [0, 1, 1, 0, None]
    assert label(index, "Cardiomegaly") == label(index, "Enlarged Cardiomediastinum") == [1, 0, 0, 0, None]
    assert label(index, "Support Devices") == [1, 0, 0, 0, None]
    assert label(index, "Pneumothorax") == label(index, "Pleural Effusion") == [0, 0, 0, 1, None]
    assert label(index, "Lung Opacity") == label(index, "Pneumonia") == [0, 0, 0, 1, None]


@pytest.mark.parametrize(
    ("codes", "positive"),
    [
        (["normal"], {"No Finding"}),
        (["Opacity/lung/base/left"], {"Lung Opacity"}),
        (["Opacity/abdomen"], set()),
        (["Nodule/lung/hilum/left"], {"Nodule", "Lung Lesion", "Lung Opacity"}),
        (["Mass/breast/large"], set()),
        (["Thickening/pleura/apex"], {"Pleural Thickening", "Pleural Other"}),
        (["Thickening/bronchi"], set()),
        (["Cardiac Shadow/enlarged/mild"], {"Cardiomegaly", "Enlarged Cardiomediastinum"}),
        (["Cardiac Shadow/irregular"], set()),
        (["Bullous Emphysema", "Technical Quality of Image Unsatisfactory "], {"Emphysema"}),
        (["Technical Quality of Image Unsatisfactory "], set()),
        (["Hernia, Hiatal/large", "Spinal Fusion"], {"Hernia", "Support Devices"}),
    ],
)  # fmt: skip
def test_headings_and_their_qualifiers(codes, positive):
    labels = labels_of(codes)
    assert {name for name, value in labels.items() if value == 1} == positive
    assert list(labels) == list(LABELS)
    assert all(value in (0, 1) for value in labels.values())


@pytest.mark.parametrize("codes", [[], [""], ["No Indexing"]])
def test_without_codes_nothing_is_stated(codes):
    assert all(math.isnan(value) for value in labels_of(codes).values())


@pytest.mark.parametrize(
    ("caption", "view"),
    [
        ("AP portable chest", "AP"),
        ("Chest X-XXXX portable, AP 1 view, XXXX", "AP"),
        ("PA chest radiograph", "PA"),
        ("Frontal chest", "FRONTAL"),
        ("PA and lateral chest x-XXXX", ""),
        ("CHEST 2V FRONTAL/LATERAL", ""),
        ("Chest XXXX and lateral", ""),
        ("A lateral chest x-XXXX", ""),
        ("PA views of the chest", ""),
        ("", ""),
    ],
)
def test_views_are_taken_from_captions_only_where_these_are_plain(tmp_path, caption, view):
    folder = write_openi(tmp_path)
    write(folder / "ecgen-radiology/3.xml", openi_xml("3", ["normal"], caption, ["CXR3_IM-1384-1001"]))
    index = read_index({"folder": folder}, SETTINGS)
    assert list(index["view"]) == ["AP", "", "", "", view]


def test_reports_have_a_line_for_each_section_with_text(tmp_path):
    reports = list(read_reports({"folder": write_openi(tmp_path)}, SETTINGS))
    assert [study for study, _ in reports] == ["CXR1", "CXR10", "CXR2", "CXR3", "CXR4"]
    assert reports[0][1] == "COMPARISON: None.\nFINDINGS: Text of 1.\nIMPRESSION: Stable.\n"


def test_a_report_without_any_text_is_not_yielded(tmp_path):
    folder = write_openi(tmp_path)
    write(folder / "ecgen-radiology/4.xml", ['<eCitation><uId id="CXR4"/></eCitation>'])
    assert [study for study, _ in read_reports({"folder": folder}, SETTINGS)] == ["CXR1", "CXR10", "CXR2", "CXR3"]


def test_the_two_tables_give_the_same_names_and_state_the_view(tmp_path):
    site = {"folder": write_tables(tmp_path)}
    index = read_index(site, SETTINGS)
    assert list(index["image_id"]) == ["CXR1_IM-0001-3001", "CXR1_IM-0001-4001", "CXR2_IM-0652-1001"]
    assert list(index["view"]) == ["LATERAL", "FRONTAL", "FRONTAL"]
    assert list(index["study_id"]) == ["CXR1", "CXR1", "CXR2"]
    assert index["path"][2] == "images/images_normalized/2_IM-0652-1001.dcm.png"
    assert (label(index, "Edema"), label(index, "Support Devices")) == ([0, 0, 1], [0, 0, 1])
    assert list(read_reports(site, SETTINGS)) == [
        ("CXR1", "COMPARISON: None.\nFINDINGS: Clear.\nIMPRESSION: Normal.\n"),
        ("CXR2", "INDICATION: Cough.\nIMPRESSION: Edema, mild.\n"),
    ]


@pytest.mark.parametrize(
    ("reports", "films", "message"),
    [
        (["1,normal,,,,,,"], [], r"indiana_reports.csv, line 5, column uid: this name stands in an earlier row"),
        ([",normal,,,,,,"], [], r"indiana_reports.csv, line 5, column uid: empty cell"),
        ([], ["3,3_IM-0003-1001.dcm.png,Frontal"], r"projections.csv, line 5, column uid: no report of this number"),
        ([], ["2,2_IM-0652-2001.dcm.png,Side"], r"projections.csv, line 5, column projection: expected Frontal or"),
        ([], ["2,2_IM-0652-1001.dcm.png,Frontal"], r"image CXR2_IM-0652-1001 stands there twice"),
    ],
)
def test_bad_rows_of_the_tables_are_named(tmp_path, reports, films, message):
    with pytest.raises(InputError, match=message):
        read_index({"folder": write_tables(tmp_path, reports, films)}, SETTINGS)


def test_reports_without_projections_name_the_missing_table(tmp_path):
    (write_tables(tmp_path) / "indiana_projections.csv").unlink()
    with pytest.raises(InputError, match=r"indiana_projections.csv: missing: .*https://example.org"):
        read_index({"folder": tmp_path}, SETTINGS)


def test_unlisted_and_missing_images_are_said(tmp_path, caplog):
    folder = write_openi(tmp_path)
    (folder / "NLMCXR_png/CXR2_IM-0652-1001.png").rename(folder / "NLMCXR_png/CXR99_IM-0001-1001.png")
    assert len(read_index({"folder": folder}, SETTINGS)) == 4
    assert "1 of 5 rows have no image file" in caplog.text
    assert "1 image file(s) have no row" in caplog.text


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["<eCitation><uId id="], "not well-formed XML, line 1"),
        ([""], "not well-formed XML"),
        (bomb("CXR9"), "declares a document type"),
        (['<!DOCTYPE e SYSTEM "file:///etc/hostname"><e><uId id="CXR9"/></e>'], "declares a document type"),
        (['<?xml version="1.0" encoding="klingon"?><e/>'], "LookupError"),
        (["<eCitation><note>Jane Doe</note></eCitation>"], "no uId"),
        (['<e><uId id="CXR9"/><parentImage/></e>'], "parentImage without id"),
        (["<e>" + " " * openi.MAX_XML_BYTES + '<uId id="CXR9"/></e>'], "more than 1000000 bytes"),
    ],
    ids=["cut", "empty", "bomb", "external", "encoding", "no-name", "no-image-name", "huge"],
)
def test_a_damaged_file_is_named_and_left_out(tmp_path, caplog, lines, said):
    site = {"folder": write_openi(tmp_path)}
    write(tmp_path / "ecgen-radiology/9.xml", lines)
    assert len(read_index(site, SETTINGS)) == 5
    warning = next(message for message in caplog.messages if "9.xml" in message)
    assert said in warning
    assert "Jane Doe" not in caplog.text
    assert len(list(read_reports(site, SETTINGS))) == 5


def test_many_damaged_files_are_an_error(tmp_path, caplog):
    site = {"folder": write_openi(tmp_path)}
    for number in range(openi.MAX_DAMAGED + 1):
        write(tmp_path / f"ecgen-radiology/9{number}.xml", ["<eCitation>"])
    with pytest.raises(InputError, match=r"ecgen-radiology: 6 of 11 files are damaged, e.g. 90.xml"):
        read_index(site, SETTINGS)


def test_a_report_in_two_files_is_an_error(tmp_path):
    folder = write_openi(tmp_path)
    shutil.copy(folder / "ecgen-radiology/1.xml", folder / "ecgen-radiology/1 copy.xml")
    with pytest.raises(InputError, match=r"report CXR1 stands in .*1 copy.xml|1.xml"):
        read_index({"folder": folder}, SETTINGS)


def test_an_empty_folder_of_reports_is_named(tmp_path):
    (tmp_path / "ecgen-radiology").mkdir()
    with pytest.raises(InputError, match=r"ecgen-radiology: no XML file inside.*https://example.org"):
        read_index({"folder": tmp_path}, SETTINGS)


def test_real_reports(shared_data, caplog):
    site = {"folder": shared_data / "open-i"}
    with caplog.at_level(logging.WARNING):
        index = read_index(site, SETTINGS)
    assert len(index) == 7
    assert "5778 of 5785 rows have no image file" in caplog.text
    assert index["study_id"].nunique() == 5
    assert (index["view"] == "").all()  # all of them say "PA and lateral", "2 views" …
    reports = dict(read_reports(site, SETTINGS))
    assert len(reports) == 3064 - 20  # twenty have no word in any section
    assert set(index["study_id"]) <= set(reports)
    assert reports["CXR2"].startswith("COMPARISON: None.\nINDICATION: Preop")


# NegBio's gold labels were made from the same codes, so that they must agree but where our table differs on purpose:
# enlarged cardiac shadows, blood or water beside air in the pleura, and bullae count; thick bronchi are no pleura.
GOLD = {
    "Cardiomegaly": ("Cardiomegaly", 16, 0),
    "Atelectasis": ("Atelectasis", 0, 0),
    "Effusion": ("Pleural Effusion", 2, 3),
    "Infiltration": ("Infiltration", 0, 0),
    "Mass": ("Mass", 0, 1),
    "Nodule": ("Nodule", 0, 0),
    "Pneumonia": ("Pneumonia", 0, 0),
    "Pneumothorax": ("Pneumothorax", 2, 0),
    "Consolidation": ("Consolidation", 0, 0),
    "Edema": ("Edema", 0, 0),
    "Emphysema": ("Emphysema", 8, 0),
    "Fibrosis": ("Fibrosis", 0, 0),
    "Pleural_Thickening": ("Pleural Thickening", 0, 7),
    "normal": ("No Finding", 0, 0),
}


def test_real_labels_against_gold(shared_data):
    folder = shared_data / "open-i"
    if not (folder / "gold_labels.csv").is_file():
        pytest.skip(f"no gold labels in {folder}")
    with (folder / "gold_labels.csv").open(newline="") as handle:
        gold = {row["report_id"]: row for row in csv.DictReader(handle) if row["has_gold"] == "1"}
    _, reports = openi._reports(folder, SETTINGS)
    ours = {report.study_id: labels_of(report.codes) for report in reports if report.study_id in gold}
    assert len(reports) == 3064
    assert len(ours) == len(gold) == 2987
    for name, (label_name, num_more, num_fewer) in GOLD.items():
        pairs = [(ours[report][label_name] == 1, row[name] == "1") for report, row in gold.items()]
        assert (pairs.count((True, False)), pairs.count((False, True))) == (num_more, num_fewer), name
