"""Where to look: one score per patch, the highest are hidden first.

Shapes: B batch, H height, W width, N patches (row by row).
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from maskray.masking.randomness import uniform


def random_scores(seeds_B: Tensor, num_patches: int, use: str = "patches") -> Tensor:
    """Uniform scores_BN in [0, 1), on the host: a function of each sample's seed alone."""
    return uniform(seeds_B, num_patches, use)


def ridge_scores(ridge_BHW: Tensor, patch_px: int) -> Tensor:
    """Mean ridge response of each patch, scores_BN in the range of the response."""
    return F.avg_pool2d(ridge_BHW[:, None].float(), patch_px).flatten(1)
