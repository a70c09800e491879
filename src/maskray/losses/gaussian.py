"""Distances between diagonal Gaussians (D-MLM). A Gaussian is its mean and the logarithm of its variance.

Shapes: ... any number of leading axes, C dimensions, B batch, T tokens.
"""

from __future__ import annotations

from torch import Tensor

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
def squared_wasserstein(
    mean_C: Tensor, log_variance_C: Tensor, other_mean_C: Tensor, other_log_variance_C: Tensor
) -> Tensor:
    """Squared 2-Wasserstein distance of diagonal Gaussians, divided by C: one number per pair.

    Sum of squares of the differences of means and of standard deviations (Olkin and Pukelsheim 1982,
    DOI 10.1016/0024-3795(82)90112-4).
    """
    deviation_C, other_deviation_C = (0.5 * log_variance_C).exp(), (0.5 * other_log_variance_C).exp()
    return ((mean_C - other_mean_C) ** 2 + (deviation_C - other_deviation_C) ** 2).mean(dim=-1)


@in_full_precision
def mean_over_hidden(values_BT: Tensor, hidden_BT: Tensor) -> Tensor:
    """The mean over the hidden tokens of each sample, then over the samples; 0 where nothing is hidden."""
    num_hidden_B = hidden_BT.sum(dim=1).clamp(min=1)
    return ((values_BT * hidden_BT).sum(dim=1) / num_hidden_B).mean()
