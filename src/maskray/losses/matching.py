"""Does this text belong to this film? Image-text matching and the choice of its negatives.

Shapes: B queries (local batch), G candidates (global batch), M pairs.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from maskray.losses.precision import in_full_precision


@in_full_precision
def matching_loss(logits_M2: Tensor, is_match_M: Tensor) -> Tensor:
    """Masks & Manuscripts, Eq. (3): cross-entropy of "matched" (index 1) against "not matched" (index 0)."""
    return F.cross_entropy(logits_M2, is_match_M.long())


@torch.no_grad()
@in_full_precision
def choose_negatives(logits_BG: Tensor, same_BG: Tensor, own_B: Tensor, uniform_B: Tensor) -> Tensor:
    """Draw one candidate that does not match each query, in proportion to exp of its logit: negative_B.

    Args:
        logits_BG: similarity over temperature; zeros for a uniform draw.
        same_BG: True where query and candidate have the same text, so that the candidate is no negative. Heeded
            only where a different candidate exists.
        own_B: each query's own place among the candidates; never drawn.
        uniform_B: one number in [0, 1) per query, which decides the draw.
    """
    num_candidates = logits_BG.shape[1]
    if num_candidates < 2:
        raise ValueError("matching needs at least two film-report pairs in a batch")
    is_own_BG = torch.arange(num_candidates, device=own_B.device) == own_B[:, None]
    has_different_B1 = (~same_BG).any(dim=1, keepdim=True)
    excluded_BG = is_own_BG | (same_BG & has_different_B1)
    weights_BG = logits_BG.masked_fill(excluded_BG, float("-inf")).double().softmax(dim=1)
    cumulative_BG = weights_BG.cumsum(dim=1)
    drawn_B1 = uniform_B.to(cumulative_BG)[:, None] * cumulative_BG[:, -1:]
    # From the right: a candidate of weight 0 has the same cumulative weight as the one before it, and is skipped.
    return torch.searchsorted(cumulative_BG, drawn_B1, right=True)[:, 0]
