"""Which word pieces are hidden. True = hidden.

Shapes: B batch, L word pieces (padded).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from maskray.masking.randomness import uniform
from maskray.masking.select import top_count


def hide_words(
    token_ids_BL: Tensor,
    token_is_real_BL: Tensor,
    token_is_first_BL: Tensor,
    fraction: float,
    seeds_B: Tensor,
    special_ids: Sequence[int],
) -> Tensor:
    """Choose ``fraction`` of each text's word pieces, at least one, hidden_BL.

    Those marked in ``token_is_first_BL`` (the answers) take the budget first, the others share what is left;
    within each kind the choice is random by the sample's seed. Special tokens and padding are never hidden.
    """
    special = torch.tensor(tuple(special_ids), dtype=token_ids_BL.dtype, device=token_ids_BL.device)
    may_hide_BL = token_is_real_BL & ~torch.isin(token_ids_BL, special)
    num_words_B = may_hide_BL.sum(dim=1)
    # The text may be shorter than one over the fraction: one piece is hidden all the same.
    counts_B = torch.floor(num_words_B.double() * fraction + 0.5).long().clamp(min=1).minimum(num_words_B)
    scores_BL = uniform(seeds_B, token_ids_BL.shape[1], "words").to(token_ids_BL.device)
    scores_BL = (scores_BL + token_is_first_BL).masked_fill(~may_hide_BL, -1.0)
    return top_count(scores_BL, counts_B)
