"""What fine-tuning and the linear probe share: loss, order, choice on validation, predictions.

Shapes: B batch, N images, L labels, C width.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from maskray.data.sampler import derive_seed
from maskray.errors import InputError
from maskray.evaluation.images import Examples
from maskray.evaluation.predictions import Predictions
from maskray.metrics.classification import macro_auroc


def stated_cross_entropy(logits_BL: Tensor, labels_BL: Tensor) -> Tensor:
    """Mean binary cross-entropy over the stated labels (not NaN); 0 where a batch states none."""
    is_stated_BL = ~torch.isnan(labels_BL)
    losses_BL = F.binary_cross_entropy_with_logits(logits_BL, torch.where(is_stated_BL, labels_BL, 0), reduction="none")
    return (losses_BL * is_stated_BL).sum() / is_stated_BL.sum().clamp(min=1)


def new_head(width: int, num_labels: int, seed: int) -> nn.Linear:
    """A linear head [C -> L] with small random weights and zero biases, a function of the seed alone."""
    head = nn.Linear(width, num_labels)
    generator = torch.Generator().manual_seed(derive_seed(seed, "head"))
    nn.init.normal_(head.weight, std=0.01, generator=generator)
    nn.init.zeros_(head.bias)
    return head


def shuffled_batches(num_images: int, batch_size: int, seed: int, epoch: int) -> Iterator[NDArray[np.intp]]:
    """Row numbers of each batch of an epoch, a function of (seed, epoch); the last batch may be smaller.

    Nothing is dropped: 1 % of a small data set is less than one batch.
    """
    order = np.random.default_rng(derive_seed(seed, "order", epoch)).permutation(num_images)
    for start in range(0, num_images, batch_size):
        yield order[start : start + batch_size]


def validation_quality(logits_NL: Tensor, examples: Examples) -> float:
    """How good a model is on validation, higher is better: macro AUROC.

    Where no label has both classes (a handful of images) it is minus the cross-entropy. Which of the two depends
    on the labels alone, so qualities of one benchmark compare. NaN where the logits are not finite.
    """
    if not torch.isfinite(logits_NL).all():
        return float("nan")
    auroc = macro_auroc(examples.labels_NL, logits_NL.double().numpy())
    if not np.isnan(auroc):
        return auroc
    return -float(stated_cross_entropy(logits_NL, torch.from_numpy(examples.labels_NL)))


def check_stated(part: str, examples: Examples, source: object) -> None:
    """Refuse a part in which no label of any image is stated: nothing could be learnt or chosen from it."""
    if np.isnan(examples.labels_NL).all():
        raise InputError(f"{source}: no image of {part} has a stated label; use another split or label set")


def predictions_of(
    label_names: tuple[str, ...],
    scored: Mapping[str, tuple[Examples, NDArray[np.float32]]],
    notes: Mapping[str, Any],
) -> Predictions:
    """Join the parts (name -> images and their scores [N, L]) into one table."""
    return Predictions(
        label_names,
        [image for examples, _ in scored.values() for image in examples.image_ids],
        [patient for examples, _ in scored.values() for patient in examples.patient_ids],
        [part for part, (examples, _) in scored.items() for _ in range(len(examples))],
        np.concatenate([examples.labels_NL for examples, _ in scored.values()]),
        np.concatenate([scores_NL for _, scores_NL in scored.values()]),
        notes,
    )


def probabilities(logits_NL: Tensor) -> NDArray[np.float32]:
    """Sigmoid, float32; in float64 on the way, so that confident scores do not tie early."""
    return torch.sigmoid(logits_NL.double()).float().numpy()
