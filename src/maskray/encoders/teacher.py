"""A copy of a module that follows it slowly, without gradient."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn


class Teacher(nn.Module):
    """The exponential moving average of a module's weights, used like the module itself.

    Attributes:
        copied: the averaged module, in evaluation mode; none of its parameters is trained.
    """

    copied: Any

    def __init__(self, student: nn.Module, momentum: float) -> None:
        super().__init__()
        self._momentum = momentum
        self.copied = copy.deepcopy(student).requires_grad_(False).eval()

    def train(self, mode: bool = True) -> Teacher:
        """Stay in evaluation mode: a target must not depend on dropout."""
        super().train(mode)
        self.copied.eval()
        return self

    @torch.no_grad()
    def follow(self, student: nn.Module) -> None:
        """Move every weight a little towards the student's; buffers are taken as they are."""
        for mine, theirs in zip(self.copied.parameters(), student.parameters(), strict=True):
            mine.lerp_(theirs.detach(), 1 - self._momentum)
        for kept, current in zip(self.copied.buffers(), student.buffers(), strict=True):
            kept.copy_(current)

    @torch.no_grad()
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the averaged module answers; no gradient flows back."""
        return self.copied(*args, **kwargs)
