"""Fine-tuning: the image encoder and a new linear head, end to end.

The test part is looked at once, at the end.

Shapes: B batch, N images, L labels, C width, H height, W width of the film.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from maskray.config.training import FinetuneConfig
from maskray.data.augmentation import augment
from maskray.evaluation.features import compute_for_all
from maskray.evaluation.images import BenchmarkImages
from maskray.evaluation.objective import objective_of
from maskray.evaluation.predictions import Predictions
from maskray.evaluation.runtime import Runtime
from maskray.evaluation.search import DivergedError, Search
from maskray.evaluation.supervised import (
    check_stated,
    new_head,
    predictions_of,
)


class Classifier(nn.Module):
    """The pre-trained image encoder under a new linear head."""

    def __init__(self, encoder: nn.Module, head: nn.Linear) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, images_BHW: Tensor) -> Tensor:
        """Logits [B, L] of float32 films in 0..1."""
        return self.head(self.encoder(images_BHW))


def finetune(
    encoder: nn.Module, images: BenchmarkImages, config: FinetuneConfig, fraction: float, seed: int, runtime: Runtime
) -> Predictions:
    """Train on one label fraction (0..1) and score validation and test; the encoder's weights are changed.

    The encoder maps films [B, H, W] to features [B, C]. The seed decides the head's first weights, the order and the
    augmentation. Raises InputError where training diverges with every learning rate.
    """
    training = ClassifierSearch(encoder, images, config, fraction, seed, runtime)
    test = images.examples("test")
    best = training.search()
    model = training.model
    model.load_state_dict(best.state)
    model.eval()
    scored = {
        part: (
            examples,
            training.objective.probabilities(compute_for_all(model, images, examples.image_ids, runtime, part)),
        )
        for part, examples in (("validation", training.validation), ("test", test))
    }
    notes = {
        "learning_rate": best.learning_rate,
        "best_epoch": best.epoch,
        "validation_quality": best.quality,
        "num_train_images": len(training.train),
    }
    return predictions_of(images, scored, notes)


class ClassifierSearch(Search):
    """Of a linear head and the encoder below it."""

    section = "finetune"
    config: FinetuneConfig
    model: Classifier

    def _build(self, encoder: nn.Module) -> Classifier:
        """One image tells the width of the features."""
        check_stated("train", self.train, self.images.split_path)
        check_stated("validation", self.validation, self.images.split_path)
        self.objective = objective_of(self.images, self.train, self.config.class_weights)
        features_1C = compute_for_all(encoder, self.images, self.train.image_ids[:1], self.runtime)
        return Classifier(encoder, new_head(features_1C.shape[1], len(self.images.labels), self.seed))

    def _loss(self, images_BHW: Tensor, rows: NDArray[np.intp], seeds_B: Tensor) -> Tensor:
        """Cross-entropy of what is stated."""
        images_BHW, _ = augment(images_BHW, None, seeds_B, self.config.augmentation)
        labels_BL = torch.from_numpy(self.train.labels_NL[rows]).to(self.runtime.device)
        with self.runtime.autocast():
            logits_BL = self.model(images_BHW)
        return self.objective.loss(logits_BL.float(), labels_BL)

    def _quality(self, epoch: int) -> float:
        """Quality on validation after an epoch."""
        self.model.eval()
        logits_NL = compute_for_all(self.model, self.images, self.validation.image_ids, self.runtime)
        if not torch.isfinite(logits_NL).all():
            raise DivergedError(f"the scores of validation are not finite after epoch {epoch}")
        return self.objective.quality(logits_NL, self.validation)
