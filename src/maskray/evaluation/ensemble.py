"""Zero-shot answers of several pre-training runs together (MMCLIP, Sec. 5.1: of "6 different groups of parameters").

Shapes: N images, L labels, M members.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
import torch

from maskray.errors import InputError
from maskray.evaluation.images import BenchmarkImages
from maskray.evaluation.objective import Objective
from maskray.evaluation.predictions import Predictions
from maskray.evaluation.runtime import Runtime
from maskray.evaluation.zeroshot import score_zeroshot
from maskray.training.export import LoadedMethod


def score_together(
    members: Iterable[LoadedMethod],
    images: BenchmarkImages,
    prompts: Mapping[str, tuple[str, ...]],
    average: Literal["probabilities", "weights"],
    runtime: Runtime,
) -> Predictions:
    """One run's scores; of several their mean probabilities, or the scores of the mean weights.

    A probability is what a softmax over the two prompts gives at a run's own temperature. One run is held at a time.
    """
    answers: list[Predictions] = []
    probabilities_MNL = []
    for member in [mean_of_weights(members)] if average == "weights" else members:
        text = member.tokenizer, member.stage.text_encoder.max_tokens
        answers.append(score_zeroshot(member.method, *text, images, dict(prompts), runtime))
        logits_NL = torch.from_numpy(answers[-1].scores_NL).double() / member.method.temperature
        probabilities_MNL.append(Objective().probabilities(logits_NL))
    first, num = answers[0], len(answers)
    if num == 1:
        return first
    mean_NL = np.mean(probabilities_MNL, axis=0, dtype=float).astype(np.float32)
    return replace(first, scores_NL=mean_NL, notes={**first.notes, "num_members": num})


def mean_of_weights(members: Iterable[LoadedMethod]) -> LoadedMethod:
    """The first run with the mean of all runs' weights; :class:`InputError` where they are not of one make."""
    others = iter(members)
    first = next(others)
    kept = first.method.state_dict()
    sums, num = {name: value.double() for name, value in kept.items()}, 1
    for other in others:
        weights = other.method.state_dict()
        if {name: value.shape for name, value in weights.items()} != {
            name: value.shape for name, value in sums.items()
        }:
            raise InputError(f"zeroshot.average: the weights of {first.stage.paper} and {other.stage.paper} do not fit")
        sums, num = {name: value + weights[name] for name, value in sums.items()}, num + 1
    first.method.load_state_dict({name: (value / num).to(kept[name].dtype) for name, value in sums.items()})
    return first
