import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskray.images.resize import resize_to_square


@settings(max_examples=60)
@given(st.integers(1, 400), st.integers(1, 400), st.integers(2, 96))
def test_the_film_fills_one_side_in_the_middle_and_keeps_its_proportions(height, width, size_px):
    square, (top, left, film_height, film_width) = resize_to_square(np.ones((height, width), np.float32), size_px)
    assert square.shape == (size_px, size_px)
    assert square.dtype == np.uint8
    assert max(film_height, film_width) == size_px
    assert abs(film_height / size_px - height / max(height, width)) <= 1 / size_px
    assert abs(film_width / size_px - width / max(height, width)) <= 1 / size_px
    assert abs(2 * top + film_height - size_px) <= 1
    assert abs(2 * left + film_width - size_px) <= 1
    inside = square[top : top + film_height, left : left + film_width]
    assert (inside == 255).all()
    assert square.sum(dtype=int) == 255 * inside.size


def test_a_reduction_averages_areas():
    stripes = np.tile(np.array([0, 1], np.float32), (1024, 512))
    square, _ = resize_to_square(stripes, 64)
    np.testing.assert_allclose(square, 127.5, atol=4)


def test_a_sharp_edge_gives_no_overshoot():
    edge = np.full((600, 600), 0.25, np.float32)
    edge[:, 333:] = 0.75
    square, _ = resize_to_square(edge, 224)
    assert square.min() == round(0.25 * 255)
    assert square.max() == round(0.75 * 255)
    assert (np.diff(square.astype(int), axis=1) >= 0).all()


def test_a_film_of_the_right_size_is_not_changed():
    values = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    square, content = resize_to_square(values.astype(np.float32) / 255, 64)
    np.testing.assert_array_equal(square, values)
    assert content == (0, 0, 64, 64)


@pytest.mark.parametrize("shape", [(200, 100), (100, 200)])
def test_left_stays_left_and_top_stays_top(shape):
    film = np.zeros(shape, np.float32)
    film[: shape[0] // 2, : shape[1] // 2] = 1
    square, (top, left, height, width) = resize_to_square(film, 80)
    inside = square[top : top + height, left : left + width] / 255
    assert inside[: height // 2 - 1, : width // 2 - 1].min() == 1
    assert inside[height // 2 + 1 :].max() == 0
    assert inside[:, width // 2 + 1 :].max() == 0
