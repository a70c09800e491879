"""Contrast of matched image-text pairs with all others of the batch.

Shapes: N global batch, E joint width.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from maskray.losses.precision import in_full_precision


@in_full_precision
def similarity_logits(images_NE: Tensor, texts_NE: Tensor, tau: Tensor) -> Tensor:
    """Cosine similarity over temperature: row = image, column = text, logits_NN."""
    return F.normalize(images_NE, dim=1) @ F.normalize(texts_NE, dim=1).T / tau


@in_full_precision
def contrastive_loss(logits_NN: Tensor, left_out_NN: Tensor | None = None) -> Tensor:
    """Masks & Manuscripts, Eq. (2): both directions added, without a factor 1/2; matched pairs on the diagonal.

    Off the diagonal, ``left_out_NN`` is True on pairs that are no negatives.
    """
    if left_out_NN is not None:
        is_match_NN = torch.eye(len(logits_NN), dtype=torch.bool, device=logits_NN.device)
        logits_NN = logits_NN.masked_fill(left_out_NN & ~is_match_NN, float("-inf"))
    targets_N = torch.arange(len(logits_NN), device=logits_NN.device)
    return F.cross_entropy(logits_NN.T, targets_N) + F.cross_entropy(logits_NN, targets_N)


def same_text(token_ids_NL: Tensor, token_is_real_NL: Tensor) -> Tensor:
    """True where two texts consist of the same word pieces, same_NN; True on the diagonal."""
    ids_NL = token_ids_NL.masked_fill(~token_is_real_NL, -1)
    # Numbering the different texts first avoids comparing all words of all pairs.
    _, text_N = ids_NL.unique(dim=0, return_inverse=True)
    return text_N[:, None] == text_N[None, :]
