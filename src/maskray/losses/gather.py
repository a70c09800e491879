"""The one place where processes exchange tensors, just before the losses over the global batch.

Every process then computes the same loss over the same global batch. The gradients that come back are summed over
the processes and the training loop averages parameters' gradients over them, so that the result is that of one process.

Shapes: B local batch, G global batch, L tokens (padded).
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import functional as F


def gather(values_B: Tensor) -> Tensor:
    """Join the local batches in the order of the processes, values_G; identity on one process.

    Gradient flows back to every process's share. All but the first dimension must agree between processes.
    """
    if not _is_distributed():
        return values_B
    if values_B.dtype == torch.bool:
        return gather(values_B.to(torch.uint8)).bool()
    return _Gather.apply(values_B)


def gather_padded(values_BL: Tensor) -> Tensor:
    """``gather`` for texts: each process may have padded to another length; shorter ones are filled with zeros."""
    if not _is_distributed():
        return values_BL
    longest = torch.tensor(values_BL.shape[1], device=values_BL.device)
    dist.all_reduce(longest, op=dist.ReduceOp.MAX)
    missing = int(longest) - values_BL.shape[1]
    trailing = (0, 0) * (values_BL.dim() - 2)
    return gather(F.pad(values_BL, (*trailing, 0, missing)))


def rows_of_this_process(num_local: int) -> slice:
    """Where this process's samples lie in the gathered batch."""
    start = dist.get_rank() * num_local if _is_distributed() else 0
    return slice(start, start + num_local)


def _is_distributed() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


class _Gather(torch.autograd.Function):
    """All-gather whose gradient is the sum over all processes of the gradients for this one's share."""

    @staticmethod
    def forward(ctx: Any, values_B: Tensor) -> Tensor:
        ctx.num_local = len(values_B)
        shares = [torch.empty_like(values_B) for _ in range(dist.get_world_size())]
        dist.all_gather(shares, values_B.contiguous())
        return torch.cat(shares)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        summed_G = gradients[0].contiguous()
        dist.all_reduce(summed_G)
        return summed_G[rows_of_this_process(ctx.num_local)]
