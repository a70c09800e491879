"""Each method at its paper's size, with random weights and random inputs: what a step costs does not depend on them.

Shapes: B batch, L word pieces, S image side in pixels.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from maskray.batch import Batch
from maskray.config.encoders import ImageEncoderConfig, TextEncoderConfig
from maskray.files import read_yaml
from maskray.methods import METHODS, Method, Vocabulary, build_method

# The vocabularies of Bio_ClinicalBERT and of CLIP.
_BERT = Vocabulary(size=28996, mask_id=103, special_ids=(0, 100, 101, 102, 103), stop_id=119)
_CLIP = Vocabulary(size=49408, mask_id=-1, special_ids=(49406, 49407), stop_id=269)


def full_size_method(top: Path, name: str, **knobs: Any) -> tuple[Method, int]:
    """The method of ``config/papers/<name>.yaml`` below ``top``, and how many word pieces it reads at most."""
    paper = read_yaml(top / "config/papers" / f"{name}.yaml")
    settings = paper["method"] | knobs
    text = TextEncoderConfig.model_validate(paper["text_encoder"] | random_weights(paper["text_encoder"]))
    method = METHODS[name]
    num_prompts = len(method.prompts(method.Config.parse(settings, name)))
    prompts = tuple((1, 400 + number, 2) for number in range(num_prompts))
    vocabulary = dataclasses.replace(_CLIP if text.kind == "clip" else _BERT, prompts=prompts)
    image = ImageEncoderConfig.model_validate(paper["image_encoder"] | random_weights(paper["image_encoder"]))
    torch.manual_seed(0)
    return build_method(name, settings, image, text, vocabulary), text.max_tokens


def random_weights(encoder: Mapping[str, Any]) -> dict[str, Any]:
    """What to change in an encoder's settings so that it is of the same size and nothing is fetched."""
    return {"weights": None} | ({"width": 512, "num_heads": 8} if encoder.get("kind") == "clip" else {})


def full_size_batches(method: Method, num_tokens: int, num: int) -> tuple[Batch, ...]:
    """``num`` random films of 224 px with texts of full length, a batch for each stream of the method."""
    generator = torch.Generator().manual_seed(0)
    ids_BL = torch.randint(200, 20000, (num, num_tokens), generator=generator)
    if method.text_kind == "clip":
        ids_BL[:, 0], ids_BL[:, -1] = method.vocabulary.special_ids
    place_BL = torch.arange(num_tokens).expand(num, -1)
    batch = Batch(
        images_BHW=torch.rand(num, 224, 224, generator=generator),
        ridge_BHW=torch.rand(num, 224, 224, generator=generator) ** 4,
        token_ids_BL=ids_BL,
        token_is_real_BL=torch.ones_like(ids_BL, dtype=torch.bool),
        token_is_answer_BL=place_BL % 9 == 3,
        token_is_guide_BL=place_BL % 7 == 2,
        token_sentence_BL=place_BL // 12 + 1,
        token_word_BL=place_BL // 2 + 1,
        sample_seeds_B=torch.arange(num),
    )
    texts = {name: getattr(batch, name)[:, :0] for name in batch.__dataclass_fields__ if name.startswith("token")}
    films_alone = dataclasses.replace(batch, **texts)
    return tuple(batch if stream.text else films_alone for stream in method.streams(method.config))
