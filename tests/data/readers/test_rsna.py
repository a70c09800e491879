import json

import pytest

from maskray.data.readers.rsna import MAPPINGS, read_index
from maskray.errors import InputError
from tests.data.layouts import dataset, label, touch, write, write_rsna


def test_one_row_per_image_with_all_its_boxes(tmp_path):
    index = read_index({"folder": write_rsna(tmp_path)}, dataset("rsna"))
    assert list(index["image_id"]) == ["a", "b", "c", "d"]
    assert label(index, "Pneumonia") == [0, 1, 0, 1]
    assert index["path"][1] == "stage_2_train_images/b.dcm"
    assert [(box["x"], box["h"]) for box in json.loads(index["boxes"][1])] == [(1.0, 4.0), (10.0, 40.0)]
    assert index["boxes"][0] == ""


def test_two_ids_of_one_patient(tmp_path, caplog):
    index = read_index({"folder": write_rsna(tmp_path)}, dataset("rsna"))
    assert list(index["patient_id"]) == ["00000007", "00000007", "00000008", "d"]
    assert "1 of 4 images are not in" in caplog.text


def test_without_mappings_each_image_is_a_patient_and_it_is_said(tmp_path, caplog):
    (write_rsna(tmp_path) / MAPPINGS).unlink()
    index = read_index({"folder": tmp_path}, dataset("rsna"))
    assert list(index["patient_id"]) == ["a", "b", "c", "d"]
    assert f"{MAPPINGS} is not there" in caplog.text


def test_partial_copy(tmp_path, caplog):
    (write_rsna(tmp_path) / "stage_2_train_images/c.dcm").unlink()
    touch(tmp_path / "stage_2_train_images/x.dcm")
    assert list(read_index({"folder": tmp_path}, dataset("rsna"))["image_id"]) == ["a", "b", "d"]
    assert "no image file" in caplog.text
    assert "have no row" in caplog.text


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,1,1,1,1,1", "line 3, column Target: this image has rows with Target 0 and with Target 1"),
        ("e,1,1,1,1,2", "line 7, column Target: expected 0 or 1"),
        ("e,1,,1,1,1", "line 7, column y: not a number"),
        ("e,1,1,0,1,1", "line 7, column width: not above 0"),
        ("e,1,1500,1,1,1", "line 7, column y: the box begins outside"),
    ],
)
def test_bad_rows_are_named(tmp_path, row, message):
    path = write_rsna(tmp_path) / "stage_2_train_labels.csv"
    write(path, [*path.read_text().splitlines(), row])
    with pytest.raises(InputError, match=f"stage_2_train_labels.csv, {message}"):
        read_index({"folder": tmp_path}, dataset("rsna"))


def test_damaged_mappings_are_named(tmp_path):
    (write_rsna(tmp_path) / MAPPINGS).write_text('{"a": 1}')
    with pytest.raises(InputError, match=f"{MAPPINGS}: expected a list"):
        read_index({"folder": tmp_path}, dataset("rsna"))
