"""Reconstruction of word pieces, hidden ones (True = hidden) or each from those before it.

Shapes: B batch, L word pieces, K hidden word pieces of the whole batch (text by text, left to right), V vocabulary.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from maskray.losses.precision import in_full_precision


@in_full_precision
def hidden_words_loss(logits_KV: Tensor, token_ids_BL: Tensor, hidden_BL: Tensor) -> Tensor:
    """Masks & Manuscripts, Eq. (1), text term: cross-entropy over each text's hidden pieces, then mean over texts."""
    losses_K = F.cross_entropy(logits_KV, token_ids_BL[hidden_BL], reduction="none")
    num_hidden_B = hidden_BL.sum(dim=1)
    text_of_K = hidden_BL.nonzero()[:, 0]
    return (losses_K / num_hidden_B[text_of_K]).sum() / len(hidden_BL)


@in_full_precision
def next_words_loss(logits_BLV: Tensor, token_ids_BL: Tensor, counts_BL: Tensor) -> Tensor:
    """MMCLIP, Eq. (13): each piece from those before it; mean over the pieces that count, of the whole batch.

    ``logits_BLV[:, i]`` predicts piece ``i + 1``; ``counts_BL`` says which pieces are scored (never the first).
    """
    counted_BL = counts_BL[:, 1:]
    losses_BL = F.cross_entropy(logits_BLV[:, :-1].transpose(1, 2), token_ids_BL[:, 1:], reduction="none")
    return (losses_BL * counted_BL).sum() / counted_BL.sum().clamp(min=1)
