"""A step in parts, where a process's batch does not fit into memory: same losses, same gradient as in one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from maskray.batch import Batch
from maskray.errors import InputError
from maskray.losses.gather import in_parts, join_processes, sum_over_processes

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Outputs = dict[str, dict[str, Tensor]]


def check_parts(method: nn.Module, num_local: int, num_parts: int) -> None:
    """Raises :class:`InputError` where a batch cannot be worked through in ``num_parts``."""
    if num_local % num_parts:
        raise InputError(
            f"runtime.pretrain.micro_batches: {num_parts} equal parts of {num_local} films are not possible"
        )
    norms = [name for name, part in method.named_modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    if num_parts > 1 and norms:
        raise InputError(f"runtime.pretrain.micro_batches: {norms[0]} is a batch norm and needs the whole batch; set 1")


def backward_in_parts(
    fabric: Fabric,
    module: Any,
    batches: tuple[Batch, ...],
    num_parts: int,
    compute: Callable[[int, tuple[Batch, ...]], Outputs],
) -> Outputs:
    """Leave the gradient of the whole batch in the parameters.

    Each part is computed three times: for its features; for its losses beside the features of all others; and for what
    the losses of the others ask of its features.

    Args:
        module: of Fabric; its own exchange of gradients is replaced by one at the end.
        batches: this process's batch of each stream.
        compute: number of a part and its batches -> ``losses`` with ``total``, and ``measures``.

    Returns:
        The means over the parts.
    """
    parts = list(zip(*(batch.split(num_parts) for batch in batches), strict=True))
    results = []
    with fabric.no_backward_sync(module), in_parts(num_parts) as shares:
        with torch.no_grad():
            for number, part in enumerate(parts):
                shares.begin(number)
                compute(number, part)
        shares.keep(join_processes)
        for number, part in enumerate(parts):
            shares.begin(number)
            outputs = compute(number, part)
            fabric.backward(outputs["losses"]["total"] / num_parts)
            results.append({kind: {k: value.detach() for k, value in each.items()} for kind, each in outputs.items()})
        if shares.send_back(sum_over_processes):
            for number, part in enumerate(parts):
                shares.begin(number)
                compute(number, part)
                own = shares.own_part()
                if own is not None:
                    fabric.backward(own)
    if fabric.world_size > 1:
        for parameter in module.parameters():
            if parameter.grad is not None:
                parameter.grad = fabric.all_reduce(parameter.grad, reduce_op="mean")
    return {kind: {k: _mean([r[kind][k] for r in results]) for k in each} for kind, each in results[0].items()}


def _mean(values: list[Tensor]) -> Tensor:
    return torch.stack([value.float() for value in values]).mean()
