"""The learning rate as a function of the step: nothing to store, nothing to restore."""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import accumulate

from maskray.config.training import OptimisationConfig


def total_steps(config: OptimisationConfig, num_steps_per_epoch: int) -> int:
    """Optimiser steps of the whole run, all phases; none where ``num_epochs`` is 0, else at least one."""
    if config.num_epochs == 0:
        return 0
    return sum(config.phase_steps) + max(1, round(config.num_epochs * num_steps_per_epoch))


def phase_at(config: OptimisationConfig, step: int) -> int:
    """The number of the phase, from 0, that ``step`` belongs to."""
    return bisect_right(list(accumulate(config.phase_steps)), step)


def rate_factor(config: OptimisationConfig, step: int, num_steps: int) -> float:
    """What every group's learning rate is multiplied by at ``step`` (from 0): linear warm-up, then the schedule.

    The cosine is that of Loshchilov and Hutter, "SGDR", Eq. (5), without restarts, ending at 0.
    """
    num_warmup = round(config.warmup_fraction * num_steps)
    if step < num_warmup:
        return (step + 1) / num_warmup
    if config.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (step - num_warmup) / max(1, num_steps - num_warmup)))
