"""Training on a benchmark's labels, end to end: the learning rate and the epoch that are best on validation are kept.

Shapes: B batch, H height, W width of the film.
"""

from __future__ import annotations

import logging
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from maskray.config.fractions import fraction_name
from maskray.config.training import DownstreamConfig, OptimisationConfig
from maskray.data.sampler import derive_seed
from maskray.errors import InputError
from maskray.evaluation.images import BenchmarkImages
from maskray.evaluation.runtime import Runtime
from maskray.evaluation.supervised import shuffled_batches
from maskray.training.optimiser import build_optimiser, set_rates
from maskray.training.progress import Progress
from maskray.training.schedule import rate_factor

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Candidate:
    """The best epoch (from 1) of one learning rate: its quality on validation, and its weights."""

    learning_rate: float
    epoch: int
    quality: float
    state: dict[str, Tensor]


class DivergedError(Exception):
    """The loss or the logits became NaN or infinite."""


class Search(ABC):
    """One label fraction and seed; learning rates are tried one by one, each from the same first weights.

    Attributes:
        section: of the settings, for messages.
        model: what is trained, on the device.
    """

    section: ClassVar[str]

    def __init__(
        self,
        encoder: nn.Module,
        images: BenchmarkImages,
        config: DownstreamConfig,
        fraction: float,
        seed: int,
        runtime: Runtime,
    ) -> None:
        self.images, self.config, self.seed, self.runtime = images, config, seed, runtime
        self.num_epochs = epochs_of(config, fraction, self.section)
        self.train, self.validation = images.examples("train", fraction), images.examples("validation")
        self.batch_size = min(config.batch_size, len(self.train))
        self.model = self._build(encoder.to(runtime.device).eval()).to(runtime.device)
        self._first_state = _copy(self.model)

    def search(self) -> Candidate:
        """The learning rate that is best on validation; of equals the first. Those that diverge are left out."""
        best: Candidate | None = None
        for learning_rate in self.config.learning_rates:
            try:
                candidate = self.try_rate(learning_rate)
            except DivergedError as error:
                _log.warning("learning rate %g: %s", learning_rate, error)
                continue
            _log.info(
                "learning rate %g: best epoch %d, validation %.4f", learning_rate, candidate.epoch, candidate.quality
            )
            if best is None or candidate.quality > best.quality:
                best = candidate
        if best is None:
            raise InputError(
                f"{self.section}.learning_rates {', '.join(f'{rate:g}' for rate in self.config.learning_rates)}: "
                "training diverged with every one (the loss is not a finite number); use smaller ones"
            )
        return best

    def try_rate(self, learning_rate: float) -> Candidate:
        """Train with one learning rate; of the epochs that are best on validation the first is kept."""
        self.model.load_state_dict(self._first_state)
        # Only for dropout, where an encoder has any; all else has generators of its own.
        torch.manual_seed(derive_seed(self.seed, "dropout"))
        optimisation = optimisation_of(self.config, self.num_epochs, learning_rate)
        optimiser = build_optimiser(self.model, {"all": list(self.model.parameters())}, optimisation)
        steps_per_epoch = math.ceil(len(self.train) / self.batch_size)
        num_steps = self.num_epochs * steps_per_epoch
        best = Candidate(learning_rate, 0, -math.inf, {})
        with Progress("images", self.num_epochs * len(self.train)) as progress:
            for epoch in range(1, self.num_epochs + 1):
                self.model.train()
                batches = shuffled_batches(len(self.train), self.batch_size, self.seed, epoch)
                for step, rows in enumerate(batches, start=(epoch - 1) * steps_per_epoch):
                    set_rates(optimiser, rate_factor(optimisation, step, num_steps))
                    loss = self._step(optimiser, rows, epoch)
                    progress.advance(len(rows), f"epoch {epoch}/{self.num_epochs} loss {loss:.4f}")
                quality = self._quality(epoch)
                if quality > best.quality:
                    best = Candidate(learning_rate, epoch, quality, _copy(self.model))
        return best

    def _step(self, optimiser: torch.optim.Optimizer, rows: NDArray[np.intp], epoch: int) -> float:
        """One step on the rows of the training part; its loss."""
        # How a film is augmented is a function of (seed, epoch, image), whatever the batch.
        ids = [self.train.image_ids[row] for row in rows]
        seeds_B = torch.tensor([derive_seed(self.seed, epoch, image_id) for image_id in ids])
        loss = self._loss(self.images.read(ids).to(self.runtime.device), rows, seeds_B)
        if not math.isfinite(loss.item()):
            raise DivergedError(f"the loss is {loss.item()} in epoch {epoch}")
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss.item()

    @abstractmethod
    def _build(self, encoder: nn.Module) -> nn.Module:
        """The encoder, on the device, under what is new; its first weights are a function of the seed."""

    @abstractmethod
    def _loss(self, images_BHW: Tensor, rows: NDArray[np.intp], seeds_B: Tensor) -> Tensor:
        """The loss of some rows of the training part, whose films (uint8) are augmented by the seeds."""

    @abstractmethod
    def _quality(self, epoch: int) -> float:
        """How good the model is on validation after an epoch, higher is better; raises DivergedError."""


def epochs_of(config: DownstreamConfig, fraction: float, section: str) -> int:
    """Number of epochs of one label fraction; ``section`` of the settings is named where there is none."""
    if isinstance(config.num_epochs, int):
        return config.num_epochs
    name = fraction_name(fraction)
    if name not in config.num_epochs:
        raise InputError(f"{section}.num_epochs: no entry for {name}; it has {', '.join(config.num_epochs)}")
    return config.num_epochs[name]


def optimisation_of(config: DownstreamConfig, num_epochs: int, learning_rate: float) -> OptimisationConfig:
    """The settings of one training, in the form that optimiser and schedule of pre-training take."""
    shared = ("batch_size", "optimiser", "momentum", "weight_decay", "schedule", "warmup_fraction")
    return OptimisationConfig(
        num_epochs=num_epochs, learning_rate=learning_rate, **{name: getattr(config, name) for name in shared}
    )


def _copy(model: nn.Module) -> dict[str, Tensor]:
    """The weights, copied to the host."""
    return {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
