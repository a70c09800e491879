"""The ridge filter of Masks & Manuscripts, Sec. 2.1: where thin bright structures (ribs, vessels, tubes) run.

From the Hessian of the film, smoothed at several scales; lambda1 and lambda2 are its eigenvalues, abs(lambda1)
<= abs(lambda2). The derivatives are those of scikit-image (Gaussian derivatives, borders continued by reflection).
They are linear and separable: each is a matrix per axis, zero but for a band, and a batch goes through them in blocks.

Shapes: B films, H height, W width, N length of an axis, K = 3 second derivatives in the order (rows, rows),
(columns, columns), (rows, columns).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maskray.config.preprocessing import RidgeConfig

_KERNEL_RADIUS_SIGMAS = 8
_BLOCK_SIZE = 32
# Weights below this share of the largest one's rounding error are nothing.
_NEGLIGIBLE = 0.01
# At 224 px up to 0.6 MB each in float32.
_NUM_CACHED_OPERATORS = 80


@torch.no_grad()
def ridge_response(images_BHW: Tensor, config: RidgeConfig) -> Tensor:
    """Ridge response in 0..1 (0: no ridge), the largest over the scales, each film for itself.

    Give films without padding: a padded border is an edge, and gives a ridge of its own. Every response is divided
    by the film's largest, so that the strongest ridge of a film is 1, whatever its contrast; a film of one grey
    value gives zeros.

    Args:
        images_BHW: float32 or float64, any range.
        config: with ``formula: skimage`` the result is ``skimage.filters.meijering(film, config.sigmas,
            black_ridges=not config.bright_ridges)``, and ``scale`` has no effect.
    """
    if images_BHW.numel() == 0:
        return torch.zeros_like(images_BHW)
    # From zero, a film of one grey value has no rounding errors that the division by the maximum could blow up.
    rising_BHW = images_BHW - images_BHW.amin(dim=(1, 2), keepdim=True)
    if not config.bright_ridges:
        rising_BHW = -rising_BHW
    is_paper = config.formula == "paper"
    response_of = _paper_response if is_paper else _meijering_response
    is_divided_per_scale = not is_paper or config.scale == "sigma2_max"
    response_BHW = torch.zeros_like(images_BHW)
    for sigma in config.sigmas:
        scale_BHW = _per_scale(rising_BHW, sigma, response_of)
        if config.scale != "none":
            scale_BHW *= sigma**2
        if is_divided_per_scale:
            scale_BHW = _divided_by_maximum(scale_BHW)
        response_BHW = torch.maximum(response_BHW, scale_BHW)
    return _divided_by_maximum(response_BHW)


def _paper_response(rr: Tensor, cc: Tensor, rc: Tensor) -> Tensor:
    """0 where lambda2 > 0, else sqrt(lambda1^2 + lambda2^2) (Sec. 2.1).

    lambda2, the larger in magnitude, has the sign of the trace, and the root is the Frobenius norm: no eigenvalue
    needs to be computed.
    """
    norm = (rr.square() + cc.square() + 2 * rc.square()).sqrt_()
    return norm.masked_fill_(rr + cc > 0, 0)


def _meijering_response(rr: Tensor, cc: Tensor, rc: Tensor) -> Tensor:
    """Meijering's neuriteness for bright ridges (doi 10.1002/cyto.a.20022), as in scikit-image, alpha = 1/3.

    With m the mean of the eigenvalues of -H and r half their difference, the modified eigenvalues are
    (1 + alpha) m +- (1 - alpha) r: the one larger in magnitude is the upper where m >= 0, and else negative,
    hence no ridge.
    """
    mean = (rr + cc).mul_(-0.5)
    half_difference = (rc.square() + ((rr - cc) / 2).square_()).sqrt_()
    return (mean * (4 / 3) + half_difference.mul_(2 / 3)).masked_fill_(mean < 0, 0)


def _per_scale(images_BHW: Tensor, sigma: float, response_of: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Tensor:
    """Block by block of rows and columns, which stays in the processor's cache and passes over the zeros."""
    num_films, height, width = images_BHW.shape
    of_rows = _operator(height, sigma, "rows", images_BHW.dtype, images_BHW.device)
    of_columns = _operator(width, sigma, "columns", images_BHW.dtype, images_BHW.device)
    lines_HX = images_BHW.transpose(0, 1).reshape(height, -1)
    response_HBW = torch.empty_like(lines_HX).view(height, num_films, width)
    for rows in of_rows:
        by_rows = (rows.matrix.flatten(0, 1) @ lines_HX[rows.near]).view(3, -1, width)
        for columns in of_columns:
            response = response_of(*torch.bmm(by_rows[:, :, columns.near], columns.matrix))
            response_HBW[rows.lines, :, columns.lines] = response.unflatten(0, (-1, num_films))
    return response_HBW.transpose(0, 1)


