"""Where hiding happens: drop patches before the encoder, or put a learned token in their place. True = hidden.

Shapes: B batch, N patches, V visible patches, C width.
"""

from __future__ import annotations

import torch
from torch import Tensor


def visible_index(hidden_BN: Tensor) -> Tensor:
    """Positions of the visible patches in ascending order, visible_BV; every row must hide the same number."""
    num_visible_B = (~hidden_BN).sum(dim=1)
    if (num_visible_B != num_visible_B[0]).any():
        raise ValueError("dropping needs the same number of hidden patches in every row")
    return (~hidden_BN).nonzero()[:, 1].view(len(hidden_BN), -1)


def drop(tokens_BNC: Tensor, visible_BV: Tensor) -> Tensor:
    """Keep the visible tokens alone, tokens_BVC."""
    return tokens_BNC.gather(1, visible_BV[:, :, None].expand(-1, -1, tokens_BNC.shape[2]))


def replace(tokens_BNC: Tensor, hidden_BN: Tensor, mask_token_C: Tensor) -> Tensor:
    """Put ``mask_token_C`` in the place of every hidden token.

    ``hidden_BN`` may also be weights, 1 where the token is hidden, that carry a gradient.
    """
    if hidden_BN.is_floating_point():
        return tokens_BNC.lerp(mask_token_C.to(tokens_BNC.dtype), hidden_BN[:, :, None].to(tokens_BNC.dtype))
    return torch.where(hidden_BN[:, :, None], mask_token_C.to(tokens_BNC.dtype), tokens_BNC)


def restore(tokens_BVC: Tensor, visible_BV: Tensor, num_patches: int, mask_token_C: Tensor) -> Tensor:
    """Undo ``drop``: every token at its own place, ``mask_token_C`` at the places of the dropped ones, tokens_BNC."""
    num_batch, _, width = tokens_BVC.shape
    filled_BNC = mask_token_C.to(tokens_BVC.dtype).expand(num_batch, num_patches, width)
    return filled_BNC.scatter(1, visible_BV[:, :, None].expand(-1, -1, width), tokens_BVC)
