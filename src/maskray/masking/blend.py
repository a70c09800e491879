"""MMCLIP's masks: what several attentions point at, joined and thinned out (its Sec. 3.2.2). True = hidden.

Shapes: B batch, N patches, E joint width, X = 1, or E where single elements of the N x E features are hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from maskray.masking.score import random_scores
from maskray.masking.select import count_of, random_subset, top_fraction


def hide_top(attention_BNE: Tensor, fraction: float, unit: Literal["patch", "element"]) -> Tensor:
    """M(A, lambda): the largest values of A, hidden_BNX; of a patch, the length of its row."""
    scores_BNX = attention_BNE if unit == "element" else attention_BNE.norm(dim=2, keepdim=True)
    return top_fraction(scores_BNX.flatten(1), fraction).view_as(scores_BNX)


def union(masks: Sequence[Tensor]) -> Tensor:
    """Eq. (7): hidden in one of the masks or more."""
    return torch.stack(list(masks)).any(dim=0)


def subset(union_BNX: Tensor, fraction: float, share_of: Literal["patches", "union"], seeds_B: Tensor) -> Tensor:
    """Eq. (8): at random a share of all patches, as far as the union has so many, or of the union, hidden_BNX."""
    union_BK = union_BNX.flatten(1)
    if share_of == "union":
        counts_B = torch.floor(union_BK.sum(dim=1).double() * fraction + 0.5).long()
    else:
        counts_B = torch.full((len(union_BK),), count_of(fraction, union_BK.shape[1]))
    random_BK = random_scores(seeds_B, union_BK.shape[1], "subset")
    return random_subset(union_BK, random_BK, counts_B).view_as(union_BNX)
