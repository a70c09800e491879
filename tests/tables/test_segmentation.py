"""Pictures of segmentation."""

import numpy as np
import pytest
from PIL import Image

from maskray.data.drawn_masks import DrawnMasks, pack
from maskray.data.shard_store import ImageStore
from maskray.errors import InputError
from maskray.tables.segmentation import ShownFilm, draw_segmentation, films_to_show, spread_films
from tests.made_benchmark import write_benchmark

BLUE, RED = (31, 95, 174), (209, 73, 91)


def square(first, last, size=32):
    mask = np.zeros((size, size), bool)
    mask[first:last, first:last] = True
    return mask


def film(drawn, true=None):
    true = square(0, 20) if true is None else true
    return ShownFilm("film", np.full((32, 32), 0.5), true, drawn)


def masks_of(is_positive, fraction=1.0, size=8):
    """Films ``test-000`` and on, the true mask of a positive one its first two rows and columns; all is drawn."""
    true = pack(np.stack([square(0, 2 * shown, size) for shown in is_positive]))
    drawn = pack(np.ones((len(is_positive), size, size), bool))
    return DrawnMasks([f"test-{row:03d}" for row in range(len(true))], true, drawn, size, fraction)


def pixels_like(path, colour):
    picture = np.asarray(Image.open(path).convert("RGB")).astype(int)
    return int((np.abs(picture - np.array(colour)).sum(axis=2) < 12).sum())


def draw(films, path, fractions=(0.01, 1.0)):
    draw_segmentation(films, fractions, "mnm: segmentation", "MADE DATA", path)
    return path


@pytest.mark.parametrize("num", [1, 3])
def test_outlines_are_drawn_the_same_each_time(tmp_path, num):
    films = [film([square(4, 12), square(1, 21)])] * num
    first, second = (draw(films, tmp_path / f"{name}.png").read_bytes() for name in "ab")
    assert first == second
    empty = draw([film([square(0, 0)] * 2, square(0, 0))] * num, tmp_path / "empty.png")
    assert pixels_like(empty, BLUE) == pixels_like(empty, RED) == 0
    assert min(pixels_like(tmp_path / "a.png", colour) for colour in (BLUE, RED)) > 100 * num


def test_an_outline_lies_where_its_mask_does(tmp_path, monkeypatch):
    kept = []
    monkeypatch.setattr("maskray.tables.segmentation.save", lambda figure, path: kept.append(figure))
    draw([film([square(4, 12)])], tmp_path / "a.png", (1.0,))
    plain, panel = kept[0].axes
    assert not plain.collections
    # Pixel 0 reaches from -0.5 to 0.5; a mask at the film's edge is closed along it.
    true, drawn = (outline.get_paths()[0].get_extents().extents for outline in panel.collections)
    assert np.allclose(true, [-0.5, -0.5, 19.5, 19.5])
    assert np.allclose(drawn, [3.5, 3.5, 11.5, 11.5])
    assert (panel.get_title(loc="left"), panel.get_xlabel()) == ("100%", "Dice 0.28")  # 2 x 64 / (64 + 400)
    assert panel.get_ylim() == (31.5, -0.5)


def test_films_are_spread_over_both_kinds_whatever_was_drawn():
    mixed = masks_of([row % 2 == 1 for row in range(20)])
    assert spread_films(mixed, 6) == ["test-001", "test-005", "test-011", "test-015", "test-000", "test-010"]
    assert spread_films(masks_of([True] * 9), 3) == ["test-000", "test-003", "test-006"]
    assert spread_films(masks_of([False] * 4), 3) == ["test-000", "test-001", "test-002"]
    assert len(spread_films(mixed, 50)) == 20
    # Short of films with a mask, those without fill up.
    assert spread_films(masks_of([True, False, False, False]), 4) == ["test-000", "test-001", "test-002", "test-003"]


def test_films_come_from_the_shards_with_the_masks_of_each_fraction(tmp_path):
    store = ImageStore(write_benchmark(tmp_path).manifest.parent)
    few, all_labels = (masks_of([False, True], fraction) for fraction in (0.01, 1.0))
    shown = films_to_show([few, all_labels], store, 2)
    assert [one.image_id for one in shown] == ["test-001", "test-000"]
    assert 0 < shown[0].film_SS.max() <= 1
    assert shown[0].true_SS.sum() == 4
    assert [mask.sum() for mask in shown[0].drawn] == [64, 64]


@pytest.mark.parametrize("other", [masks_of([True]), masks_of([False, True], size=16)])
def test_masks_of_other_films_are_refused(tmp_path, other):
    store = ImageStore(write_benchmark(tmp_path).manifest.parent)
    with pytest.raises(InputError, match="the masks at 100% are of other films; segment again"):
        films_to_show([masks_of([False, True]), other], store, 2)
