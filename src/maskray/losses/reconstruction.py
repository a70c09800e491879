"""Reconstruction of films. True = hidden; where a mask is given, visible patches never count.

Shapes: B batch, N patches, P values per patch, H = W pixels.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from maskray.losses.precision import in_full_precision


@in_full_precision
def hidden_l1(predicted_BNP: Tensor, target_BNP: Tensor, hidden_BN: Tensor) -> Tensor:
    """Masks & Manuscripts, Eq. (1), image term: L1 over each film's hidden values, divided by their number Omega.

    The mean over the films follows, so that a film with a small mask counts as much as one with a large mask.
    """
    return _mean_over_films((predicted_BNP - target_BNP).abs(), hidden_BN)


@in_full_precision
def hidden_mse(predicted_BNP: Tensor, target_BNP: Tensor, hidden_BN: Tensor) -> Tensor:
    """MaCo, Eq. (1): squared error of the hidden patches, its mean over values, patches and films."""
    return _mean_over_films((predicted_BNP - target_BNP) ** 2, hidden_BN)


@in_full_precision
def whole_mse(predicted_BHW: Tensor, target_BHW: Tensor) -> Tensor:
    """MedIM, one term of Eq. (6): squared error over the whole film, hidden and visible, its mean over pixels."""
    return F.mse_loss(predicted_BHW, target_BHW)


def _mean_over_films(error_BNP: Tensor, hidden_BN: Tensor) -> Tensor:
    """Mean over the hidden values of each film, then over the films."""
    num_hidden_B = hidden_BN.sum(dim=1).clamp(min=1)
    return ((error_BNP.mean(dim=2) * hidden_BN).sum(dim=1) / num_hidden_B).mean()


def patch_statistics(target_BNP: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each patch, mean_BN1 and deviation_BN1; finite on black patches."""
    variance_BN1, mean_BN1 = target_BNP.var(dim=2, keepdim=True), target_BNP.mean(dim=2, keepdim=True)
    return mean_BN1, (variance_BN1 + 1e-6).sqrt()


def normalise_patches(target_BNP: Tensor) -> Tensor:
    """Each patch with mean 0 and standard deviation 1, as MAE's targets."""
    mean_BN1, deviation_BN1 = patch_statistics(target_BNP)
    return (target_BNP - mean_BN1) / deviation_BN1


def undo_normalise(normalised_BNP: Tensor, target_BNP: Tensor) -> Tensor:
    """Give each patch the mean and standard deviation of the target's, for the eye."""
    mean_BN1, deviation_BN1 = patch_statistics(target_BNP)
    return normalised_BNP * deviation_BN1 + mean_BN1
