"""What a head on a benchmark's labels is trained for: each label by itself, or one class of several.

Shapes: B batch, N images, L labels or classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from maskray.config.training import ClassWeights
from maskray.evaluation.images import BenchmarkImages, Examples
from maskray.metrics.classification import macro_auroc


@dataclass(frozen=True)
class Objective:
    """Loss, probabilities and the choice on validation.

    Attributes:
        exclusive: each image shows exactly one of the labels, or none is stated.
        weights: of the loss; of the classes [L] where they exclude each other, else of absent and present [2, L].
            None: all weigh the same.
    """

    exclusive: bool = False
    weights: Tensor | None = None

    def loss(self, logits_BL: Tensor, labels_BL: Tensor) -> Tensor:
        """Mean cross-entropy of what is stated (labels 1, 0 or NaN); 0 where a batch states nothing."""
        weights = None if self.weights is None else self.weights.to(logits_BL.device)
        return (class_cross_entropy if self.exclusive else stated_cross_entropy)(logits_BL, labels_BL, weights)

    def probabilities(self, logits_NL: Tensor) -> NDArray[np.float32]:
        """Softmax or sigmoid; in float64 on the way, so that confident scores do not tie early."""
        logits_NL = logits_NL.double()
        shares_NL = logits_NL.softmax(dim=1) if self.exclusive else logits_NL.sigmoid()
        return shares_NL.float().numpy()

    def quality(self, logits_NL: Tensor, examples: Examples) -> float:
        """How good a model is on validation, higher is better: macro AUROC; of exclusive classes minus the loss.

        Each class against the rest may be told apart without flaw while the highest score is of the wrong class. It is
        minus the loss, too, where no label has both classes (a handful of images). Which of the two depends on the
        labels alone, so qualities of one benchmark compare. NaN where the logits are not finite.
        """
        if not torch.isfinite(logits_NL).all():
            return float("nan")
        auroc = float("nan") if self.exclusive else macro_auroc(examples.labels_NL, logits_NL.double().numpy())
        if not np.isnan(auroc):
            return auroc
        return -float(self.loss(logits_NL, torch.from_numpy(examples.labels_NL)))


def objective_of(images: BenchmarkImages, train: Examples, class_weights: ClassWeights) -> Objective:
    """The objective of a benchmark; balanced weights follow the images that are trained on."""
    balanced = balanced_weights(train.labels_NL, images.exclusive) if class_weights == "balanced" else None
    return Objective(images.exclusive, balanced)


def stated_cross_entropy(logits_BL: Tensor, labels_BL: Tensor, weights_2L: Tensor | None = None) -> Tensor:
    """Mean binary cross-entropy over the stated labels (not NaN); 0 where a batch states none."""
    is_stated_BL = ~torch.isnan(labels_BL)
    targets_BL = torch.where(is_stated_BL, labels_BL, 0)
    losses_BL = F.binary_cross_entropy_with_logits(logits_BL, targets_BL, reduction="none")
    weights_BL = is_stated_BL.to(logits_BL.dtype)
    if weights_2L is not None:
        weights_BL = weights_BL * torch.where(targets_BL == 1, weights_2L[1], weights_2L[0])
    return _mean(losses_BL, weights_BL)


def class_cross_entropy(logits_BL: Tensor, labels_BL: Tensor, weights_L: Tensor | None = None) -> Tensor:
    """Mean cross-entropy of the softmax over the images whose class is stated; 0 where a batch has none."""
    is_stated_B = ~torch.isnan(labels_BL).any(dim=1)
    classes_B = labels_BL.nan_to_num().argmax(dim=1)
    losses_B = F.cross_entropy(logits_BL, classes_B, reduction="none")
    weights_B = is_stated_B.to(logits_BL.dtype)
    if weights_L is not None:
        weights_B = weights_B * weights_L[classes_B]
    return _mean(losses_B, weights_B)


def _mean(losses: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean; 0 where nothing has a weight."""
    return (losses * weights).sum() / weights.sum().clamp(min=torch.finfo(weights.dtype).tiny)


def balanced_weights(labels_NL: NDArray[np.float32], exclusive: bool) -> Tensor:
    """Number of images / (number of classes x images of the class), 0 for a class without any.

    [L] for exclusive classes; else [2, L], where absent and present are the two classes of each label.
    """
    labels = torch.from_numpy(labels_NL)
    present_L = (labels == 1).sum(dim=0)
    counts = present_L if exclusive else torch.stack([(labels == 0).sum(dim=0), present_L])
    weights = counts.sum(dim=0, keepdim=True) / (counts.shape[0] * counts.clamp(min=1))
    return torch.where(counts > 0, weights, 0.0)
