"""Where and how exactly a benchmark computes."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from maskray.config.stages import Precision
from maskray.training.seeding import compute_repeatably


@dataclass(frozen=True)
class Runtime:
    """The device and precision of one job."""

    device: torch.device
    precision: Precision

    def autocast(self) -> AbstractContextManager:
        """bfloat16 where the settings ask for it; weights and losses stay float32."""
        if self.precision == "bf16-mixed":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()


def prepare_runtime(threads: int, precision: Precision) -> Runtime:
    """Fix the number of threads and ask for deterministic kernels; use a GPU where there is one.

    Same threads, same bits: sums are split by thread, so the number comes from the settings, never from the machine.
    """
    compute_repeatably(threads)
    return Runtime(torch.device("cuda" if torch.cuda.is_available() else "cpu"), precision)
