"""Cross-modality encoder: one modality's tokens look at the other's (Masks & Manuscripts, Fig. 1, after MaskVLM).

Shapes: B batch, S own tokens (class token first), Q the first of them that are wanted, M tokens of the other modality,
C width, A attention heads.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MLP_RATIO = 4


class Attention(nn.Module):
    """Multi-head attention of queries on a context that may be padded."""

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.output = nn.Linear(width, width)

    def forward(self, queries_BQC: Tensor, context_BMC: Tensor, context_is_real_BM: Tensor | None) -> Tensor:
        """Each query's mixture of the real context tokens, mixed_BQC.

        ``context_is_real_BM`` may also be a table BQM of what each query sees.
        """
        heads = (self.num_heads, -1)
        query_BAQ = self.query(queries_BQC).unflatten(2, heads).transpose(1, 2)
        key_value = self.key_value(context_BMC).unflatten(2, (2, *heads)).permute(2, 0, 3, 1, 4)
        is_real = context_is_real_BM
        if is_real is not None:
            is_real = is_real[:, None, None] if is_real.dim() == 2 else is_real[:, None]
        mixed_BAQ = F.scaled_dot_product_attention(query_BAQ, key_value[0], key_value[1], attn_mask=is_real)
        return self.output(mixed_BAQ.transpose(1, 2).flatten(2))


class CrossModalityBlock(nn.Module):
    """Self-attention, cross-attention to the other modality, feed-forward; normalised before each."""

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.norm_self = nn.LayerNorm(width)
        self.norm_cross = nn.LayerNorm(width)
        self.norm_feed = nn.LayerNorm(width)
        self.self_attention = Attention(width, num_heads)
        self.cross_attention = Attention(width, num_heads)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, MLP_RATIO * width), nn.GELU(), nn.Linear(MLP_RATIO * width, width)
        )

    def forward(
        self,
        tokens_BSC: Tensor,
        is_real_BS: Tensor | None,
        other_BMC: Tensor,
        other_is_real_BM: Tensor | None,
        num_wanted: int,
    ) -> Tensor:
        """The first ``num_wanted`` tokens after the block, tokens_BQC; the others serve as context alone."""
        normed_BSC = self.norm_self(tokens_BSC)
        wanted_BQC = tokens_BSC[:, :num_wanted]
        wanted_BQC = wanted_BQC + self.self_attention(normed_BSC[:, :num_wanted], normed_BSC, is_real_BS)
        wanted_BQC = wanted_BQC + self.cross_attention(self.norm_cross(wanted_BQC), other_BMC, other_is_real_BM)
        return wanted_BQC + self.feed_forward(self.norm_feed(wanted_BQC))


class CrossModalityEncoder(nn.Module):
    """A stack of cross-modality blocks and a last normalisation."""

    def __init__(self, width: int, depth: int, num_heads: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(CrossModalityBlock(width, num_heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.apply(_initialise)

    def forward(
        self,
        tokens_BSC: Tensor,
        is_real_BS: Tensor | None,
        other_BMC: Tensor,
        other_is_real_BM: Tensor | None,
        class_only: bool = False,
    ) -> Tensor:
        """All tokens, tokens_BSC; or the class token alone, class_BC, for which the last block does less work.

        ``None`` for ``is_real`` means that no token is padding.
        """
        for place, block in enumerate(self.blocks, start=1):
            is_last = place == len(self.blocks)
            num_wanted = 1 if class_only and is_last else tokens_BSC.shape[1]
            tokens_BSC = block(tokens_BSC, is_real_BS, other_BMC, other_is_real_BM, num_wanted)
        tokens_BSC = self.norm(tokens_BSC)
        return tokens_BSC[:, 0] if class_only else tokens_BSC


def _initialise(module: nn.Module) -> None:
    """Small normal weights and zero biases, as in ViT and BERT."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        torch.nn.init.zeros_(module.bias)
