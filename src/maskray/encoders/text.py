"""Text encoder: a Hugging Face BERT.

Shapes: B batch, L word pieces (padded), T words, C width.
"""

from __future__ import annotations

from typing import Any

import torch
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

    def forward(self, token_ids_BL: Tensor, token_is_real_BL: Tensor, sentence_BL: Tensor | None = None) -> Tensor:
        """Tokens of the last layer, tokens_BLC, the class token first; those of padding mean nothing.

        With the number of each piece's sentence (:func:`sentences`) every sentence is read alone, from position 1 on;
        the class token sees them all.
        """
        if sentence_BL is None:
            return self.model(input_ids=token_ids_BL, attention_mask=token_is_real_BL).last_hidden_state
        sees_BLL = (sentence_BL[:, :, None] == sentence_BL[:, None, :]) & token_is_real_BL[:, None, :]
        sees_BLL[:, 0] = token_is_real_BL
        starts_BL = torch.searchsorted(sentence_BL, sentence_BL)
        positions_BL = torch.arange(sentence_BL.shape[1], device=sentence_BL.device) - starts_BL
        positions_BL[:, 1:] += 1  # position 0 is the class token's alone
        return self.model(
            input_ids=token_ids_BL, attention_mask=sees_BLL[:, None], position_ids=positions_BL
        ).last_hidden_state


def sentences(token_ids_BL: Tensor, stop_id: int) -> Tensor:
    """The number of each piece's sentence, sentence_BL: 0 for the class token, then from 1 on; a stop ends its own."""
    stops_BL = token_ids_BL == stop_id
    before_BL = stops_BL.cumsum(dim=1) - stops_BL.long()
    before_BL[:, 1:] += 1
    return before_BL


def mean_of_sentences(tokens_BLC: Tensor, sentence_BL: Tensor, is_word_BL: Tensor) -> Tensor:
    """The mean over a text's sentences of the mean of their words, text_BC; zero for a text without words."""
    together_BLL = (sentence_BL[:, :, None] == sentence_BL[:, None, :]) & is_word_BL[:, None, :]
    share_BL = is_word_BL / together_BLL.sum(dim=2).clamp(min=1)
    share_BL = share_BL / share_BL.sum(dim=1, keepdim=True).clamp(min=1e-9)
    return (share_BL.to(tokens_BLC.dtype)[:, :, None] * tokens_BLC).sum(dim=1)


def words_of_pieces(tokens_BLC: Tensor, token_word_BL: Tensor) -> Tensor:
    """A word is the mean of its pieces, words_BTC; T is the highest word number, zeros where a text has fewer."""
    num_words = int(token_word_BL.max()) if token_word_BL.numel() else 0
    index_BLC = token_word_BL[:, :, None].expand(-1, -1, tokens_BLC.shape[2])
    sums_BTC = tokens_BLC.new_zeros(len(tokens_BLC), num_words + 1, tokens_BLC.shape[2])
    sums_BTC = sums_BTC.scatter_add(1, index_BLC, tokens_BLC)
    num_pieces_BT1 = spread_over_words(torch.ones_like(token_word_BL), token_word_BL, num_words)[:, :, None]
    # Word 0 is no word: special tokens and padding.
    return sums_BTC[:, 1:] / num_pieces_BT1.clamp(min=1)


def spread_over_words(values_BL: Tensor, token_word_BL: Tensor, num_words: int) -> Tensor:
    """The sum of whole-number values of the pieces of each word, sums_BT."""
    sums_BT = values_BL.new_zeros(len(values_BL), num_words + 1)
    return sums_BT.scatter_add(1, token_word_BL, values_BL)[:, 1:]


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
