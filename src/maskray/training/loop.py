"""Pre-training: an explicit loop that runs any method of the registry and never asks for its name.

Killed at any moment and started again it ends with the same weights, bit by bit (on the same kind of machine with
the same number of devices and threads): the order, the augmentation and all random numbers are functions of
(seed, step, sample), and a checkpoint holds the weights, the optimiser and the number of steps done.
"""

from __future__ import annotations

import logging
import math
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from maskray.batch import Batch
from maskray.config.stages import PretrainStage
from maskray.config.training import RuntimeConfig
from maskray.data.batches import batches_from, finish
from maskray.data.pairs import PairSource
from maskray.errors import InputError
from maskray.files import hash_of, hash_of_file
from maskray.methods import Method
from maskray.training import resume as resuming
from maskray.training.checkpoint import find_checkpoint, read_checkpoint, save_checkpoint
from maskray.training.export import export_method
from maskray.training.fabric import is_true_anywhere, on_main, standing_together, start_fabric
from maskray.training.optimiser import build_optimiser, set_rates
from maskray.training.parts import backward_in_parts, check_parts
from maskray.training.preparation import Prepared, prepare
from maskray.training.progress import Records
from maskray.training.schedule import phase_at, rate_factor
from maskray.training.seeding import compute_repeatably, seed_step

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_log = logging.getLogger(__name__)


def pretrain(
    stage: PretrainStage, sources: Sequence[PairSource], seed: int, folder: Path, runtime: RuntimeConfig
) -> bool:
    """Train (or go on training) a method and write its folder; see ``maskray.training.export`` for the files.

    The undeclared ``folder/resume`` holds checkpoints, log and lock until ``resume.keep_finished``.

    Args:
        stage: all that decides the weights, except the seed.
        sources: the pre-training data sets.
        seed: of weights, order and all randomness.
        folder: gets the outputs.
        runtime: the machine's side; its threads and precision are those of ``stage``.

    Returns:
        True on the one process that wrote the outputs.

    Raises:
        InputError: data or settings that cannot be trained with, a loss that is no longer finite, or another process
            of this run that is gone.
        SystemExit: 128 + signal, after a checkpoint, where a signal asked for the end.
    """
    fabric = start_fabric(runtime)
    compute_repeatably(runtime.threads)
    resume = resuming.resume_folder(folder)
    held = on_main(fabric, lambda: resuming.lock(resume))
    try:
        with standing_together(fabric, runtime), resuming.StopSignals() as signals:
            settings_hash = hash_of_run(stage, sources, seed)
            on_main(fabric, lambda: resuming.check_not_stopped(resume, settings_hash))
            prepared = prepare(stage, sources, seed, resume, fabric)
            trainer = Trainer(stage, prepared, seed, resume, runtime, fabric, settings_hash, signals)
            with resuming.stop_is_marked(resume, settings_hash, fabric.is_global_zero):
                trainer.train()
            if fabric.is_global_zero:
                export_method(
                    prepared.method, prepared.tokenizer, stage, folder, [resume / name for name in Records.FILES]
                )
            fabric.barrier()
            if signals.received is not None:
                # The batch system will take this run for failed and remove its outputs: the checkpoint must stay.
                sys.exit(_status(signals))
    finally:
        resuming.unlock(held if fabric.is_global_zero else None)
    return fabric.is_global_zero


def hash_of_run(stage: PretrainStage, sources: Sequence[PairSource], seed: int) -> str:
    """Hash of all that decides the weights: settings, seed, and the files of the data sets."""
    files = [
        {name: hash_of_file(path) for name, path in source.files().items() if path.is_file()} for source in sources
    ]
    return hash_of({"stage": stage.model_dump(mode="json"), "seed": seed, "sources": files})


