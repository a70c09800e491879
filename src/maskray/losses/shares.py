"""One process in the place of several: a batch in parts, whose losses still compare each sample with all others.

Plain accumulation would give each part its own, smaller contrast. Instead the features that the parts exchange are
computed first and kept; then each part meets those of all others; then their gradients go back to the parts that
they came from. The sum is the gradient of the joint batch (Gao et al. 2021, https://arxiv.org/abs/2101.06983, for
losses anywhere in a method's forward pass).

Shapes: B samples of a part, G global batch of all parts of all processes.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


class Shares:
    """Answers :func:`maskray.losses.gather.gather` while the parts of one batch take their turns.

    What a method gathers must not depend on what it has gathered before, and it gathers the same things in every turn.

    Attributes:
        part: whose turn it is.
        num_parts: of each process.
    """

    def __init__(self, num_parts: int) -> None:
        self.num_parts = num_parts
        self.part = 0
        self._call = 0
        self._kept: list[list[Tensor]] = []
        self._everyone: list[Tensor] = []
        self._own: list[tuple[Tensor, Tensor]] = []
        self._is_returning = False

    def begin(self, part: int) -> None:
        """The next forward pass is that of ``part``."""
        self.part, self._call, self._own = part, 0, []

    def answer(self, values_B: Tensor, rows: slice, num_global: int) -> Tensor:
        """The values of the global batch; this part's own ``rows`` of it carry gradient."""
        call, self._call = self._call, self._call + 1
        if not self._everyone:
            if self.part == 0:
                self._kept.append([])
            self._kept[call].append(values_B.detach())
            # The others are not known yet; this pass's losses are thrown away.
            return values_B.repeat(num_global // len(values_B), *[1] * (values_B.dim() - 1))
        everyone_G = self._everyone[call]
        if self._is_returning:
            if values_B.requires_grad and everyone_G.grad is not None:
                self._own.append((values_B, everyone_G.grad[rows].to(values_B.dtype)))
            return everyone_G.detach().to(values_B.dtype)
        others_G = everyone_G.to(values_B.dtype)
        return torch.cat([others_G[: rows.start], values_B, others_G[rows.stop :]])

    def keep(self, join: Callable[[Tensor], Tensor]) -> None:
        """After the first pass: ``join`` makes the global batch of what this process has."""
        for kept in self._kept:
            everyone_G = join(torch.cat(kept))
            if everyone_G.dtype == torch.bfloat16:
                everyone_G = everyone_G.float()  # the gradients of many parts are added up there
            self._everyone.append(everyone_G.requires_grad_(everyone_G.is_floating_point()))
        self._kept = []

    def send_back(self, add_up: Callable[[Tensor], None]) -> bool:
        """After the second pass: ``add_up`` sums a gradient over the processes. False where nothing goes back."""
        self._is_returning = True
        gradients = [everyone_G.grad for everyone_G in self._everyone if everyone_G.grad is not None]
        for gradient_G in gradients:
            add_up(gradient_G)
        return bool(gradients)

    def own_part(self) -> Tensor | None:
        """In the third pass: its gradient is what the losses of all other parts ask of this part's features."""
        terms = [(values_B * gradient_B).sum() for values_B, gradient_B in self._own]
        return torch.stack(terms).sum() if terms else None
