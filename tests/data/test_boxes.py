import json

import pandas as pd
import pytest

from maskray.data.boxes import boxes_by_image, refuse_bad_runs
from maskray.data.tables import Table
from maskray.errors import InputError

COLUMNS = ["x", "y", "w", "h"]


def table_of(tmp_path, rows, columns):
    path = tmp_path / "table.csv"
    path.write_text("\n".join([",".join(columns), *(",".join(row) for row in rows)]) + "\n")
    return Table(path, pd.DataFrame(rows, columns=columns, dtype="str"))


def boxes_of(tmp_path, rows):
    table = table_of(tmp_path, rows, ["image", *COLUMNS])
    return boxes_by_image(table, "image", pd.Series("Mass", index=table.rows.index), COLUMNS, 100)


def test_boxes_of_one_image_are_joined_in_any_order(tmp_path):
    rows = [("a", "9", "1", "2", "3"), ("b", "1", "1", "1", "1"), ("a", "2", "5", "2", "3"), ("a", "2", "5", "2", "3")]
    boxes = boxes_of(tmp_path, rows)
    assert [(box["x"], box["y"]) for box in json.loads(boxes["a"])] == [(2, 5), (9, 1)]
    assert boxes.sort_index().equals(boxes_of(tmp_path, rows[::-1]).sort_index())


def test_a_box_past_the_border_is_cut_there(tmp_path):
    (box,) = json.loads(boxes_of(tmp_path, [("a", "90", "99.5", "10.4", "7")])["a"])
    assert (box["w"], box["h"], box["grid_w"]) == (10, 0.5, 100)


@pytest.mark.parametrize(
    "row", [("-1", "0", "1", "1"), ("0", "100", "1", "1"), ("0", "0", "0", "1"), ("0", "0", "1", "-2")]
)
def test_impossible_boxes_are_refused(tmp_path, row):
    with pytest.raises(InputError, match=r"table.csv, line 2, column"):
        boxes_of(tmp_path, [("a", *row)])


def phrase_boxes(tmp_path, rows):
    table = table_of(tmp_path, rows, ["image", "text", *COLUMNS, "width", "height"])
    labels = pd.Series("Mass", index=table.rows.index)
    return boxes_by_image(table, "image", labels, COLUMNS, ("width", "height"), phrase="text")


def test_the_grid_may_be_each_images_own_and_boxes_may_have_a_sentence(tmp_path):
    rows = [("a", "large, mass", "90", "1", "20", "3", "100", "200"), ("b", "mass", "90", "1", "20", "3", "2000", "99")]
    boxes = phrase_boxes(tmp_path, rows)
    assert json.loads(boxes["a"]) == [
        {"label": "Mass", "phrase": "large, mass", "x": 90, "y": 1, "w": 10, "h": 3, "grid_w": 100, "grid_h": 200}
    ]
    assert json.loads(boxes["b"])[0]["w"] == 20
    assert '"grid_w": 2000, "grid_h": 99}' in boxes["b"]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (("100", "0", "1", "1", "100", "200"), "column x: the box begins outside the image"),
        (("0", "200", "1", "1", "300", "200"), "column y: the box begins outside the image"),
        (("0", "0", "1", "1", "0", "200"), "column width: not a number of pixels"),
        (("0", "0", "1", "1", "9", "2.5"), "column height: not a number of pixels"),
        (("0", "0", "1", "1", "9", ""), "column height: not a number"),
    ],
)
def test_impossible_grids_are_refused_without_the_sentence(tmp_path, cells, message):
    with pytest.raises(InputError, match=rf"table.csv, line 2, {message}") as caught:
        phrase_boxes(tmp_path, [("a", "secret words", *cells)])
    assert "secret" not in str(caught.value)


def decoded_end(run: str) -> int:
    """Where a relative run-length mask ends, the obvious way."""
    position = 0
    numbers = [int(number) for number in run.split()]
    for gap, length in zip(numbers[::2], numbers[1::2], strict=True):
        position += gap
        position += length
    return position


@pytest.mark.parametrize("run", ["0 16", "3 13", "3 2 1 10", "3 14", "16 1", "0 5 5 7"])
def test_runs_must_end_inside_the_image(tmp_path, run):
    table = table_of(tmp_path, [(run,)], ["rle"])
    if decoded_end(run) <= 16:
        refuse_bad_runs(table, "rle", 4)
    else:
        with pytest.raises(InputError, match="past the 4x4 pixels"):
            refuse_bad_runs(table, "rle", 4)
