"""True masks on the square films of the shards."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from maskray.data.made.formats import run_lengths
from maskray.data.masks import TrueMasks, decode_runs
from maskray.errors import InputError

WHOLE = (0, 0, 16, 16)


def masks_of(content=WHOLE, folder=None, **cells):
    film = {"image_id": "a", "boxes": "", "rle": "", "mask": ""} | cells
    return TrueMasks(pd.DataFrame([film]), np.array([content], np.int32), 16, folder).read(["a"])[0]


def test_runs_are_read_as_they_are_written():
    mask = np.zeros((1024, 1024), bool)
    mask[100:300, 40:90] = True
    mask[1000:, 1000:] = True
    np.testing.assert_array_equal(decode_runs(run_lengths(mask)), mask)


def test_runs_of_several_rows_are_joined_and_brought_to_the_square():
    first, second = np.zeros((2, 1024, 1024), bool)
    first[:512, :256], second[512:, 768:] = True, True
    found = masks_of(rle=json.dumps([run_lengths(first), run_lengths(second)]))
    expected = np.zeros((16, 16), bool)
    expected[:8, :4], expected[8:, 12:] = True, True
    np.testing.assert_array_equal(found, expected)


def test_boxes_follow_their_film_into_the_square():
    box = {"label": "Pneumonia", "x": 0, "y": 50, "w": 50, "h": 50, "grid_w": 100, "grid_h": 100}
    found = masks_of(content=(0, 4, 16, 8), boxes=json.dumps([box]))
    assert found.sum() == 8 * 4
    assert found[8:, 4:8].all()


def test_a_mask_file_is_read_from_the_folder(tmp_path):
    drawn = np.zeros((40, 20), np.uint8)
    drawn[20:, :10] = 1
    Image.fromarray(drawn).save(tmp_path / "a.png")
    found = masks_of(content=(0, 4, 16, 8), folder=tmp_path, mask="a.png")
    assert found[8:, 4:8].all()
    assert found.sum() == 8 * 4


@pytest.mark.parametrize("width", [1, 20, 31])
def test_a_mask_thinner_than_half_a_pixel_does_not_vanish(width):
    mask = np.zeros((1024, 1024), bool)
    mask[:640, 70 : 70 + width] = True
    found = masks_of(rle=json.dumps([run_lengths(mask)]))
    # Pixels of 64: it lies in the second column, over ten rows.
    assert found[:10, 1].all()
    assert found.sum() == 10


def test_a_film_without_any_is_empty():
    assert not masks_of().any()


def test_what_cannot_be_read_is_named(tmp_path):
    (tmp_path / "bad.png").write_text("no picture")
    with pytest.raises(InputError, match=r"a\.png: the masks of this data set are files: name its folder"):
        masks_of(mask="a.png")
    with pytest.raises(InputError, match=r"a\.png: no such mask"):
        masks_of(folder=tmp_path, mask="a.png")
    with pytest.raises(InputError, match=r"bad\.png: not a readable picture"):
        masks_of(folder=tmp_path, mask="bad.png")
