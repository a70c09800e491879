"""Films of any shape to squares of one size. Shapes: H height, W width, S side of the square."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Content = tuple[int, int, int, int]
"""Where the film lies inside its padded square: top, left, height, width, in pixels of the square."""


def resize_to_square(image_HW: NDArray[np.float32], size_px: int) -> tuple[NDArray[np.uint8], Content]:
    """The film in the middle of a black square, its longer side filling it, its proportions kept.

    Returns uint8 [S, S] (255 = 1.0) and the film's place. Pillow's triangle filter grows with the reduction, so that it
    averages areas; it has no negative lobes, whose overshoot along sharp edges (collimation, letters) would
    give the ridge filter ridges that are not on the film.
    """
    height, width = _fitted(image_HW.shape[0], image_HW.shape[1], size_px)
    resized = Image.fromarray(image_HW.astype(np.float32, copy=False)).resize(
        (width, height), Image.Resampling.BILINEAR, reducing_gap=3.0
    )
    top, left = (size_px - height) // 2, (size_px - width) // 2
    square_SS = np.zeros((size_px, size_px), np.uint8)
    square_SS[top : top + height, left : left + width] = np.rint(np.clip(np.asarray(resized), 0, 1) * np.float32(255))
    return square_SS, (top, left, height, width)


def _fitted(height: int, width: int, size_px: int) -> tuple[int, int]:
    longer = max(height, width)
    return max(1, round(height * size_px / longer)), max(1, round(width * size_px / longer))
