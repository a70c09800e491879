"""Random crop, brightness and contrast: a pure function of the sample seeds. No flips: reports say left and right.

Shapes: B batch, H height, W width.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from maskray.config.training import AugmentationConfig

# The crop's height over its width stays within this factor of the film's: a heart must not look wider than it is.
_MAX_STRETCH = 10 / 9
# Keeps these numbers apart from others that are drawn from the same sample seed.
_PURPOSE = 1


class Draws(NamedTuple):
    """What was drawn for each sample; float64 [B]. Boxes in fractions of the film, factors around 1."""

    top: np.ndarray
    left: np.ndarray
    height: np.ndarray
    width: np.ndarray
    brightness: np.ndarray
    contrast: np.ndarray


def draw(sample_seeds_B: Tensor | np.ndarray, config: AugmentationConfig) -> Draws:
    """Boxes with an area of ``crop_min_area``..1 and factors within ``brightness`` and ``contrast`` of 1."""
    uniforms = np.array([_uniforms(int(seed)) for seed in sample_seeds_B]).reshape(-1, 6)
    area = config.crop_min_area + (1 - config.crop_min_area) * uniforms[:, 0]
    # The second bound keeps the area of a box that is cut at the film's edge above crop_min_area.
    stretch = min(_MAX_STRETCH, 1 / config.crop_min_area)
    ratio = np.exp((2 * uniforms[:, 1] - 1) * math.log(stretch))
    height = np.minimum(np.sqrt(area * ratio), 1)
    width = np.minimum(np.sqrt(area / ratio), 1)
    return Draws(
        top=(1 - height) * uniforms[:, 2],
        left=(1 - width) * uniforms[:, 3],
        height=height,
        width=width,
        brightness=1 + config.brightness * (2 * uniforms[:, 4] - 1),
        contrast=1 + config.contrast * (2 * uniforms[:, 5] - 1),
    )


def augment(
    images_BHW: Tensor, ridge_BHW: Tensor | None, sample_seeds_B: Tensor, config: AugmentationConfig
) -> tuple[Tensor, Tensor | None]:
    """Crop film and ridge response alike; change brightness and contrast of the film alone.

    Args:
        images_BHW: uint8 0..255, or float 0..1; on any device.
        ridge_BHW: the same, or None.
        sample_seeds_B: int64, on the host.
        config: how much.

    Returns:
        Film and ridge response, float32 in 0..1, of the size they came in.
    """
    draws = draw(sample_seeds_B, config)
    images_BHW = _crop(_to_unit(images_BHW), draws, config)
    brightness, contrast = (
        torch.as_tensor(values, dtype=torch.float32, device=images_BHW.device).reshape(-1, 1, 1)
        for values in (draws.brightness, draws.contrast)
    )
    images_BHW = images_BHW * brightness
    mean_B11 = images_BHW.mean(dim=(1, 2), keepdim=True)
    images_BHW = ((images_BHW - mean_B11) * contrast + mean_B11).clamp(0, 1)
    return images_BHW, None if ridge_BHW is None else _crop(_to_unit(ridge_BHW), draws, config)


def _uniforms(seed: int) -> np.ndarray:
    return np.random.Generator(np.random.PCG64([seed, _PURPOSE])).random(6)


def _to_unit(images_BHW: Tensor) -> Tensor:
    return images_BHW.float() / 255 if images_BHW.dtype == torch.uint8 else images_BHW


def _crop(images_BHW: Tensor, draws: Draws, config: AugmentationConfig) -> Tensor:
    """The boxes, resized to the whole film's size; the crop enlarges, so plain bilinear reading does not alias."""
    if config.crop_min_area == 1:
        return images_BHW
    num_images, height, width = images_BHW.shape
    theta = np.zeros((num_images, 2, 3), dtype=np.float32)
    # The sampling grid runs from -1 to 1 over the film: scale by the box's side, move to its centre.
    theta[:, 0, 0], theta[:, 1, 1] = draws.width, draws.height
    theta[:, 0, 2] = 2 * draws.left + draws.width - 1
    theta[:, 1, 2] = 2 * draws.top + draws.height - 1
    grid_BHW2 = F.affine_grid(
        torch.from_numpy(theta).to(images_BHW.device), [num_images, 1, height, width], align_corners=False
    )
    cropped = F.grid_sample(
        images_BHW.unsqueeze(1), grid_BHW2, mode="bilinear", padding_mode="border", align_corners=False
    )
    return cropped.squeeze(1).clamp(0, 1)
