"""How many word pieces a text takes: exactly, by a tokenizer, or as an estimate without one."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CountPieces = Callable[[str], int]
# [CLS] and [SEP].
NUM_SPECIAL = 2
_CACHED_TEXTS = 1 << 16
_WORD_OR_MARK = re.compile(r"[^\W_]+|\S")
# BERT's English vocabularies keep short words whole and cut Greek and Latin ones about every third letter.
_WHOLE_LETTERS, _LETTERS_PER_PIECE = 5, 3


@lru_cache(maxsize=_CACHED_TEXTS)
def estimate_pieces(text: str) -> int:
    """A cautious guess without a tokenizer: marks and short words are one piece, longer words one per three letters.

    It is an estimate: plain English takes fewer pieces, and a rare word may take more. Training cuts by the tokenizer.
    """
    return sum(
        1 if len(word) <= _WHOLE_LETTERS else -(-len(word) // _LETTERS_PER_PIECE)
        for word in _WORD_OR_MARK.findall(text)
    )


def piece_counter(tokenizer: PreTrainedTokenizerBase) -> CountPieces:
    """Counts the pieces of a text without special tokens; texts that come again are counted once."""

    @lru_cache(maxsize=_CACHED_TEXTS)
    def count(text: str) -> int:
        return len(tokenizer(text, add_special_tokens=False)["input_ids"])

    return count
