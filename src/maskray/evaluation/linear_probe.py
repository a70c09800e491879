"""Linear probe: a linear head on frozen features of the pre-trained image encoder.

AdamW, early stopping on validation. The features are taken as the encoder gives them, without
standardising. They are computed once and serve all label fractions and seeds.

Shapes: B batch, N images, L labels, C width.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from maskray.config.training import LinearProbeConfig
from maskray.errors import InputError
from maskray.evaluation.features import compute_for_all
from maskray.evaluation.images import BenchmarkImages, Examples
from maskray.evaluation.objective import Objective, objective_of
from maskray.evaluation.predictions import Predictions
from maskray.evaluation.runtime import Runtime
from maskray.evaluation.supervised import (
    check_stated,
    new_head,
    predictions_of,
    shuffled_batches,
)
from maskray.training.optimiser import AdamW

_log = logging.getLogger(__name__)


def probe_all(
    encoder: nn.Module,
    images: BenchmarkImages,
    config: LinearProbeConfig,
    fractions: Sequence[float],
    seeds: Sequence[int],
    runtime: Runtime,
) -> Iterator[tuple[float, int, Predictions]]:
    """Probe every label fraction with every seed; ``encoder`` maps films [B, H, W] to features [B, C].

    Yields (fraction, seed, predictions) as they come.

    A run depends on its own fraction and seed alone, not on which others are asked for.
    """
    train = {fraction: images.examples("train", fraction) for fraction in sorted(fractions)}
    held_out = {"validation": images.examples("validation"), "test": images.examples("test")}
    for name, examples in (*train.items(), ("validation", held_out["validation"])):
        check_stated(str(name), examples, images.split_path)
    ids = sorted({*train[max(fractions)].image_ids}.union(*(examples.image_ids for examples in held_out.values())))
    encoder.to(runtime.device).eval()
    features_NC = compute_for_all(encoder, images, ids, runtime, "features")
    row_of = {image_id: row for row, image_id in enumerate(ids)}

    def features_of(examples: Examples) -> Tensor:
        return features_NC[[row_of[image_id] for image_id in examples.image_ids]]

    held_out_features = {part: features_of(examples) for part, examples in held_out.items()}
    for fraction, examples in train.items():
        train_features_NC = features_of(examples)
        objective = objective_of(images, examples, config.class_weights)
        for seed in seeds:
            head, epoch, quality = train_head(
                train_features_NC,
                examples,
                held_out_features["validation"],
                held_out["validation"],
                config,
                seed,
                objective,
            )
            _log.info("fraction %g, seed %d: best epoch %d, validation %.4f", fraction, seed, epoch, quality)
            scored = {
                part: (held_out[part], objective.probabilities(head(features).detach()))
                for part, features in held_out_features.items()
            }
            notes = {"best_epoch": epoch, "validation_quality": quality, "num_train_images": len(examples)}
            yield fraction, seed, predictions_of(images, scored, notes)


def train_head(
    features_NC: Tensor,
    examples: Examples,
    validation_features_NC: Tensor,
    validation: Examples,
    config: LinearProbeConfig,
    seed: int,
    objective: Objective,
) -> tuple[nn.Linear, int, float]:
    """The head of the best epoch, that epoch (from 1) and its quality on validation.

    Stops after ``patience`` epochs without a better one. The seed decides the first weights and the order. Runs on the
    host: a head is small.
    """
    labels_NL = torch.from_numpy(examples.labels_NL)
    head = new_head(features_NC.shape[1], labels_NL.shape[1], seed)
    optimiser = AdamW(head.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    best_epoch, best_quality, best_state = 0, -float("inf"), {}
    for epoch in range(1, config.num_epochs + 1):
        for rows in shuffled_batches(len(examples), config.batch_size, seed, epoch):
            loss = objective.loss(head(features_NC[rows]), labels_NL[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        with torch.no_grad():
            quality = objective.quality(head(validation_features_NC), validation)
        if quality > best_quality:
            best_epoch, best_quality = epoch, quality
            best_state = {name: value.detach().clone() for name, value in head.state_dict().items()}
        elif epoch - best_epoch >= config.patience:
            break
    if not best_state:
        raise InputError(
            f"linear_probe.learning_rate {config.learning_rate:g}: the head is not a number after any epoch; "
            "lower it, or look at the pre-trained weights"
        )
    head.load_state_dict(best_state)
    return head, best_epoch, best_quality
