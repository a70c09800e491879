"""From tokens back to words: BERT's masked-word head.

Shapes: K hidden word pieces, C width of the tokens, E width of the word embeddings, V vocabulary.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class WordDecoder(nn.Module):
    """One hidden layer, then the similarity to every word's embedding plus the word's bias.

    The embeddings are the text encoder's own, given in each call: sharing them keeps one copy in the weights.
    """

    def __init__(self, width: int, embedding_width: int, vocabulary_size: int) -> None:
        super().__init__()
        self.transform = nn.Sequential(nn.Linear(width, embedding_width), nn.GELU(), nn.LayerNorm(embedding_width))
        self.bias_V = nn.Parameter(torch.zeros(vocabulary_size))

    def forward(self, tokens_KC: Tensor, embeddings_VE: Tensor) -> Tensor:
        """Logits over the vocabulary, logits_KV."""
        return F.linear(self.transform(tokens_KC), embeddings_VE, self.bias_V)
