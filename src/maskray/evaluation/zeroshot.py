"""Zero-shot classification: a film is compared with a prompt that the finding is there and one that it is not.

Score = cosine similarity with the positive prompt minus that with the negative one, in -2..2. The probability that a
softmax over the two would give is sigmoid(score / tau), which rises with the score: AUROC and F1 at a chosen threshold
are the same, and the difference needs no temperature.

Shapes: B batch, N images, L labels, E joint width, T tokens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from maskray.config.training import ZeroshotConfig
from maskray.errors import InputError
from maskray.evaluation.features import compute_for_all
from maskray.evaluation.images import BenchmarkImages
from maskray.evaluation.predictions import Predictions
from maskray.evaluation.runtime import Runtime
from maskray.evaluation.supervised import predictions_of
from maskray.evaluation.texts import pad_texts
from maskray.methods.base import Method
from maskray.reports.vocabulary import is_label, phrase


def build_prompts(labels: Sequence[str], config: ZeroshotConfig) -> dict[str, tuple[str, ...]]:
    """Label -> its prompts: positive, negative, and so on for further pairs.

    A label that neither the settings nor the vocabulary has words for is called by its own (:func:`in_own_words`).
    Raises InputError for a template without ``{x}``, or a phrase of a label that the benchmark does not have.
    """
    sides = {"positive": config.positive, "negative": config.negative}
    sides |= {f"further.{i}.{k}": side for i, pair in enumerate(config.further) for k, side in enumerate(pair)}
    for name, template in sides.items():
        if "{x}" not in template:
            raise InputError(f"zeroshot.{name}: {{x}}, the finding's place, is missing")
    if unknown := sorted(set(config.phrases) - set(labels)):
        raise InputError(f"zeroshot.phrases: {unknown[0]} is no label of this benchmark, which has {', '.join(labels)}")
    own = {label: label.replace("_", " ").lower() for label in in_own_words(labels, config)}
    phrases = {label: config.phrases.get(label) or own.get(label) or phrase(label) for label in labels}
    return {label: tuple(side.replace("{x}", text) for side in sides.values()) for label, text in phrases.items()}


def in_own_words(labels: Sequence[str], config: ZeroshotConfig) -> list[str]:
    """The labels whose prompts take the label's own words, in lower case, for want of a phrase of their own.

    A word of a report may stand for a wider finding ("empyema" for an effusion), a label may not: it would be scored
    as another one is.
    """
    asked = [label for label in labels if label not in config.phrases]
    times = Counter(phrase(label) for label in asked if is_label(label))
    return [label for label in asked if not is_label(label) or times[phrase(label)] > 1]


@torch.no_grad()
def score_zeroshot(
    method: Method,
    tokenizer: Any,
    max_tokens: int,
    images: BenchmarkImages,
    prompts: dict[str, tuple[str, ...]],
    runtime: Runtime,
) -> Predictions:
    """Score validation (for thresholds) and test; the prompts are kept with the predictions."""
    method.to(runtime.device).eval()
    texts = [text for label in images.labels for text in prompts[label]]
    with runtime.autocast():
        texts_E = encode_texts(method, tokenizer, max_tokens, texts, runtime).float().cpu()
    # Similarity is linear in the text: the differences of the prompts, and their mean, are one direction per label.
    directions_LE = (texts_E[0::2] - texts_E[1::2]).unflatten(0, (len(images.labels), -1)).mean(dim=1)
    scored = {}
    for part in ("validation", "test"):
        examples = images.examples(part)
        images_NE = compute_for_all(method.encode_image, images, examples.image_ids, runtime, part)
        scored[part] = (examples, (images_NE @ directions_LE.T).numpy())
    return predictions_of(images, scored, {"prompts": {label: list(pair) for label, pair in prompts.items()}})


def encode_texts(method: Method, tokenizer: Any, max_tokens: int, texts: Sequence[str], runtime: Runtime) -> Tensor:
    """Text features [texts, E] of the joint space, one pass for all, padded to the longest."""
    return method.encode_text(*pad_texts(tokenizer, max_tokens, texts, runtime))
