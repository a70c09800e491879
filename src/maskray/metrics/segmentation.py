"""Overlap of a predicted and a true mask, film by film.

Shapes: B films, H height, W width. Where both masks are empty an overlap is 1, as in the papers that score all films.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Counts = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def count_pixels(predicted_BHW: NDArray[np.bool_], true_BHW: NDArray[np.bool_]) -> Counts:
    """Pixels in both masks, in the predicted one, in the true one; int64 [B] each."""
    both_BHW = predicted_BHW & true_BHW
    both, predicted, true = (masks.sum(axis=(1, 2), dtype=np.int64) for masks in (both_BHW, predicted_BHW, true_BHW))
    return both, predicted, true


def dice(both_B: NDArray[np.int64], predicted_B: NDArray[np.int64], true_B: NDArray[np.int64]) -> NDArray[np.float64]:
    """Twice the common area over the sum of both areas, 0..1 [B]."""
    return _ratio(2 * both_B, predicted_B + true_B)


def iou(both_B: NDArray[np.int64], predicted_B: NDArray[np.int64], true_B: NDArray[np.int64]) -> NDArray[np.float64]:
    """The common area over the joint area, 0..1 [B]."""
    return _ratio(both_B, predicted_B + true_B - both_B)


def _ratio(numerator_B: NDArray[np.int64], denominator_B: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(denominator_B == 0, 1.0, numerator_B / np.maximum(denominator_B, 1))
