"""Fine-tuning: the image encoder and a new linear head, end to end.

The learning rate (where several are given) and the epoch are those that are best on validation; the test part is looked
at once, at the end.

Shapes: B batch, N images, L labels, C width, H height, W width of the film.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from maskray.config.fractions import fraction_name
from maskray.config.training import FinetuneConfig, OptimisationConfig
from maskray.data.augmentation import augment
from maskray.data.sampler import derive_seed
from maskray.errors import InputError
from maskray.evaluation.features import compute_for_all
from maskray.evaluation.images import BenchmarkImages
from maskray.evaluation.predictions import Predictions
from maskray.evaluation.runtime import Runtime
from maskray.evaluation.supervised import (
    check_stated,
    new_head,
    predictions_of,
    probabilities,
    shuffled_batches,
    stated_cross_entropy,
    validation_quality,
)
from maskray.training.optimiser import build_optimiser, set_rates
from maskray.training.progress import Progress
from maskray.training.schedule import rate_factor

_log = logging.getLogger(__name__)


class Classifier(nn.Module):
    """The pre-trained image encoder under a new linear head."""

    def __init__(self, encoder: nn.Module, head: nn.Linear) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, images_BHW: Tensor) -> Tensor:
        """Logits [B, L] of float32 films in 0..1."""
        return self.head(self.encoder(images_BHW))


@dataclass(frozen=True)
class Candidate:
    """The best epoch (from 1) of one learning rate: its quality on validation, and its weights."""

    learning_rate: float
    epoch: int
    quality: float
    state: dict[str, Tensor]


class DivergedError(Exception):
    """The loss or the logits became NaN or infinite."""


def finetune(
    encoder: nn.Module, images: BenchmarkImages, config: FinetuneConfig, fraction: float, seed: int, runtime: Runtime
) -> Predictions:
    """Train on one label fraction (0..1) and score validation and test; the encoder's weights are changed.

    The encoder maps films [B, H, W] to features [B, C]. The seed decides the head's first weights, the order and the
    augmentation. Raises InputError where training diverges with every learning rate.
    """
    training = Training(encoder, images, config, fraction, seed, runtime)
    test = images.examples("test")
    best = training.search()
    model = training.model
    model.load_state_dict(best.state)
    model.eval()
    scored = {
        part: (examples, probabilities(compute_for_all(model, images, examples.image_ids, runtime, part)))
        for part, examples in (("validation", training.validation), ("test", test))
    }
    notes = {
        "learning_rate": best.learning_rate,
        "best_epoch": best.epoch,
        "validation_quality": best.quality,
        "num_train_images": len(training.train),
    }
    return predictions_of(images.labels, scored, notes)


class Training:
    """One label fraction and seed; learning rates are tried one by one, each from the same first weights."""

    def __init__(
        self,
        encoder: nn.Module,
        images: BenchmarkImages,
        config: FinetuneConfig,
        fraction: float,
        seed: int,
        runtime: Runtime,
    ) -> None:
        self.images, self.config, self.seed, self.runtime = images, config, seed, runtime
        self.num_epochs = epochs_of(config, fraction)
        self.train, self.validation = images.examples("train", fraction), images.examples("validation")
        check_stated("train", self.train, images.split_path)
        check_stated("validation", self.validation, images.split_path)
        self.batch_size = min(config.batch_size, len(self.train))
        self.model = self._build(encoder)
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
                f"finetune.learning_rates {', '.join(f'{rate:g}' for rate in self.config.learning_rates)}: training "
                "diverged with every one (the loss is not a finite number); use smaller ones"
            )
        return best

    def try_rate(self, learning_rate: float) -> Candidate:
        """Train with one learning rate; of the epochs that are best on validation the first is kept."""
        self.model.load_state_dict(self._first_state)
        # Only for dropout, where an encoder has any; all else has generators of its own.
        torch.manual_seed(derive_seed(self.seed, "dropout"))
        optimisation = optimisation_of(self.config, self.num_epochs, learning_rate)
        optimiser = build_optimiser(self.model, {"classifier": list(self.model.parameters())}, optimisation)
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
        images_BHW = self.images.read(ids).to(self.runtime.device)
        images_BHW, _ = augment(images_BHW, None, seeds_B, self.config.augmentation)
        labels_BL = torch.from_numpy(self.train.labels_NL[rows]).to(self.runtime.device)
        with self.runtime.autocast():
            logits_BL = self.model(images_BHW)
        loss = stated_cross_entropy(logits_BL.float(), labels_BL)
        if not math.isfinite(loss.item()):
            raise DivergedError(f"the loss is {loss.item()} in epoch {epoch}")
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss.item()

    def _quality(self, epoch: int) -> float:
        """Quality on validation after an epoch."""
        self.model.eval()
        logits_NL = compute_for_all(self.model, self.images, self.validation.image_ids, self.runtime)
        if not torch.isfinite(logits_NL).all():
            raise DivergedError(f"the scores of validation are not finite after epoch {epoch}")
        return validation_quality(logits_NL, self.validation)

    def _build(self, encoder: nn.Module) -> Classifier:
        """The classifier on the device; one image tells the width of the features."""
        encoder.to(self.runtime.device).eval()
        features_1C = compute_for_all(encoder, self.images, self.train.image_ids[:1], self.runtime)
        head = new_head(features_1C.shape[1], len(self.images.labels), self.seed)
        return Classifier(encoder, head).to(self.runtime.device)


def epochs_of(config: FinetuneConfig, fraction: float) -> int:
    """Number of epochs of one label fraction."""
    if isinstance(config.num_epochs, int):
        return config.num_epochs
    name = fraction_name(fraction)
    if name not in config.num_epochs:
        raise InputError(f"finetune.num_epochs: no entry for {name}; it has {', '.join(config.num_epochs)}")
    return config.num_epochs[name]


def optimisation_of(config: FinetuneConfig, num_epochs: int, learning_rate: float) -> OptimisationConfig:
    """The settings of one training, in the form that optimiser and schedule of pre-training take."""
    shared = ("batch_size", "optimiser", "momentum", "weight_decay", "schedule", "warmup_fraction")
    return OptimisationConfig(
        num_epochs=num_epochs, learning_rate=learning_rate, **{name: getattr(config, name) for name in shared}
    )


def _copy(model: nn.Module) -> dict[str, Tensor]:
    """The weights, copied to the host."""
    return {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
