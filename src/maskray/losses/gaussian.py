"""Distances between diagonal Gaussians (D-MLM). A Gaussian is its mean and the logarithm of its variance.

Shapes: ... any number of leading axes, C dimensions, B batch, T tokens.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from maskray.losses.precision import in_full_precision


@in_full_precision
def kl_divergence(mean_C: Tensor, log_variance_C: Tensor, other_mean_C: Tensor, other_log_variance_C: Tensor) -> Tensor:
    """KL(N || other) in closed form, summed over the dimensions and divided by C: one number per Gaussian."""
    squares_C = (mean_C - other_mean_C) ** 2
    difference_C = log_variance_C - other_log_variance_C
    # exp of the difference, not a quotient of exponentials: finite wherever the difference is.
    terms_C = difference_C.exp() + squares_C * (-other_log_variance_C).exp() - 1 - difference_C
    return 0.5 * terms_C.mean(dim=-1)


@in_full_precision
def as_points(mean_C: Tensor, log_variance_C: Tensor) -> Tensor:
    """Means and standard deviations side by side, points_2C: their squared Euclidean distance is the squared W2.

    For diagonal Gaussians: Olkin and Pukelsheim 1982, DOI 10.1016/0024-3795(82)90112-4.
    """
    return torch.cat([mean_C, (0.5 * log_variance_C).exp()], dim=-1)


@in_full_precision
def squared_wasserstein(
    mean_C: Tensor, log_variance_C: Tensor, other_mean_C: Tensor, other_log_variance_C: Tensor
) -> Tensor:
    """Squared 2-Wasserstein distance of diagonal Gaussians, divided by C: one number per pair."""
    differences_2C = as_points(mean_C, log_variance_C) - as_points(other_mean_C, other_log_variance_C)
    return (differences_2C**2).sum(dim=-1) / mean_C.shape[-1]


@in_full_precision
def mean_over_hidden(values_BT: Tensor, hidden_BT: Tensor) -> Tensor:
    """The mean over the hidden tokens of each sample, then over the samples; 0 where nothing is hidden."""
    num_hidden_B = hidden_BT.sum(dim=1).clamp(min=1)
    return ((values_BT * hidden_BT).sum(dim=1) / num_hidden_B).mean()


def as_query(mean_C: Tensor, log_variance_C: Tensor) -> Tensor:
    """(m, s, 1) of each Gaussian, query_D with D = 2 C + 1, to be multiplied by :func:`as_key`."""
    return F.pad(as_points(mean_C, log_variance_C), (0, 1), value=1.0)


def as_key(mean_C: Tensor, log_variance_C: Tensor) -> Tensor:
    """(2 m, 2 s, -abs(m)^2 - abs(s)^2) / C of each Gaussian, key_D.

    query . key = -squared_wasserstein + (a number of the query alone), which cancels in the difference of two keys:
    zero-shot classification, which takes such differences, then compares distances exactly.
    """
    points_2C = as_points(mean_C, log_variance_C)
    return torch.cat([2 * points_2C, -(points_2C**2).sum(dim=-1, keepdim=True)], dim=-1) / mean_C.shape[-1]
