"""Contrast weighted by how telling the visible patches are (MaCo, Sec. 3.3).

Shapes: B global batch, D group ("mini-batch" in the paper), G = B / D groups, C joint width.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from maskray.losses.precision import in_full_precision


@in_full_precision
def correlation_weights(scores_B: Tensor, tau_1: float, tau_2: float, group_size: int) -> tuple[Tensor, Tensor]:
    """MaCo, Eq. (2): temperature weights w_t_B in 1..e, and loss weights w_l_B, which sum to 1 in each group.

    Groups are consecutive samples. No gradient flows through w_l.
    """
    if len(scores_B) % group_size:
        raise ValueError(
            f"the global batch of {len(scores_B)} cannot be cut into groups of {group_size} (maco, Eq. (2)): "
            "choose a batch_size that is a multiple of group_size, or another group_size"
        )
    scores_GD = scores_B.view(-1, group_size)
    w_t_B = (scores_GD / tau_1).softmax(dim=1).exp().flatten()
    w_l_B = (scores_GD / tau_2).softmax(dim=1).flatten().detach()
    return w_t_B, w_l_B


@in_full_precision
def weighted_contrastive_loss(logits_BB: Tensor, w_l_B: Tensor, group_size: int, mirrored: bool) -> Tensor:
    """MaCo, Eq. (3): each film's cross-entropy over the texts times w_l; sum within each group, mean over groups.

    ``mirrored`` averages it with the other direction, each text over the films, from the same logits (row = film).
    """
    targets_B = torch.arange(len(logits_BB), device=logits_BB.device)
    losses_B = F.cross_entropy(logits_BB, targets_B, reduction="none")
    if mirrored:
        losses_B = (losses_B + F.cross_entropy(logits_BB.T, targets_B, reduction="none")) / 2
    num_groups = len(logits_BB) / group_size
    return (w_l_B * losses_B).sum() / num_groups
