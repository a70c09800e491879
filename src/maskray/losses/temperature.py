"""A learned temperature."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Temperature(nn.Module):
    """exp of a learned parameter, kept within limits.

    The parameter itself is put back within the limits before use: clamping its exponential instead would stop
    the gradient there, and a temperature that has once left would never come back.
    """

    def __init__(self, initial: float, lowest: float = 0.01, highest: float = 1.0) -> None:
        super().__init__()
        self.log_limits = (math.log(lowest), math.log(highest))
        self.log_tau = nn.Parameter(torch.tensor(math.log(initial)))

    def forward(self) -> Tensor:
        """The temperature, a scalar."""
        with torch.no_grad():
            self.log_tau.clamp_(*self.log_limits)
        return self.log_tau.exp()