def _divided_by_maximum(response_BHW: Tensor) -> Tensor:
    maximum_B11 = response_BHW.amax(dim=(1, 2), keepdim=True)
    return response_BHW / torch.where(maximum_B11 > 0, maximum_B11, 1)


class _Block(NamedTuple):
    """What some lines of an axis take from those that are ``near``; from all others they take nothing.

    ``matrix``: [K, lines, near] for rows, which are multiplied from the left; [K, near, lines] for columns.
    """

    lines: slice
    near: slice
    matrix: Tensor


@lru_cache(maxsize=_NUM_CACHED_OPERATORS)
def _operator(
    length: int, sigma: float, axis: Literal["rows", "columns"], dtype: torch.dtype, device: torch.device
) -> tuple[_Block, ...]:
    """The Hessian's three elements along one axis, for rows from the left, for columns from the right.

    Each derivative is taken in two steps of sigma / sqrt(2), a first derivative (D) or a smoothing (S) each. At a
    border D and S do not commute: the mixed element differentiates rows first, then columns, as scikit-image does.
    """
    smooth, slope = (_convolution(length, sigma / math.sqrt(2), order) for order in (0, 1))
    of_axis = {
        "rows": (slope @ slope, smooth @ smooth, smooth @ slope),
        "columns": (smooth @ smooth, slope @ slope, slope @ smooth),
    }
    matrix_KNN = np.stack(of_axis[axis])
    is_far_KNN = np.abs(matrix_KNN) < torch.finfo(dtype).eps * _NEGLIGIBLE * np.abs(matrix_KNN).max()
    # A GPU would rather have one large product than many small ones.
    size = length if device.type == "cuda" else _BLOCK_SIZE
    blocks = []
    for first in range(0, length, size):
        lines = slice(first, min(first + size, length))
        (near,) = np.nonzero(~is_far_KNN[:, lines].all((0, 1)))
        taken = slice(int(near[0]), int(near[-1]) + 1)
        block_KMN = matrix_KNN[:, lines, taken]
        matrix = np.ascontiguousarray(block_KMN if axis == "rows" else block_KMN.swapaxes(1, 2))
        blocks.append(_Block(lines, taken, torch.from_numpy(matrix).to(device=device, dtype=dtype)))
    return tuple(blocks)


def _convolution(length: int, sigma: float, order: int) -> NDArray[np.float64]:
    """The matrix [N, N] that smooths (order 0) or differentiates (order 1) along an axis continued by reflection
    (d c b a | a b c d | d c b a), with a Gaussian cut at 8 sigma."""
    radius = int(_KERNEL_RADIUS_SIGMAS * sigma + 0.5)
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    weights /= weights.sum()
    if order == 1:
        weights *= offsets / sigma**2
    matrix = np.zeros((length, length))
    rows = np.arange(length)
    for offset, weight in zip(offsets, weights, strict=True):
        reached = (rows + offset) % (2 * length)
        matrix[rows, np.where(reached < length, reached, 2 * length - 1 - reached)] += weight
    return matrix
