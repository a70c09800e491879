"""Random numbers that belong to a sample: the same on one device or four, in any batch.

Shapes: B batch.
"""

from __future__ import annotations

import zlib

import torch
from torch import Tensor


def uniform(seeds_B: Tensor, num: int, use: str) -> Tensor:
    """Draw ``num`` numbers in [0, 1) per sample, on the host: a function of the sample's seed and ``use`` alone.

    ``use`` names what the numbers are for, so that two masks of one sample are independent. The first numbers of
    a longer draw equal those of a shorter one, so that padding does not change a mask.
    """
    generator = torch.Generator()
    salt = zlib.crc32(use.encode())
    rows = []
    for seed in seeds_B.tolist():
        # The odd multiplier spreads neighbouring seeds; two pairs of (seed, use) meet only by the chance of 2^-63.
        generator.manual_seed((seed * 0x9E3779B97F4A7C15 + salt) % 2**63)
        rows.append(torch.rand(num, generator=generator))
    return torch.stack(rows)
