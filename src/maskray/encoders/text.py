"""Text encoder: a Hugging Face model, that sees the whole text (BERT) or what comes before (CLIP).

Shapes: B batch, L word pieces (padded), T words, C width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from maskray.config.encoders import TextEncoderConfig
from maskray.encoders.text_models import create_text_model


class TextEncoder(nn.Module):
    """A text model without any pooling layer or projection.

    Attributes:
        model: the Hugging Face model; ``model.save_pretrained(folder)`` writes what ``weights: folder`` reads.
        width: C.
    """

    def __init__(self, config: TextEncoderConfig, vocabulary_size: int) -> None:
        super().__init__()
        self.model = create_text_model(config, vocabulary_size)
        self._stands_last = config.kind == "clip"
        self._feature = config.feature
        self.width: int = self.model.config.hidden_size

    @property
    def word_embeddings(self) -> Tensor:
        """The table of word-piece embeddings, vocabulary x C."""
        return self.model.get_input_embeddings().weight

    def forward(
        self,
        token_ids_BL: Tensor,
        token_is_real_BL: Tensor,
        sentence_BL: Tensor | None = None,
        sees_BLL: Tensor | None = None,
    ) -> Tensor:
        """Tokens of the last layer, tokens_BLC, the first token first; those of padding mean nothing.

        Args:
            token_ids_BL: word pieces.
            token_is_real_BL: False on padding.
            sentence_BL: number of each piece's sentence (:func:`sentences`): every sentence is then read alone, from
                position 1 on; the class token sees them all (BERT alone).
            sees_BLL: row = piece, column = what it may look at, instead of all that this kind of model looks at.
        """
        if sees_BLL is not None:
            return self.model(input_ids=token_ids_BL, attention_mask=sees_BLL[:, None]).last_hidden_state
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

    def whole(self, tokens_BLC: Tensor, token_is_real_BL: Tensor) -> Tensor:
        """What stands for the whole text, text_BC, of this encoder's tokens or of what is made of each of them.

        The token that has seen all: the first (BERT), or the last real one (CLIP); or the mean of the real ones.
        """
        if self._feature == "mean":
            share_BL = token_is_real_BL / token_is_real_BL.sum(dim=1, keepdim=True)
            return (share_BL.to(tokens_BLC.dtype)[:, :, None] * tokens_BLC).sum(dim=1)
        if not self._stands_last:
            return tokens_BLC[:, 0]
        places_BL = torch.arange(tokens_BLC.shape[1], device=tokens_BLC.device) * token_is_real_BL
        return tokens_BLC[torch.arange(len(tokens_BLC), device=tokens_BLC.device), places_BL.argmax(dim=1)]


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
