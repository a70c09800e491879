"""Where to look: one score per patch, the highest are hidden first.

Shapes: B batch, H height, W width, N patches (row by row), T words or word pieces, M keys (word pieces or patches),
E joint width.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from maskray.masking.randomness import uniform


def random_scores(seeds_B: Tensor, num_patches: int, use: str = "patches") -> Tensor:
    """Uniform scores_BN in [0, 1), on the host: a function of each sample's seed alone."""
    return uniform(seeds_B, num_patches, use)


def ridge_scores(ridge_BHW: Tensor, patch_px: int) -> Tensor:
    """Mean ridge response of each patch, scores_BN in the range of the response."""
    return F.avg_pool2d(ridge_BHW[:, None].float(), patch_px).flatten(1)


@torch.no_grad()
def phrase_scores(patches_BNE: Tensor, words_BTE: Tensor, chosen_BT: Tensor, tau: float | None) -> Tensor:
    """MedIM, Eq. (2) and (5): per chosen word a softmax over the patches, summed over the words, scores_BN.

    A mask is no path for gradients. A text without a chosen word scores 0 everywhere.

    Args:
        patches_BNE: of the whole film.
        words_BTE: of its text.
        chosen_BT: True on the words that guide.
        tau: features are L2-normalised and their products divided by it; None: the raw products, as printed.
    """
    if tau is not None:
        patches_BNE, words_BTE = F.normalize(patches_BNE, dim=2) / tau, F.normalize(words_BTE, dim=2)
    attention_BNT = (patches_BNE @ words_BTE.transpose(1, 2)).float().softmax(dim=1)
    return (attention_BNT * chosen_BT[:, None]).sum(dim=2)


@torch.no_grad()
def attended(patches_BNE: Tensor, keys_BME: Tensor, key_is_real_BM: Tensor | None = None) -> Tensor:
    """MMCLIP, Eq. (4) to (6): what each patch gathers from the keys by scaled dot products, gathered_BNE.

    A mask is no path for gradients. Keys of one batch row serve all films.
    """
    logits_BNM = patches_BNE @ keys_BME.transpose(1, 2) / keys_BME.shape[2] ** 0.5
    if key_is_real_BM is not None:
        logits_BNM = logits_BNM.masked_fill(~key_is_real_BM[:, None], float("-inf"))
    return logits_BNM.softmax(dim=2).to(keys_BME.dtype) @ keys_BME