class Trainer:
    """The state of one run: method, optimiser, and the number of steps done."""

    def __init__(
        self,
        stage: PretrainStage,
        prepared: Prepared,
        seed: int,
        resume: Path,
        runtime: RuntimeConfig,
        fabric: Fabric,
        settings_hash: str,
        signals: resuming.StopSignals,
    ) -> None:
        self._config = stage.pretrain
        self._prepared = prepared
        self._seed = seed
        self._resume = resume
        self._runtime = runtime
        self._fabric = fabric
        self._settings_hash = settings_hash
        self._signals = signals
        self._method = prepared.method
        self._num_steps = len(prepared.batches)
        optimisation = stage.pretrain.optimisation
        if len(optimisation.phase_steps) != len(self._method.phases) - 1:
            raise InputError(
                f"optimisation.phase_steps has {len(optimisation.phase_steps)} lengths, but {stage.paper} has "
                f"{len(self._method.phases)} phase(s) under these settings: give one for each but the last"
            )
        check_parts(self._method, optimisation.batch_size // fabric.world_size, runtime.micro_batches)
        if fabric.world_size > 1 and fabric.device.type == "cuda":
            # Batch norm over the global batch; torch has it on GPUs alone.
            nn.SyncBatchNorm.convert_sync_batchnorm(self._method)
        self._optimiser = build_optimiser(self._method, self._method.parameter_groups(), optimisation)
        self._module, self._wrapped = fabric.setup(_LossModule(self._method), self._optimiser)

    def train(self) -> None:
        """Do the steps that the newest whole checkpoint does not hold yet."""
        first_step = self._load()
        records = Records(self._resume, self._num_steps, first_step) if self._fabric.is_global_zero else None
        try:
            if first_step < self._num_steps:
                self._run(first_step, records)
        finally:
            if records:
                records.close()

    def _run(self, first_step: int, records: Records | None) -> None:
        batches = batches_from(
            self._prepared.batches, first_step, self._runtime.num_workers, self._fabric.device.type == "cuda"
        )
        saved = time.monotonic()
        for step in range(first_step, self._num_steps):
            started = time.monotonic()
            self._stop_if_asked(step, records)
            asked = time.monotonic()
            stored = next(batches)
            waited = time.monotonic() - asked
            row = self._step(step, self._on_device(stored))
            seconds = time.monotonic() - started
            row["images_per_second"] = round(self._batch_size / seconds, 2)
            row["data_wait"] = round(waited / seconds, 4)
            if records is None:
                continue
            is_last = step + 1 == self._num_steps
            ends_epoch = is_last or self._prepared.batches.order.epoch(step + 1) > row["epoch"]
            records.append(row, self._method.maps() if ends_epoch else {})
            if is_last or time.monotonic() - saved >= self._runtime.checkpoint_seconds:
                self._save(step + 1, records)
                saved = time.monotonic()

    def _step(self, step: int, batches: tuple[Batch, ...]) -> dict[str, Any]:
        """One update; a loss or gradient that is not finite ends the run before the weights are touched."""
        optimisation = self._config.optimisation
        factor = rate_factor(optimisation, step, self._num_steps)
        set_rates(self._optimiser, factor)
        self._wrapped.zero_grad()
        outputs = self._backward(step, batches)
        norm = self._fabric.clip_gradients(
            self._module,
            self._wrapped,
            max_norm=optimisation.gradient_clip or math.inf,
            error_if_nonfinite=False,
        )
        assert norm is not None
        values = self._on_host(outputs["losses"] | outputs["measures"] | {"gradient_norm": norm})
        _check_finite({name: values[name] for name in [*outputs["losses"], "gradient_norm"]}, step)
        self._wrapped.step()
        self._method.after_update()
        norm_on_host = values.pop("gradient_norm")
        rate = factor * optimisation.learning_rate
        epoch = self._prepared.batches.order.epoch(step)
        return {"step": step, "epoch": epoch, **values, "learning_rate": rate, "gradient_norm": norm_on_host}

    def _backward(self, step: int, batches: tuple[Batch, ...]) -> dict[str, dict[str, Tensor]]:
        """The losses of a step; their gradient is left in the parameters."""
        terms = self._method.phases[phase_at(self._config.optimisation, step)].terms
        num_parts = self._runtime.micro_batches

        def compute(part: int, batches: tuple[Batch, ...]) -> dict[str, dict[str, Tensor]]:
            # A part has the dropout of a process in its place.
            seed_step(self._seed, step, self._fabric.global_rank * num_parts + part)
            return self._module(_Carrier(batches, terms))

        if num_parts > 1:
            return backward_in_parts(self._fabric, self._module, batches, num_parts, compute)
        outputs = compute(0, batches)
        self._fabric.backward(outputs["losses"]["total"])
        return outputs

    def _on_host(self, scalars: dict[str, Tensor]) -> dict[str, float]:
        """The means over all ranks, on the host; one exchange and one wait for the device per step."""
        stacked: Any = torch.stack([scalar.detach().float() for scalar in scalars.values()])
        if self._fabric.world_size > 1:
            stacked = self._fabric.all_reduce(stacked, reduce_op="mean")
        return dict(zip(scalars, stacked.tolist(), strict=True))

    def _on_device(self, stored: Any) -> tuple[Batch, ...]:
        """The batches of a step, augmented; :class:`InputError` where a rank could not read its own."""
        # All ranks must stop together: one that waits for another's features would wait for ever.
        if is_true_anywhere(self._fabric, isinstance(stored, InputError)):
            raise stored if isinstance(stored, InputError) else InputError("another rank could not read its batch")
        return tuple(finish(each, self._config.augmentation, self._fabric.device) for each in stored)

    def _stop_if_asked(self, step: int, records: Records | None) -> None:
        """After a signal: save and leave."""
        if not is_true_anywhere(self._fabric, self._signals.received is not None):
            return
        if records is not None:
            self._save(step, records)
            _log.warning("stopped by a signal after %d steps; run again to go on from there", step)
        self._fabric.barrier()
        sys.exit(_status(self._signals))

    def _save(self, step: int, records: Records) -> None:
        records.sync()
        state = {"method": self._method.state_dict(), "optimiser": self._optimiser.state_dict()}
        save_checkpoint(self._resume, step, self._settings_hash, state)

    def _load(self) -> int:
        """Restore the newest checkpoint of these settings; the number of steps that it had done."""
        path = on_main(self._fabric, lambda: find_checkpoint(self._resume, self._settings_hash))
        if path is None:
            return 0
        step, state = read_checkpoint(path)
        self._method.load_state_dict(state["method"])
        self._optimiser.load_state_dict(state["optimiser"])
        if self._fabric.is_global_zero:
            _log.info("going on after %d of %d steps", step, self._num_steps)
        # Nobody may save, and so remove this file, while another rank reads it.
        self._fabric.barrier()
        return step

    @property
    def _batch_size(self) -> int:
        return self._config.optimisation.batch_size


def _status(signals: resuming.StopSignals) -> int:
    """128 + signal: a status that batch systems take for a failure, so that they run the job again."""
    return 128 + (signals.received or signal.SIGTERM)


class _Carrier:
    """Hides batches from Fabric and DDP, which would copy them field by field and move the seeds off the host."""

    def __init__(self, batches: tuple[Batch, ...], counted: tuple[str, ...]) -> None:
        self.batches = batches
        self.counted = counted


class _LossModule(nn.Module):
    """A method as Fabric and DDP want it: tensors in a dictionary come out."""

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.method = method

    def forward(self, carrier: _Carrier) -> dict[str, dict[str, Tensor]]:
        losses = self.method(*carrier.batches)
        return {"losses": {**losses.terms, "total": losses.total(carrier.counted)}, "measures": losses.measures}


def _check_finite(values: dict[str, float], step: int) -> None:
    bad = [f"{name} is {value}" for name, value in values.items() if not math.isfinite(value)]
    if bad:
        raise InputError(
            f"training stopped before the update of step {step}: {', '.join(bad)}; lower learning_rate, "
            "use precision 32-true, or look for damaged films"
        )
