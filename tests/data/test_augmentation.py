"""Augmentation."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from maskray.config.training import AugmentationConfig
from maskray.data.augmentation import augment, draw

NOTHING = AugmentationConfig(crop_min_area=1, brightness=0, contrast=0)
CROP = AugmentationConfig(crop_min_area=0.6, brightness=0, contrast=0)


def ramp(num: int = 3, side: int = 32) -> torch.Tensor:
    """Grey rises from left to right and, half as steeply, downwards."""
    across = torch.linspace(0, 200, side)
    return (across[None, :] * 0.6 + across[:, None] * 0.3).to(torch.uint8).expand(num, side, side).contiguous()


@settings(max_examples=50)
@given(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=20), st.floats(0.05, 1))
def test_boxes_lie_in_the_film_and_keep_area_and_shape(seeds, min_area):
    draws = draw(np.array(seeds), AugmentationConfig(crop_min_area=min_area))
    assert (draws.height * draws.width >= min_area - 1e-9).all()
    assert (draws.top >= 0).all()
    assert (draws.left >= 0).all()
    assert (draws.top + draws.height <= 1 + 1e-9).all()
    assert (draws.left + draws.width <= 1 + 1e-9).all()
    assert (np.abs(np.log(draws.height / draws.width)) <= np.log(10 / 9) + 1e-9).all()
    for factors in (draws.brightness, draws.contrast):
        assert (np.abs(factors - 1) <= 0.1 + 1e-12).all()


def test_nothing_asked_nothing_changed():
    images = ramp()
    out, ridge = augment(images, None, torch.arange(3), NOTHING)
    assert torch.allclose(out, images.float() / 255, atol=1e-6)
    assert ridge is None


def test_film_and_ridge_get_the_same_crop():
    images = ramp()
    film, ridge = augment(images, images.clone(), torch.arange(3), CROP)
    assert torch.allclose(film, ridge, atol=1e-6)
    assert not torch.allclose(film, images / 255, atol=1e-3)


def test_brightness_leaves_the_ridge_alone():
    images = ramp()
    config = AugmentationConfig(crop_min_area=1, brightness=0.3, contrast=0.3)
    film, ridge = augment(images, images.clone(), torch.arange(3), config)
    assert torch.allclose(ridge, images.float() / 255)
    assert not torch.allclose(film, ridge, atol=1e-3)


def test_a_sample_does_not_depend_on_its_batch():
    images = ramp(4)
    seeds = torch.tensor([7, 8, 9, 10])
    together, _ = augment(images, None, seeds, AugmentationConfig())
    alone, _ = augment(images[2:3], None, seeds[2:3], AugmentationConfig())
    assert torch.allclose(together[2:3], alone, atol=1e-6)
    assert not torch.allclose(together[0], together[1], atol=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_the_box_is_what_is_shown(seed):
    """Against a crop by hand: a linear ramp, cropped, runs between the values at the box's edges."""
    side = 64
    across = torch.linspace(0, 1, side).expand(1, side, side).contiguous()
    out, _ = augment(across, None, torch.tensor([seed]), CROP)
    draws = draw(torch.tensor([seed]), CROP)
    pixels = (np.arange(side) + 0.5) / side
    position = draws.left[0] + pixels * draws.width[0]
    expected = np.clip((position * side - 0.5) / (side - 1), 0, 1)
    assert np.allclose(out[0, 5].numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("seed", range(20))
def test_never_flipped_and_within_range(seed):
    out, _ = augment(ramp(1), None, torch.tensor([seed]), AugmentationConfig(brightness=1, contrast=1))
    assert out.min() >= 0
    assert out.max() <= 1
    plain, _ = augment(ramp(1), None, torch.tensor([seed]), CROP)
    assert (plain[0, :, -1] > plain[0, :, 0]).all()
    assert (plain[0, -1] > plain[0, 0]).all()
