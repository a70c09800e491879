"""Text encoder: a Hugging Face BERT.

Shapes: B batch, L word pieces (padded), C width.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from maskray.config.encoders import TextEncoderConfig
from maskray.encoders.weights import find_weights
from maskray.errors import InputError
from maskray.torchvision_shim import ensure_torchvision_imports


class TextEncoder(nn.Module):
    """A BERT without its pooling layer.

    Attributes:
        model: the Hugging Face model; ``model.save_pretrained(folder)`` writes what ``weights: folder`` reads.
        width: C.
    """

    def __init__(self, config: TextEncoderConfig, vocabulary_size: int) -> None:
        super().__init__()
        self.model = _create_model(config, vocabulary_size)
        self.width: int = self.model.config.hidden_size

    @property
    def word_embeddings(self) -> Tensor:
        """The table of word-piece embeddings, vocabulary x C."""
        return self.model.embeddings.word_embeddings.weight

    def forward(self, token_ids_BL: Tensor, token_is_real_BL: Tensor) -> Tensor:
        """Tokens of the last layer, tokens_BLC, the class token first; those of padding mean nothing."""
        return self.model(input_ids=token_ids_BL, attention_mask=token_is_real_BL).last_hidden_state


def _create_model(config: TextEncoderConfig, vocabulary_size: int) -> Any:
    """Build a BERT from the configured sizes, or read it with its sizes from a folder."""
    ensure_torchvision_imports()
    from transformers import BertConfig, BertModel

    dropout: dict[str, Any] = {"hidden_dropout_prob": config.dropout, "attention_probs_dropout_prob": config.dropout}
    if config.weights is not None:
        return _read_model(config, vocabulary_size, dropout)
    settings = BertConfig(
        vocab_size=vocabulary_size,
        hidden_size=config.width,
        num_hidden_layers=config.depth,
        num_attention_heads=config.num_heads,
        intermediate_size=4 * config.width,
        max_position_embeddings=config.max_tokens,
        # BERT's 0.02 is meant for its width of 768: in a narrow encoder so little signal hardly leaves its own token.
        initializer_range=0.02 * (768 / config.width) ** 0.5,
        **dropout,
    )
    return BertModel(settings, add_pooling_layer=False)


def _read_model(config: TextEncoderConfig, vocabulary_size: int, dropout: dict[str, Any]) -> Any:
    """Read a BERT folder; :class:`InputError` where a tensor is missing or a size does not fit."""
    from transformers import BertModel

    read: Any = BertModel.from_pretrained
    assert config.weights is not None
    folder = find_weights(config.weights)
    try:
        model, report = read(
            folder, add_pooling_layer=False, attn_implementation="sdpa", output_loading_info=True, **dropout
        )
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{folder}: cannot be read as a BERT folder ({reason}): run `snakemake weights`") from None
    if report["missing_keys"]:
        raise InputError(f"{folder}: lacks {len(report['missing_keys'])} tensors of a BERT; fetch it again")
    if model.config.vocab_size != vocabulary_size:
        raise InputError(f"{folder}: {model.config.vocab_size} word pieces, but the tokenizer has {vocabulary_size}")
    if model.config.max_position_embeddings < config.max_tokens:
        raise InputError(f"{folder}: at most {model.config.max_position_embeddings} tokens; lower max_tokens")
    return model
