"""Reconstruction of word pieces that are hidden (True), or that count for another reason.

Shapes: B batch, L word pieces, K hidden word pieces of the whole batch (text by text, left to right), V vocabulary.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from maskray.losses.precision import in_full_precision


@in_full_precision
def hidden_words_loss(logits_KV: Tensor, token_ids_BL: Tensor, hidden_BL: Tensor) -> Tensor:
    """Cross-entropy over each text's hidden pieces, then mean over texts: Masks & Manuscripts, Eq. (1), text term.

    MMCLIP, Eq. (13): the same, with logits that each piece's predecessor gives; a text without such pieces adds 0.
    """
    losses_K = F.cross_entropy(logits_KV, token_ids_BL[hidden_BL], reduction="none")
    num_hidden_B = hidden_BL.sum(dim=1)
    text_of_K = hidden_BL.nonzero()[:, 0]
    return (losses_K / num_hidden_B[text_of_K]).sum() / len(hidden_BL)
