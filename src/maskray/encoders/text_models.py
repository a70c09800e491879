"""The Hugging Face models that read texts: built from the configured sizes, or read from a folder with its sizes."""

from __future__ import annotations

import importlib
from typing import Any

from maskray.config.encoders import TextEncoderConfig
from maskray.encoders.weights import find_weights
from maskray.errors import InputError
from maskray.postponed import postponed
from maskray.torchvision_shim import ensure_torchvision_imports


def create_text_model(config: TextEncoderConfig, vocabulary_size: int) -> Any:
    """A model without pooling layer and projection.

    Raises:
        InputError: the weights are missing, of another kind, or do not fit the tokenizer or ``max_tokens``.
    """
    ensure_torchvision_imports()
    with postponed("scipy.optimize", "linear_sum_assignment"):
        importlib.import_module("transformers.modeling_utils")
    if config.weights is not None:
        return _read(config, vocabulary_size)
    return {"bert": _build_bert, "clip": _build_clip}[config.kind](config, vocabulary_size)


def _build_bert(config: TextEncoderConfig, vocabulary_size: int) -> Any:
    from transformers import BertConfig, BertModel

    settings = BertConfig(
        vocab_size=vocabulary_size,
        hidden_size=config.width,
        num_hidden_layers=config.depth,
        num_attention_heads=config.num_heads,
        intermediate_size=4 * config.width,
        max_position_embeddings=config.max_tokens,
        # BERT's 0.02 is meant for its width of 768: in a narrow encoder so little signal hardly leaves its own token.
        initializer_range=0.02 * (768 / config.width) ** 0.5,
        **_dropout(config),
    )
    return BertModel(settings, add_pooling_layer=False)


def _build_clip(config: TextEncoderConfig, vocabulary_size: int) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel

    settings = CLIPTextConfig(
        vocab_size=vocabulary_size,
        hidden_size=config.width,
        num_hidden_layers=config.depth,
        num_attention_heads=config.num_heads,
        intermediate_size=4 * config.width,
        max_position_embeddings=config.max_tokens,
        # As in CLIP the last two of the vocabulary; whoever loads the model without us finds the end by them.
        bos_token_id=vocabulary_size - 2,
        eos_token_id=vocabulary_size - 1,
        pad_token_id=vocabulary_size - 1,
        **_dropout(config),
    )
    return CLIPTextModel(settings)


def _read(config: TextEncoderConfig, vocabulary_size: int) -> Any:
    """Read a folder; :class:`InputError` where a tensor is missing or a size does not fit."""
    from transformers import BertModel, CLIPTextModel

    assert config.weights is not None
    folder = find_weights(config.weights)
    name = config.kind.upper()
    models: dict[str, Any] = {"bert": BertModel, "clip": CLIPTextModel}
    options = _dropout(config) | ({"add_pooling_layer": False} if config.kind == "bert" else {})
    try:
        model, report = models[config.kind].from_pretrained(
            folder, attn_implementation="sdpa", output_loading_info=True, **options
        )
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{folder}: cannot be read as a {name} folder ({reason}): run `snakemake weights`") from None
    if report["missing_keys"]:
        raise InputError(f"{folder}: lacks {len(report['missing_keys'])} tensors of a {name}; fetch it again")
    if model.config.vocab_size != vocabulary_size:
        raise InputError(f"{folder}: {model.config.vocab_size} word pieces, but the tokenizer has {vocabulary_size}")
    if model.config.max_position_embeddings < config.max_tokens:
        raise InputError(f"{folder}: at most {model.config.max_position_embeddings} tokens; lower max_tokens")
    return model


def _dropout(config: TextEncoderConfig) -> dict[str, Any]:
    if config.kind == "clip":
        return {"attention_dropout": config.dropout}
    return {"hidden_dropout_prob": config.dropout, "attention_probs_dropout_prob": config.dropout}
