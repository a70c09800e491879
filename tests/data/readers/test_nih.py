import json
import logging

import pytest

from maskray.data.readers.nih import LABELS, read_index
from maskray.errors import InputError
from tests.data.layouts import NIH_HEADER, NIH_ROWS, dataset, label, touch, write, write_nih

HEADERS = {
    "as distributed": NIH_HEADER,
    "trailing comma, 2017": NIH_HEADER + ",",
    "brackets quoted by a spreadsheet": NIH_HEADER.replace(
        "OriginalImage[Width,Height]", '"OriginalImage[Width,Height]"'
    ),
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_headers_with_commas_in_brackets(tmp_path, header):
    index = read_index({"folder": write_nih(tmp_path, header=header)}, dataset("nih"))
    assert list(index["image_id"]) == [row.split(",")[0] for row in NIH_ROWS]
    assert list(index["patient_id"]) == ["1", "1", "2", "3"]
    assert list(index["view"]) == ["PA", "PA", "AP", "PA"]
    assert list(index["official_part"]) == ["train", "train", "test", "test"]
    assert label(index, "Cardiomegaly") == [1, 0, 0, 0]
    assert label(index, "Pleural_Thickening") == [0, 0, 1, 0]
    assert sum(sum(label(index, name)) for name in LABELS) == 5


def test_older_table_with_a_trailing_empty_column(tmp_path):
    write_nih(tmp_path, rows=[row + "," for row in NIH_ROWS], header=NIH_HEADER + ",")
    (tmp_path / "Data_Entry_2017_v2020.csv").rename(tmp_path / "Data_Entry_2017.csv")
    assert len(read_index({"folder": tmp_path}, dataset("nih"))) == 4


@pytest.mark.parametrize(
    "header", ["Image Index,Finding Label,Bbox [x,y,w,h],,,", 'Image Index,Finding Label,"Bbox [x,y,w,h]"']
)
def test_boxes_are_on_the_1024_grid_and_infiltrate_is_infiltration(tmp_path, header):
    write_nih(tmp_path)
    lines = (tmp_path / "BBox_List_2017.csv").read_text().splitlines()[1:]
    write(tmp_path / "BBox_List_2017.csv", [header, *lines])
    index = read_index({"folder": tmp_path}, dataset("nih")).set_index("image_id")
    (box,) = json.loads(index.loc["00000002_000.png", "boxes"])
    assert box == {
        "label": "Infiltration",
        "x": 100.5,
        "y": 20.0,
        "w": 30.0,
        "h": 1004.0,
        "grid_w": 1024,
        "grid_h": 1024,
    }
    assert index.loc["00000003_000.png", "boxes"] == ""


def test_images_as_packed_in_twelve_folders(tmp_path):
    write_nih(tmp_path)
    touch(tmp_path / "images_001/images/00000001_000.png", tmp_path / "images_012/images/00000002_000.png")
    for name in ("00000001_000.png", "00000002_000.png"):
        (tmp_path / "images" / name).unlink()
    index = read_index({"folder": tmp_path}, dataset("nih"))
    assert index["path"][0] == "images_001/images/00000001_000.png"
    assert index["path"][2] == "images_012/images/00000002_000.png"
    assert index["path"][3] == "images/00000003_000.png"


def test_an_image_in_two_places_is_refused(tmp_path):
    touch(write_nih(tmp_path) / "images_003/images/00000003_000.png")
    with pytest.raises(InputError, match=r"images_003/images/00000003_000\.png: .*images/00000003_000\.png too"):
        read_index({"folder": tmp_path}, dataset("nih"))


def test_partial_copy_is_said_and_left_out(tmp_path, caplog):
    write_nih(tmp_path)
    (tmp_path / "images/00000002_000.png").unlink()
    touch(tmp_path / "images/99999999_000.png")
    with caplog.at_level(logging.WARNING):
        index = read_index({"folder": tmp_path}, dataset("nih", expected={"images": 112120, "patients": 30805}))
    assert list(index["image_id"]) == ["00000001_000.png", "00000001_001.png", "00000003_000.png"]
    assert "1 of 4 rows have no image file" in caplog.text
    assert "00000002_000.png" in caplog.text
    assert "1 image file(s) have no row in" in caplog.text
    assert "99999999_000.png" in caplog.text
    assert "3 images; a complete copy has 112120" in caplog.text


def test_row_order_does_not_matter(tmp_path):
    one = read_index({"folder": write_nih(tmp_path / "one")}, dataset("nih"))
    two = read_index({"folder": write_nih(tmp_path / "two", rows=NIH_ROWS[::-1])}, dataset("nih"))
    assert one.equals(two)


BAD_ROWS = {
    "unknown finding": (
        "00000009_000.png,Flu,0,9,1,M,PA,1,1,1,1",
        "line 6, column Finding Labels: unknown finding 'Flu'",
    ),
    "contradiction": ("00000009_000.png,No Finding|Mass,0,9,1,M,PA,1,1,1,1", "line 6, column Finding Labels"),
    "cut off": ("00000009_000.png,Mass,0", "line 6, column Patient ID: empty cell"),
    "repeated": (NIH_ROWS[0], "line 6, column Image Index: this name stands in an earlier row too"),
}


@pytest.mark.parametrize(("row", "message"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_bad_rows_are_named(tmp_path, row, message):
    write_nih(tmp_path, rows=[*NIH_ROWS, row])
    with pytest.raises(InputError, match=f"Data_Entry_2017_v2020.csv, {message}"):
        read_index({"folder": tmp_path}, dataset("nih"))


def test_a_box_that_begins_outside_is_refused(tmp_path):
    write_nih(tmp_path)
    write(tmp_path / "BBox_List_2017.csv", ["a,b,c,d,e,f", "00000001_000.png,Mass,1024,0,5,5"])
    with pytest.raises(InputError, match=r"BBox_List_2017.csv, line 2, column x: .*1024"):
        read_index({"folder": tmp_path}, dataset("nih"))


def test_an_image_in_both_official_lists_is_refused(tmp_path):
    write(write_nih(tmp_path) / "test_list.txt", ["00000001_000.png"])
    with pytest.raises(InputError, match=r"test_list.txt: 00000001_000.png stands in train_val_list.txt too"):
        read_index({"folder": tmp_path}, dataset("nih"))


def test_missing_table_says_what_and_where(tmp_path):
    (tmp_path / "images").mkdir()
    with pytest.raises(InputError, match=r"Data_Entry_2017_v2020.csv: missing: NIH's table.*https://example.org"):
        read_index({"folder": tmp_path}, dataset("nih"))
    with pytest.raises(InputError, match=r"nowhere: no such folder.*https://example.org"):
        read_index({"folder": tmp_path / "nowhere"}, dataset("nih"))
    with pytest.raises(InputError, match="no folder is given"):
        read_index({"folder": None}, dataset("nih"))


def test_real_films(shared_data):
    index = read_index({"folder": shared_data / "nih"}, dataset("nih"))
    assert (len(index), index["patient_id"].nunique()) == (851, 590)
    assert sum(len(json.loads(boxes)) for boxes in index["boxes"] if boxes) == 38
    counts = {name: int(sum(label(index, name))) for name in LABELS}
    assert counts == {
        "Atelectasis": 96, "Cardiomegaly": 17, "Effusion": 75, "Infiltration": 153, "Mass": 15, "Nodule": 22,
        "Pneumonia": 380, "Pneumothorax": 12, "Consolidation": 31, "Edema": 75, "Emphysema": 10, "Fibrosis": 8,
        "Pleural_Thickening": 24, "Hernia": 4,
    }  # fmt: skip
    assert (index[[f"label_{name}" for name in LABELS]].sum(axis=1) == 0).sum() == 428
    assert index["official_part"].value_counts().to_dict() == {"train": 638, "test": 213}


def test_real_film_without_a_row_is_reported(shared_data, caplog):
    index = read_index({"folder": shared_data / "broken/csv_row_missing"}, dataset("nih"))
    assert list(index["image_id"]) == ["00000261_007.png", "00000398_000.png"]
    assert "00000348_000.png" in caplog.text
