import logging

import pytest

from maskray.data.readers.edema import LABELS, read_index
from maskray.errors import InputError
from tests.data.layouts import EDEMA_TABLES, MIMIC_IMAGES, dataset, label, write_edema, write_mimic, write_site

REGEX, EXPERT, CONSENSUS = EDEMA_TABLES
LIST = "mimic-cxr-sub-img-edema-split-manualtest.csv"


def site_of(tmp_path, tables=EDEMA_TABLES, images=MIMIC_IMAGES):
    return {
        "folder": write_mimic(tmp_path / "mimic", images),
        "annotations": write_edema(tmp_path / "edema", tables),
    }


def grades(index):
    assert set(index[[f"label_{name}" for name in LABELS]].sum(axis=1)) == {1}
    return {row.image_id: next(g for g in range(4) if row[f"label_Grade {g}"] == 1) for _, row in index.iterrows()}


def test_films_of_mimic_with_the_most_trusted_grade(tmp_path):
    index = read_index(write_site("edema", tmp_path), dataset("edema"))
    # The lateral film of the first study is left out; the second study's expert outweighs the regular expression.
    assert grades(index) == {"aa-01": 1, "bb-01": 3, "cc-01": 2}
    assert list(index["official_part"]) == ["regex_report", "expert_report", "consensus_image"]
    assert list(index["patient_id"]) == ["p10000001", "p10000002", "p11000003"]
    assert list(index["study_id"]) == ["s50000001", "s50000002", "s50000003"]
    assert index["path"][0] == "files/p10/p10000001/s50000001/aa-01.jpg"
    assert list(index["person"]) == ["mimic/p10000001", "mimic/p10000002", "mimic/p11000003"]
    assert list(index["same_as"]) == ["mimic/aa-01", "mimic/bb-01", "mimic/cc-01"]


def test_a_graded_film_outweighs_its_studys_report_and_leaves_the_other_films_alone(tmp_path):
    images = (*MIMIC_IMAGES, ("bb-02", "50000002", "10000002", "PA", "train"))
    tables = EDEMA_TABLES | {CONSENSUS: (EDEMA_TABLES[CONSENSUS][0], "10000002,50000002,bb-02,0")}
    index = read_index(site_of(tmp_path, tables, images), dataset("edema"))
    assert grades(index) == {"aa-01": 1, "bb-01": 3, "bb-02": 0}


def test_the_list_of_miccai_2020_with_its_own_spelling(tmp_path):
    lines = ("subject_id,study_id,dicom_id,edeme_severity,fold", "10000001,50000001,aa-02,2.0,1")
    index = read_index(site_of(tmp_path / "alone", {LIST: lines}), dataset("edema"))
    assert grades(index) == {"aa-02": 2}
    assert list(index["official_part"]) == ["miccai2020"]
    beside = (*lines, "10000002,50000002,bb-01,0,TEST")
    index = read_index(site_of(tmp_path / "beside", EDEMA_TABLES | {LIST: beside}), dataset("edema"))
    assert grades(index) == {"aa-01": 1, "aa-02": 2, "bb-01": 3, "cc-01": 2}


def test_the_owners_tables_may_be_spelt_so_too_but_not_twice(tmp_path):
    spelt = EDEMA_TABLES | {REGEX: ("study_id, edeme_severity ,subject_id", "50000001,1,10000001")}
    assert grades(read_index(site_of(tmp_path / "once", spelt), dataset("edema")))["aa-01"] == 1
    twice = EDEMA_TABLES | {REGEX: ("subject_id,study_id,edeme_severity,edema_severity", "10000001,50000001,1,2")}
    with pytest.raises(InputError, match=r"regex_report_edema_severity.csv: two columns edema_severity"):
        read_index(site_of(tmp_path / "twice", twice), dataset("edema"))


def test_rows_may_be_in_any_order_and_repeat_themselves(tmp_path):
    header, *rows = EDEMA_TABLES[REGEX]
    once = read_index(write_site("edema", tmp_path / "once"), dataset("edema"))
    turned = EDEMA_TABLES | {REGEX: (header, *rows[::-1], rows[0])}
    assert read_index(site_of(tmp_path / "turned", turned, MIMIC_IMAGES[::-1]), dataset("edema")).equals(once)


@pytest.mark.parametrize(
    ("file", "row", "message"),
    [
        (REGEX, "10000001,50000001,4", "line 4, column edema_severity: expected a grade from 0 to 3"),
        (REGEX, "10000001,50000009,-1", "line 4, column edema_severity: expected a grade from 0 to 3"),
        (REGEX, "10000001,50000009,", "line 4, column edema_severity: expected a grade from 0 to 3"),
        (REGEX, "10000001,50000001,2", "line 2, column edema_severity: this study_id has two different grades"),
        (REGEX, "10000009,50000001,1", "line 4, column subject_id: MIMIC-CXR's metadata table has this under another"),
        (REGEX, "10000001,,1", "line 4, column study_id: empty cell"),
        (CONSENSUS, "10000001,50000001,,1", "line 3, column dicom_id: empty cell"),
        (
            CONSENSUS,
            "10000001,50000001,bb-01,1",
            "line 3, column subject_id: MIMIC-CXR's metadata table has this under",
        ),
    ],
)
def test_bad_rows_are_named(tmp_path, file, row, message):
    tables = EDEMA_TABLES | {file: (*EDEMA_TABLES[file], row)}
    with pytest.raises(InputError, match=rf"{file}, {message}"):
        read_index(site_of(tmp_path, tables), dataset("edema"))


def test_a_partial_copy_is_said(tmp_path, caplog):
    site = site_of(tmp_path, {REGEX: (*EDEMA_TABLES[REGEX], "12000001,52000001,0")})
    (site["folder"] / "files/p10/p10000001/s50000001/aa-01.jpg").unlink()
    with caplog.at_level(logging.INFO):
        index = read_index(site, dataset("edema"))
    assert grades(index) == {"bb-01": 0}
    assert "consensus_image_edema_severity.csv is not there: no grades from it" in caplog.text
    assert "regex_report_edema_severity.csv has 3 rows; a complete one has 6710" in caplog.text
    assert "1 of 3 ids of" in caplog.text
    assert "e.g. s52000001" in caplog.text
    assert "1 of 2 rows have no image file" in caplog.text


def test_made_tables_are_not_called_partial(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        read_index(write_site("edema", tmp_path), dataset("edema", made=True))
    assert "a complete one has" not in caplog.text


def test_fewer_labels_may_be_asked_for(tmp_path):
    index = read_index(write_site("edema", tmp_path), dataset("edema", labels=["Grade 2"]))
    assert label(index, "Grade 2") == [0, 0, 1]


def test_grades_of_another_mimic_are_refused(tmp_path):
    tables = {REGEX: (EDEMA_TABLES[REGEX][0], "12000001,52000001,0")}
    with pytest.raises(InputError, match=r"1 of 1 ids of .*regex_report.*: is mimic's folder a whole copy"):
        read_index(site_of(tmp_path, tables), dataset("edema"))


def test_missing_folders_and_settings_are_named(tmp_path):
    site = write_site("edema", tmp_path)
    with pytest.raises(InputError, match=r"edema: no annotations is given; .*https://example.org"):
        read_index({"folder": site["folder"]}, dataset("edema"))
    with pytest.raises(InputError, match=r"mimic-cxr-2.0.0-metadata.csv.gz: missing"):
        read_index({"folder": tmp_path, "annotations": site["annotations"]}, dataset("edema"))
    with pytest.raises(InputError, match=r"edema: images_of is not set"):
        read_index(site, dataset("edema", images_of=None))
