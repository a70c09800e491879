"""Which word pieces are hidden. True = hidden.

Shapes: B batch, L word pieces (padded).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from maskray.masking.randomness import uniform
from maskray.masking.select import random_subset, top_count


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
    may_hide_BL = word_pieces(token_ids_BL, token_is_real_BL, special_ids)
    scores_BL = uniform(seeds_B, token_ids_BL.shape[1], "words").to(token_ids_BL.device)
    scores_BL = (scores_BL + token_is_first_BL).masked_fill(~may_hide_BL, -1.0)
    return top_count(scores_BL, _share_of(may_hide_BL, fraction))


def hide_share(candidates_BL: Tensor, fraction: float, seeds_B: Tensor) -> Tensor:
    """Choose ``fraction`` of each text's candidates at random, at least one where there is one, hidden_BL."""
    random_BL = uniform(seeds_B, candidates_BL.shape[1], "words")
    return random_subset(candidates_BL, random_BL, _share_of(candidates_BL, fraction))


def word_pieces(token_ids_BL: Tensor, token_is_real_BL: Tensor, special_ids: Sequence[int]) -> Tensor:
    """True on what is neither a special token nor padding, is_word_BL."""
    special = torch.tensor(tuple(special_ids), dtype=token_ids_BL.dtype, device=token_ids_BL.device)
    return token_is_real_BL & ~torch.isin(token_ids_BL, special)


def causal_sight(token_is_real_BL: Tensor, hidden_BL: Tensor) -> Tensor:
    """MMCLIP, Eq. (10), as what may be looked at: row = piece, column = what it sees, sees_BLL.

    A piece sees itself, whatever it is, and the real pieces before it that are not hidden.
    """
    length = token_is_real_BL.shape[1]
    before_LL = torch.ones(length, length, dtype=torch.bool, device=token_is_real_BL.device).tril()
    itself_LL = torch.eye(length, dtype=torch.bool, device=token_is_real_BL.device)
    return before_LL & (token_is_real_BL & ~hidden_BL)[:, None] | itself_LL


def _share_of(candidates_BL: Tensor, fraction: float) -> Tensor:
    """How many of each row's candidates are hidden, counts_B."""
    num_B = candidates_BL.sum(dim=1)
    # The text may be shorter than one over the fraction: one piece is hidden all the same.
    return torch.floor(num_B.double() * fraction + 0.5).long().clamp(min=1).minimum(num_B)
