"""Maps against boxes: by hand, and against loops over pixels."""

import math

import numpy as np
import pytest

from maskray.metrics.grounding import (
    contrast_to_noise,
    mean_iou,
    measure_map,
    points_inside,
    scale_to_ones,
)

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5)


def box(height, width, top, left, h, w):
    inside = np.zeros((height, width), bool)
    inside[top : top + h, left : left + w] = True
    return inside


def test_two_by_three_by_hand():
    heat = np.array([[0.0, 2.0, 4.0], [1.0, 3.0, 4.0]])
    inside = box(2, 3, 0, 1, 2, 1)  # 2 and 3
    # scaled: -1 0 1 / -0.5 0.5 1; above 0.1 to 0.4: three pixels, one of them inside, union 4; above 0.5: two, union 4
    assert mean_iou(scale_to_ones(heat), inside, THRESHOLDS) == pytest.approx((4 * 1 / 4 + 0) / 5)
    # inside: mean 2.5, variance 0.25; outside 0, 4, 1, 4: mean 2.25, variance 3.1875
    assert contrast_to_noise(heat, inside) == pytest.approx(0.25 / math.sqrt(0.25 + 3.1875))
    assert points_inside(heat, inside) == 0
    assert points_inside(heat, box(2, 3, 0, 2, 1, 1)) == 0.5  # one of the two equal maxima
    assert points_inside(heat, box(2, 3, 0, 2, 2, 1)) == 1


def slow_measures(heat, inside):
    """Pixel by pixel."""
    height, width = heat.shape
    low, high = min(map(min, heat.tolist())), max(map(max, heat.tolist()))
    ious, hot, cold, top = [], [], [], []
    for threshold in THRESHOLDS:
        both = either = 0
        for y in range(height):
            for x in range(width):
                above = 2 * (heat[y, x] - low) / (high - low) - 1 > threshold
                both += above and inside[y, x]
                either += above or inside[y, x]
        ious.append(both / either)
    for y in range(height):
        for x in range(width):
            (hot if inside[y, x] else cold).append(heat[y, x])
            if heat[y, x] == high:
                top.append(inside[y, x])
    means = [sum(part) / len(part) for part in (hot, cold)]
    spread = sum(sum((v - mean) ** 2 for v in part) / len(part) for part, mean in zip((hot, cold), means, strict=True))
    signed = (means[0] - means[1]) / math.sqrt(spread)
    return {
        "miou": sum(ious) / len(ious),
        "cnr": abs(signed),
        "cnr_signed": signed,
        "pointing_game": sum(top) / len(top),
        "box_share": len(hot) / (height * width),
    }


@pytest.mark.parametrize("seed", range(8))
def test_as_loops_over_pixels_do(seed):
    rng = np.random.default_rng(seed)
    heat = rng.integers(0, 12, (9, 7)).astype(np.float64)  # several equal maxima
    inside = box(9, 7, *rng.integers(0, 4, 2), 3, 2) | box(9, 7, 6, 4, 2, 3)
    assert measure_map(heat, inside, THRESHOLDS) == pytest.approx(slow_measures(heat, inside))


def test_a_map_that_is_the_boxes_is_perfect_and_its_opposite_is_not():
    inside = box(20, 20, 3, 4, 6, 5)
    noise = np.random.default_rng(0).normal(scale=0.01, size=inside.shape)
    good, bad = measure_map(inside + noise, inside, THRESHOLDS), measure_map(noise - inside, inside, THRESHOLDS)
    assert good["miou"] == 1
    assert good["pointing_game"] == 1
    assert good["cnr"] == good["cnr_signed"] > 10
    assert bad["cnr"] == -bad["cnr_signed"] > 10
    assert (bad["miou"], bad["pointing_game"]) == (0, 0)


def test_scale_changes_nothing():
    heat, inside = np.random.default_rng(1).random((12, 12)), box(12, 12, 2, 2, 5, 5)
    assert measure_map(heat, inside, THRESHOLDS) == pytest.approx(measure_map(1e-4 * heat - 7, inside, THRESHOLDS))


def test_a_flat_map_points_blindly():
    inside = box(10, 10, 0, 0, 5, 6)
    measures = measure_map(np.full((10, 10), 0.3), inside, THRESHOLDS)
    assert measures == {"miou": 0, "cnr": 0, "cnr_signed": 0, "pointing_game": 0.3, "box_share": 0.3}


def test_boxes_over_everything_have_no_contrast():
    heat = np.random.default_rng(2).random((4, 4))
    measures = measure_map(heat, np.ones((4, 4), bool), THRESHOLDS)
    assert math.isnan(measures["cnr"])
    assert measures["pointing_game"] == 1


@pytest.mark.parametrize(
    ("heat", "inside", "message"),
    [
        (np.zeros((2, 2)), np.zeros((2, 2), bool), "no pixel"),
        (np.array([[0, np.nan], [0, 0]]), box(2, 2, 0, 0, 1, 1), "finite"),
    ],
)
def test_what_cannot_be_measured_is_refused(heat, inside, message):
    with pytest.raises(ValueError, match=message):
        measure_map(heat, inside, THRESHOLDS)
