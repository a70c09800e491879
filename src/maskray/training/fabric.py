"""Devices, precision and processes: the one place that knows Lightning Fabric."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psutil
import torch

from maskray.config.training import RuntimeConfig
from maskray.errors import InputError

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_log = logging.getLogger(__name__)


def start_fabric(runtime: RuntimeConfig) -> Fabric:
    """Start (or join) the processes of this run: one per device, on GPUs where there are any, else on the CPU.

    On one node the ranks are started from here by the command line of this process. Ranks that torchrun or
    ``srun`` started are taken as they are.

    Raises:
        InputError: more GPUs asked for than there are.
    """
    package = "lightning_fabric" if importlib.util.find_spec("lightning_fabric") else "lightning.fabric"
    fabric_package = importlib.import_module(package)
    logging.getLogger(package).setLevel(logging.WARNING)
    # Asking torch, not the environment: a batch system sets CUDA_VISIBLE_DEVICES on nodes without a usable GPU too.
    uses_gpu = torch.cuda.is_available()
    if uses_gpu and runtime.devices > torch.cuda.device_count():
        raise InputError(
            f"{runtime.devices} devices asked for, but this node shows {torch.cuda.device_count()} GPUs: "
            "lower runtime.devices or ask for more GPUs"
        )
    num_ranks = runtime.devices * runtime.num_nodes
    strategy: Any = "auto"
    if num_ranks > 1:
        strategies = importlib.import_module(f"{package}.strategies")
        # Methods freeze what an objective does not use, so every other parameter has a gradient in every step.
        wait = timedelta(minutes=runtime.wait_minutes)
        strategy = strategies.DDPStrategy(find_unused_parameters=False, timeout=wait)
    environments = importlib.import_module(f"{package}.plugins.environments")
    # A batch job with one task, in which this process starts its own ranks, must not be taken for a rank of srun's.
    is_rank_already = "TORCHELASTIC_RUN_ID" in os.environ or (
        num_ranks > 1 and os.environ.get("SLURM_NTASKS") == str(num_ranks)
    )
    fabric = fabric_package.Fabric(
        accelerator="cuda" if uses_gpu else "cpu",
        devices=runtime.devices,
        num_nodes=runtime.num_nodes,
        precision=runtime.precision,
        strategy=strategy,
        plugins=None if is_rank_already else [environments.LightningEnvironment()],
    )
    fabric.launch()
    if not fabric.is_global_zero:
        logging.getLogger("maskray").setLevel(logging.WARNING)
    else:
        device = torch.cuda.get_device_name(fabric.device) if uses_gpu else "CPU"
        _log.info("%d x %s, %s, %d threads", fabric.world_size, device, runtime.precision, runtime.threads)
    return fabric


@contextmanager
def standing_together(fabric: Fabric, runtime: RuntimeConfig) -> Iterator[None]:
    """End this process, and those that it started, when another one of the run is gone or silent.

    Raises:
        InputError: in place of the error of an exchange that failed.
    """
    try:
        yield
    except RuntimeError as error:
        if fabric.world_size == 1 or not _is_of_an_exchange(error):
            raise
        # One that hangs would keep the job's output open, and so the job alive, until its time limit.
        for child in psutil.Process().children(recursive=True):
            child.kill()
        raise InputError(
            f"another process of this run has ended, or was silent for {runtime.wait_minutes:g} minutes "
            "(runtime.pretrain.wait_minutes): its own last words, if any, stand above; run again to go on from the "
            "newest checkpoint"
        ) from error


def _is_of_an_exchange(error: RuntimeError) -> bool:
    # Gloo has no error type of its own.
    return isinstance(error, torch.distributed.DistError) or "gloo" in str(error)


def on_main(fabric: Fabric, action: Callable[[], Any]) -> Any:
    """Run ``action`` on the main process alone and hand its (picklable) answer, or its InputError, to all ranks."""
    outcome: tuple[Any, str | None] = (None, None)
    if fabric.is_global_zero:
        try:
            outcome = (action(), None)
        except InputError as error:
            outcome = (None, str(error))
    answer, problem = fabric.broadcast(outcome)
    if problem is not None:
        raise InputError(problem)
    return answer


def is_true_anywhere(fabric: Fabric, statement: bool) -> bool:
    """True on every rank where the statement holds on one of them."""
    if fabric.world_size == 1:
        return statement
    answer: Any = fabric.all_reduce(torch.tensor(float(statement), device=fabric.device), reduce_op="sum")
    return bool(answer > 0)
