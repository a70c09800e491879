"""From a text's tokens and a film to the next words: a causal decoder with cross-attention, as CoCa's multimodal one
(https://arxiv.org/abs/2205.01917).

Shapes: B batch, L word pieces, S image tokens, K pieces to predict in the whole batch (text by text, left to right),
C width, E width of the word embeddings, V vocabulary.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from maskray.decoders.words import WordDecoder
from maskray.encoders.fusion import CrossModalityBlock


class CaptionDecoder(nn.Module):
    """Blocks of self-attention, cross-attention to the film and feed-forward, then each piece's successor.

    It has positions of its own: a text's hidden tokens arrive without any.
    """

    def __init__(
        self, width: int, depth: int, num_heads: int, max_tokens: int, embedding_width: int, vocabulary_size: int
    ) -> None:
        super().__init__()
        self.positions_LC = nn.Parameter(torch.randn(max_tokens, width) * 0.02)
        self.blocks = nn.ModuleList(CrossModalityBlock(width, num_heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.words = WordDecoder(width, embedding_width, vocabulary_size)

    def forward(
        self, texts_BLC: Tensor, sees_BLL: Tensor, images_BSC: Tensor, counts_BL: Tensor, embeddings_VE: Tensor
    ) -> Tensor:
        """Logits of the pieces that count, each from the place before it, logits_KV.

        Args:
            texts_BLC: tokens of the texts.
            sees_BLL: row = piece, column = what it may look at.
            images_BSC: tokens of the films.
            counts_BL: True on the pieces to predict; never the first.
            embeddings_VE: the text encoder's own.
        """
        tokens_BLC = texts_BLC + self.positions_LC[: texts_BLC.shape[1]]
        for block in self.blocks:
            tokens_BLC = block(tokens_BLC, sees_BLL, images_BSC, None, tokens_BLC.shape[1])
        # Logits of all places would take a gigabyte at CLIP's vocabulary.
        before_KC = self.norm(tokens_BLC)[:, :-1][counts_BL[:, 1:]]
        return self.words(before_KC, embeddings_VE)
