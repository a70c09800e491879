"""What fine-tuning and the linear probe share: the head, the order, the form of predictions.

Shapes: B batch, N images, L labels, C width.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from maskray.data.sampler import derive_seed
from maskray.errors import InputError
from maskray.evaluation.images import BenchmarkImages, Examples
from maskray.evaluation.predictions import Predictions


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


def check_stated(part: str, examples: Examples, source: object) -> None:
    """Refuse a part in which no label of any image is stated: nothing could be learnt or chosen from it."""
    if np.isnan(examples.labels_NL).all():
        raise InputError(f"{source}: no image of {part} has a stated label; use another split or label set")


def predictions_of(
    images: BenchmarkImages,
    scored: Mapping[str, tuple[Examples, NDArray[np.float32]]],
    notes: Mapping[str, Any],
) -> Predictions:
    """Join the parts (name -> images and their scores [N, L]) into one table that knows how its labels relate."""
    return Predictions(
        images.labels,
        [image for examples, _ in scored.values() for image in examples.image_ids],
        [patient for examples, _ in scored.values() for patient in examples.patient_ids],
        [part for part, (examples, _) in scored.items() for _ in range(len(examples))],
        np.concatenate([examples.labels_NL for examples, _ in scored.values()]),
        np.concatenate([scores_NL for _, scores_NL in scored.values()]),
        notes,
        images.exclusive,
        images.label_sets,
    )
