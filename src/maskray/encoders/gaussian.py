"""Tokens as Gaussians (D-MLM, Eq. (1)).

Shapes: ... any number of leading axes, C width.
"""

from __future__ import annotations

from torch import Tensor, nn

# Beyond these a variance is 0 or boundless for all purposes, and its gradients blow up.
_LOWEST_LOG_VARIANCE, _HIGHEST_LOG_VARIANCE = -8.0, 4.0


class GaussianHead(nn.Module):
    """Two linear layers: a token's mean and the logarithm of its variance, each of width C."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.to_mean = nn.Linear(width, width)
        self.to_log_variance = nn.Linear(width, width)

    def forward(self, tokens_C: Tensor) -> tuple[Tensor, Tensor]:
        """mean_C and log_variance_C, the latter within -8..4."""
        log_variance_C = self.to_log_variance(tokens_C).clamp(_LOWEST_LOG_VARIANCE, _HIGHEST_LOG_VARIANCE)
        return self.to_mean(tokens_C), log_variance_C
