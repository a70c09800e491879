"""How many: from scores to the patches that are hidden. True = hidden.

Shapes: B batch, N patches or tokens.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def count_of(fraction: float, num: int) -> int:
    """The nearest whole number to ``fraction`` of ``num``, halves upwards."""
    return math.floor(fraction * num + 0.5)


def top_count(scores_BN: Tensor, counts_B: Tensor) -> Tensor:
    """Hide exactly ``counts_B`` of the highest scores per row; equal scores are hidden from the first on."""
    order_BN = scores_BN.sort(dim=1, descending=True, stable=True).indices
    places_BN = torch.arange(scores_BN.shape[1], device=scores_BN.device).expand_as(order_BN)
    rank_BN = torch.empty_like(order_BN).scatter_(1, order_BN, places_BN)
    return rank_BN < counts_B.to(scores_BN.device)[:, None]


def top_fraction(scores_BN: Tensor, fraction: float) -> Tensor:
    """Hide the same number in every row: the nearest whole number to ``fraction`` of N, the highest scores.

    On random scores this is the random mask; on ridge scores it hides all above a quantile of the film.
    """
    num = scores_BN.shape[1]
    return top_count(scores_BN, torch.full((len(scores_BN),), count_of(fraction, num)))


def otsu_counts(scores_BN: Tensor) -> Tensor:
    """How many scores of each row lie at or above Otsu's threshold (DOI 10.1109/TSMC.1979.4310076), counts_B.

    The threshold is exact: of all splits between two different values, the one with the largest variance
    between the two classes. A row of equal values cannot be split and counts 1.
    """
    num = scores_BN.shape[1]
    sorted_BN = scores_BN.double().sort(dim=1, descending=True).values
    sums_BN = sorted_BN.cumsum(dim=1)
    num_above = torch.arange(1, num, device=scores_BN.device)
    mean_above = sums_BN[:, :-1] / num_above
    mean_below = (sums_BN[:, -1:] - sums_BN[:, :-1]) / (num - num_above)
    between = num_above * (num - num_above) * (mean_above - mean_below) ** 2
    # A threshold cannot fall between equal values.
    between = between.masked_fill(sorted_BN[:, :-1] == sorted_BN[:, 1:], -1.0)
    return between.argmax(dim=1) + 1


def otsu(scores_BN: Tensor, min_fraction: float, max_fraction: float) -> Tensor:
    """Hide the scores at or above Otsu's threshold of their row: the number follows the film, within the limits."""
    num = scores_BN.shape[1]
    counts_B = otsu_counts(scores_BN).clamp(count_of(min_fraction, num), count_of(max_fraction, num))
    return top_count(scores_BN, counts_B)


def above_the_nth(scores_BN: Tensor, fraction: float) -> Tensor:
    """MedIM's printed mask: hide what lies strictly above the ``fraction`` N-th largest score of its row.

    One fewer than :func:`top_fraction` where all scores differ, and fewer still among equal ones.
    """
    place = max(count_of(fraction, scores_BN.shape[1]), 1)
    return scores_BN > scores_BN.topk(place, dim=1).values[:, -1:]


def mostly_high(scores_BN: Tensor, random_BN: Tensor, fraction: float, share_of_high: float) -> Tensor:
    """MedIM's released mask: random ``share_of_high`` of the high ones and the rest of the count from the low ones.

    High are the ``fraction`` N highest scores; as many patches are hidden as there are high ones.
    """
    high_BN = top_fraction(scores_BN, fraction)
    num_hidden = count_of(fraction, scores_BN.shape[1])
    num_high = count_of(share_of_high, num_hidden)
    counts_B = torch.full((len(scores_BN),), num_high)
    chosen_high_BN = top_count(random_BN.masked_fill(~high_BN, -1.0), counts_B)
    chosen_low_BN = top_count(random_BN.masked_fill(high_BN, -1.0), num_hidden - counts_B)
    return chosen_high_BN | chosen_low_BN


def random_subset(candidates_BN: Tensor, random_BN: Tensor, counts_B: Tensor) -> Tensor:
    """MMCLIP, Eq. (8): hide ``counts_B`` of the candidates at random, or all of them where there are fewer."""
    counts_B = counts_B.to(candidates_BN.device).minimum(candidates_BN.sum(dim=1))
    return top_count(random_BN.to(candidates_BN.device).masked_fill(~candidates_BN, -1.0), counts_B)
