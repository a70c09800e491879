"""A method's own texts, of which it needs no more than their tokens.

Shapes: K prompts, L word pieces (padded), M pieces of all prompts, C width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn


class Prompts(nn.Module):
    """Word pieces of one prompt or more, saved with the weights."""

    ids_KL: Tensor
    is_real_KL: Tensor

    def __init__(self, prompts: Sequence[Sequence[int]]) -> None:
        super().__init__()
        longest = max(map(len, prompts))
        ids_KL = torch.zeros(len(prompts), longest, dtype=torch.long)
        for row, pieces in enumerate(prompts):
            ids_KL[row, : len(pieces)] = torch.tensor(pieces)
        lengths_K1 = torch.tensor([[len(pieces)] for pieces in prompts])
        self.register_buffer("ids_KL", ids_KL)
        self.register_buffer("is_real_KL", torch.arange(longest) < lengths_K1)

    @torch.no_grad()
    def forward(self, embed: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """The tokens of all prompts, one prompt after the other, tokens_1MC; no gradient flows back.

        ``embed`` maps ids and is_real to tokens.
        """
        return embed(self.ids_KL, self.is_real_KL)[self.is_real_KL][None]
