"""A training step at the papers' size beside the plain way to take it, and how near it comes to the matrix rate."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import psutil
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from maskray.batch import Batch
from maskray.benchmarks.full_size import full_size_batches, full_size_method
from maskray.benchmarks.machine import matrix_rate
from maskray.benchmarks.measure import ON, Row, Sizes, compare
from maskray.methods import METHODS, Method

_ON = {"cpu": "all cores of the CPU", "cuda": ON["cuda"]}
PEER = "float32, attention written out"


def measure_steps(top: Path, sizes: Sizes, seconds: float, device: torch.device) -> list[Row]:
    """One row for each method: loss, gradients and update in bf16 with fused attention, beside :data:`PEER`; all cores.

    ``agreement``: how far the losses lie apart, relative to the peer's. ``limits``: the share of the rate of a large
    matrix product, measured here, that the method's own multiplications reach.
    """
    if not sizes.num_step_images:
        return []
    num_threads = torch.get_num_threads()
    torch.set_num_threads(psutil.cpu_count(logical=False) or 1)
    try:
        rate = matrix_rate(device, torch.bfloat16)
        return [_measure(top, name, sizes.num_step_images, device, rate, seconds) for name in METHODS]
    finally:
        torch.set_num_threads(num_threads)


def _measure(top: Path, name: str, num: int, device: torch.device, rate: float, seconds: float) -> Row:
    # MaCo's groups must fit into the batch.
    knobs = {"group_size": min(16, num)} if name == "maco" else {}
    method, num_tokens = full_size_method(top, name, **knobs)
    method = method.to(device)
    batches = tuple(batch.to(device) for batch in full_size_batches(method, num_tokens, num))
    optimiser = torch.optim.AdamW([p for p in method.parameters() if p.requires_grad], lr=1e-6)
    ours = _Step(method, batches, optimiser, lambda: torch.autocast(device.type, torch.bfloat16))
    peer = _Step(method, batches, optimiser, lambda: sdpa_kernel(SDPBackend.MATH))
    # Both losses of the same weights: the first of the updates comes with the second.
    loss = float(ours.loss_and_gradients())
    optimiser.zero_grad(set_to_none=True)
    with FlopCounterMode(display=False) as counter:
        plain_loss = peer.take()
    difference = abs(loss - plain_loss) / abs(plain_loss)
    row = compare(
        f"training step, {name}, ViT-B/16, {num_tokens} word pieces, {_ON[device.type]}",
        "images/s",
        lambda _: ours.take,
        lambda _: peer.take,
        peer_name=PEER,
        num_items=num,
        seconds=seconds,
        agreement={"loss difference": difference},
    )
    flops_per_image = counter.get_total_flops() / num
    row = row.with_limit("the bf16 matrix rate", flops_per_image * row.ours.median / rate)
    return row.with_agreement("TFLOP an image", flops_per_image / 1e12)


class _Step:
    """Loss, gradients, update, in one way of computing."""

    def __init__(
        self,
        method: Method,
        batches: tuple[Batch, ...],
        optimiser: torch.optim.Optimizer,
        computing: Callable[[], contextlib.AbstractContextManager[object]],
    ) -> None:
        self._method, self._batches, self._optimiser, self._computing = method, batches, optimiser, computing

    def loss_and_gradients(self) -> torch.Tensor:
        """The loss, whose gradients are left in the parameters."""
        with self._computing():
            loss = self._method(*self._batches).total()
            loss.backward()
        return loss.detach()

    def take(self) -> float:
        """The loss, after the device has done all of the step."""
        loss = self.loss_and_gradients()
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        self._method.after_update()
        return float(loss)
