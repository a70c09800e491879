import json

import pytest

from maskray.data.readers.siim import read_index
from maskray.errors import InputError
from tests.data.layouts import dataset, label, touch, write, write_siim


@pytest.mark.parametrize("table", ["train-rle.csv", "stage_2_train.csv"])
def test_one_row_per_image_with_all_its_masks(tmp_path, table):
    index = read_index({"folder": write_siim(tmp_path, table)}, dataset("siim"))
    assert list(index["image_id"]) == ["1.a", "1.b", "1.c", "1.d"]
    assert label(index, "Pneumothorax") == [0, 1, 0, 1]
    assert [json.loads(runs) if runs else None for runs in index["rle"]] == [
        None, ["100 5 20 3", "7 2"], None, ["1048570 6"],
    ]  # fmt: skip
    assert index["path"][0] == "dicom-images-train/9.a/8.a/1.a.dcm"
    assert index["study_id"][0] == "9.a"
    assert index["patient_id"][0] == "1.a"


def test_flat_folder_of_the_second_stage(tmp_path):
    write(tmp_path / "stage_2_train.csv", ["ImageId,EncodedPixels", "1.a,-1"])
    touch(tmp_path / "stage_2_images/1.a.dcm")
    index = read_index({"folder": tmp_path}, dataset("siim"))
    assert tuple(index.loc[0, ["path", "study_id"]]) == ("stage_2_images/1.a.dcm", "1.a")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1.e, 1048570 7", "line 7, column EncodedPixels: the mask runs past the 1024x1024 pixels"),
        ("1.e, 1000000 10 48560 7", "line 7, column EncodedPixels: the mask runs past"),
        ("1.e, 1 2 3", "line 7, column EncodedPixels: expected pairs"),
        ("1.e, 1 two", "line 7, column EncodedPixels: expected pairs"),
        ("1.e, 5 0", "line 7, column EncodedPixels: a run of length 0"),
        ("1.e,", "line 7, column EncodedPixels: empty cell"),
        ("1.b,-1", "line 2, column EncodedPixels: this image has rows with -1 and rows with a mask"),
    ],
)
def test_bad_masks_are_named(tmp_path, row, message):
    path = write_siim(tmp_path) / "train-rle.csv"
    write(path, [*path.read_text().splitlines(), row])
    with pytest.raises(InputError, match=f"train-rle.csv, {message}"):
        read_index({"folder": tmp_path}, dataset("siim"))


def test_no_images_at_all(tmp_path):
    write(tmp_path / "train-rle.csv", ["ImageId, EncodedPixels", "1.a,-1"])
    with pytest.raises(InputError, match="dicom-images-train: missing: SIIM's DICOM images"):
        read_index({"folder": tmp_path}, dataset("siim"))
    touch(tmp_path / "dicom-images-train/9/8/1.z.dcm")
    with pytest.raises(InputError, match=r"none of the 1 images of the tables is there, e\.g\. 1\.a"):
        read_index({"folder": tmp_path}, dataset("siim"))


def test_real_mask_past_the_end(shared_data, tmp_path):
    (tmp_path / "train-rle.csv").write_bytes((shared_data / "broken/rle_past_end.csv").read_bytes())
    with pytest.raises(InputError, match=r"train-rle.csv, line 2, column EncodedPixels: the mask runs past"):
        read_index({"folder": tmp_path}, dataset("siim"))
