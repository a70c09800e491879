"""How well a map over a film points at the boxes of a phrase.

Shapes: H, W pixels of the film, K thresholds. Masks are True inside a box.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.floating]
Mask = NDArray[np.bool_]


def scale_to_ones(map_HW: Map) -> Map:
    """The map stretched to reach from -1 to 1; a flat one is 0 everywhere."""
    low, high = float(map_HW.min()), float(map_HW.max())
    if high == low:
        return np.zeros_like(map_HW, np.float64)
    return 2 * (map_HW.astype(np.float64) - low) / (high - low) - 1


def mean_iou(map_HW: Map, inside_HW: Mask, thresholds: Sequence[float]) -> float:
    """Intersection over union of what lies above a threshold and the boxes, mean over the thresholds."""
    shares = []
    for threshold in thresholds:
        above_HW = map_HW > threshold
        shares.append((above_HW & inside_HW).sum() / (above_HW | inside_HW).sum())
    return float(np.mean(shares))


def contrast_to_noise(map_HW: Map, inside_HW: Mask) -> float:
    """(mean inside - mean outside) / sqrt(variance inside + variance outside), signed; 0 for a flat map.

    NaN where the boxes cover everything. BioViL reports the absolute value (Boecking et al. 2022,
    doi:10.1007/978-3-031-20059-5_1).
    """
    inside, outside = map_HW[inside_HW].astype(np.float64), map_HW[~inside_HW].astype(np.float64)
    if not outside.size:
        return float("nan")
    difference, noise = inside.mean() - outside.mean(), np.sqrt(inside.var() + outside.var())
    if noise > 0:
        return float(difference / noise)
    return 0.0 if difference == 0 else float("nan")


def points_inside(map_HW: Map, inside_HW: Mask) -> float:
    """The pointing game: 1 where the maximum lies inside a box, else 0.

    Of several equal maxima the share inside: a flat map scores the boxes' share of the area, as pointing blindly does.
    """
    return float(inside_HW[map_HW == map_HW.max()].mean())


def measure_map(map_HW: Map, inside_HW: Mask, thresholds: Sequence[float]) -> dict[str, float]:
    """Every measure of one phrase; ``box_share`` is the boxes' share of the area.

    Raises ValueError where the boxes hold no pixel, or the map a value that is not a finite number.
    """
    if not inside_HW.any():
        raise ValueError("the boxes hold no pixel")
    if not np.isfinite(map_HW).all():
        raise ValueError("the map has a value that is not a finite number")
    signed = contrast_to_noise(map_HW, inside_HW)
    return {
        "miou": mean_iou(scale_to_ones(map_HW), inside_HW, thresholds),
        "cnr": abs(signed),
        "cnr_signed": signed,
        "pointing_game": points_inside(map_HW, inside_HW),
        "box_share": float(inside_HW.mean()),
    }
