"""The one place where processes exchange tensors, just before the losses over the global batch.

Every process then computes the same loss over the same global batch. The gradients that come back are summed over
the processes and the training loop averages parameters' gradients over them, so that the result is that of one process.

Shapes: B local batch, G global batch, L tokens (padded).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import functional as F

from maskray.losses.shares import Shares

# While a batch is worked through in parts, each of them takes the place of a process.
_shares: Shares | None = None


@contextmanager
def in_parts(num_parts: int) -> Iterator[Shares]:
    """Let each forward pass in the body be one of ``num_parts`` equal parts of this process's batch."""
    global _shares
    _shares = Shares(num_parts)
    try:
        yield _shares
    finally:
        _shares = None


def gather(values_B: Tensor) -> Tensor:
    """Join the local batches in the order of the processes, values_G; identity on one process.

    Gradient flows back to every process's share. All but the first dimension must agree between processes.
    """
    if _shares is not None:
        rows = rows_of_this_process(len(values_B))
        return _shares.answer(values_B, rows, len(values_B) * _shares.num_parts * _num_processes())
    if not _is_distributed():
        return values_B
    if values_B.dtype == torch.bool:
        return gather(values_B.to(torch.uint8)).bool()
    return _Gather.apply(values_B)


def gather_padded(values_BL: Tensor) -> Tensor:
    """``gather`` for texts: each process may have padded to another length; shorter ones are filled with zeros."""
    if not _is_distributed():
        return gather(values_BL)
    longest = torch.tensor(values_BL.shape[1], device=values_BL.device)
    dist.all_reduce(longest, op=dist.ReduceOp.MAX)
    missing = int(longest) - values_BL.shape[1]
    trailing = (0, 0) * (values_BL.dim() - 2)
    return gather(F.pad(values_BL, (*trailing, 0, missing)))


def rows_of_this_process(num_local: int) -> slice:
    """Where this process's samples (or those of the part whose turn it is) lie in the gathered batch."""
    place = dist.get_rank() if _is_distributed() else 0
    if _shares is not None:
        place = place * _shares.num_parts + _shares.part
    return slice(place * num_local, (place + 1) * num_local)


def join_processes(values_B: Tensor) -> Tensor:
    """``gather`` without gradient, and not in parts: what :meth:`Shares.keep` asks for."""
    if not _is_distributed():
        return values_B
    if values_B.dtype == torch.bool:
        return join_processes(values_B.to(torch.uint8)).bool()
    return _all_gather(values_B)


def sum_over_processes(values: Tensor) -> None:
    """In place."""
    if _is_distributed():
        dist.all_reduce(values)


def _num_processes() -> int:
    return dist.get_world_size() if _is_distributed() else 1


def _all_gather(values_B: Tensor) -> Tensor:
    shares = [torch.empty_like(values_B) for _ in range(dist.get_world_size())]
    dist.all_gather(shares, values_B.contiguous())
    return torch.cat(shares)


def _is_distributed() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


class _Gather(torch.autograd.Function):
    """All-gather whose gradient is the sum over all processes of the gradients for this one's share."""

    @staticmethod
    def forward(ctx: Any, values_B: Tensor) -> Tensor:
        ctx.num_local = len(values_B)
        return _all_gather(values_B)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        summed_G = gradients[0].contiguous()
        dist.all_reduce(summed_G)
        return summed_G[rows_of_this_process(ctx.num_local)]
