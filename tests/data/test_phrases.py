"""Phrases of the index, and their boxes on square films."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from maskray.data.phrases import mask_of_boxes, read_phrases
from maskray.errors import InputError


def box(x, y, w, h, grid_w=100, grid_h=100, **more):
    return {"x": x, "y": y, "w": w, "h": h, "grid_w": grid_w, "grid_h": grid_h} | more


def films(*cells):
    rows = [(f"i{number}", f"p{number}", cell if cell == "" else json.dumps(cell)) for number, cell in enumerate(cells)]
    return pd.DataFrame(rows, columns=["image_id", "patient_id", "boxes"])


def test_boxes_of_one_film_and_one_sentence_are_one_phrase():
    edema = {"label": "Edema", "phrase": "mild edema"}
    cell = [
        box(1, 1, 5, 5, **edema),
        box(50, 1, 5, 5, **edema),
        box(1, 1, 9, 9, label="Pneumonia", phrase="a focus on the left"),
    ]
    read = read_phrases(films(cell, "", [box(2, 2, 5, 5, **edema)]), Path("index.parquet"))
    assert [(phrase.item_id, phrase.patient_id, phrase.label, len(phrase.boxes)) for phrase in read] == [
        ("i0/0", "p0", "Pneumonia", 1),
        ("i0/1", "p0", "Edema", 2),
        ("i2/0", "p2", "Edema", 1),
    ]
    assert read[1].text == "mild edema"


def test_boxes_without_phrases_are_not_grounded():
    with pytest.raises(InputError, match=r"index\.parquet: no film of the test part has a box for a phrase"):
        read_phrases(films([box(1, 1, 2, 2, label="Mass")], ""), Path("index.parquet"))


def test_a_box_follows_its_film_into_the_square():
    # A film of 200 x 100 pixels becomes 8 x 4 in the middle of a square of 8.
    mask = mask_of_boxes([box(50, 0, 50, 50, 200, 100)], (2, 0, 4, 8), 8)
    expected = np.zeros((8, 8), bool)
    expected[2:4, 2:4] = True
    np.testing.assert_array_equal(mask, expected)


def test_a_tall_film_has_bars_at_its_sides():
    whole = mask_of_boxes([box(0, 0, 100, 400, 100, 400)], (0, 3, 8, 2), 8)
    assert whole[:, 3:5].all()
    assert whole.sum() == 16


def test_several_boxes_are_one_mask():
    mask = mask_of_boxes([box(0, 0, 50, 50), box(25, 25, 50, 50)], (0, 0, 8, 8), 8)
    assert mask.sum() == 16 + 16 - 4


@pytest.mark.parametrize(("x", "y"), [(0, 0), (99.9, 99.9), (50, 99.9)])
def test_the_smallest_box_holds_a_pixel_of_its_film(x, y):
    mask = mask_of_boxes([box(x, y, 0.1, 0.1)], (2, 0, 4, 8), 8)
    assert mask.sum() == 1
    assert mask[2:6].sum() == 1


def test_boxes_on_a_painted_film_of_any_shape_cover_what_they_cover_there():
    """The share of the film that a box covers does not depend on how the film lies in its square."""
    rng = np.random.default_rng(0)
    for grid_h, grid_w in rng.integers(400, 3000, (30, 2)):
        x, y = rng.uniform(0, 0.5, 2) * (grid_w, grid_h)
        w, h = rng.uniform(0.2, 0.5, 2) * (grid_w, grid_h)
        longer = max(grid_h, grid_w)
        height, width = round(grid_h * 224 / longer), round(grid_w * 224 / longer)
        content = ((224 - height) // 2, (224 - width) // 2, height, width)
        mask = mask_of_boxes([box(x, y, w, h, int(grid_w), int(grid_h))], content, 224)
        assert mask.sum() / (height * width) == pytest.approx(w * h / (grid_w * grid_h), abs=0.012)
