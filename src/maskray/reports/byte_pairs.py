"""CLIP's kind of tokenizer, learned from the training texts: bytes, then pairs that are joined again and again.

The folder is exported with the weights. What leaves are pairs inside words that many texts hold: the words of few
texts, of which one may be a name that was left in a report, are not learned from and are spelt in bytes or in the
pieces of other words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskray.errors import InputError
from maskray.reports.tokens import load_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_START, _END = "<|startoftext|>", "<|endoftext|>"
_WORD_END = "</w>"


def build_byte_pairs(
    texts: Iterable[str], size: int, folder: str | Path, *, always: Iterable[str] = (), min_texts: int = 1
) -> PreTrainedTokenizerBase:
    """Learn a vocabulary, write it as a Hugging Face folder, and load it.

    In the order of CLIP's own: every byte, every byte at the end of a word, pieces in the order in which they were
    joined, the two special tokens. The same texts in any order give the same files.

    Args:
        texts: what is counted, in lower case as CLIP reads it.
        size: upper bound of the vocabulary.
        folder: where the Hugging Face folder is written.
        always: texts whose words are learned from, whatever their count.
        min_texts: a word counts when so many texts hold it.

    Raises:
        InputError: ``size`` cannot even hold the bytes.
    """
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    letters = sorted(ByteLevel.alphabet())
    pieces = [*letters, *(letter + _WORD_END for letter in letters)]
    if size < len(pieces) + 2:
        raise InputError(
            f"vocabulary_size {size} is too small: {len(pieces) + 2} pieces are needed for the bytes alone"
        )
    counts = _count_words(CLIPTokenizer(), texts, always, min_texts)
    merges = learn_merges(counts, size - len(pieces) - 2)
    names = dict.fromkeys([*pieces, *("".join(pair) for pair in merges), _START, _END])
    joined: Any = merges
    tokenizer = CLIPTokenizer(vocab={name: number for number, name in enumerate(names)}, merges=joined)
    tokenizer.save_pretrained(str(folder))
    return load_tokenizer(folder, "clip")


def learn_merges(counts: Mapping[str, int], num_pieces: int) -> list[tuple[str, str]]:
    """The pairs to join, the most frequent first (Sennrich et al. 2016, https://arxiv.org/abs/1508.07909).

    Ties go by the alphabet, so that the order of the words means nothing: a library's trainer breaks them by the
    order of its hash table, which differs from run to run.

    Args:
        counts: words in bytes' letters.
        num_pieces: so many different pieces are made at most; a pair that occurs once makes none.
    """
    words = [([*word[:-1], word[-1] + _WORD_END], count) for word, count in sorted(counts.items())]
    pairs: Counter[tuple[str, str]] = Counter()
    holders: dict[tuple[str, str], set[int]] = {}

    def add(number: int, sign: int) -> None:
        symbols, count = words[number]
        for pair in pairwise(symbols):
            pairs[pair] += sign * count
            holders.setdefault(pair, set()).add(number)

    for number in range(len(words)):
        add(number, 1)
    merges: list[tuple[str, str]] = []
    pieces: set[str] = set()
    while pairs and len(pieces) < num_pieces:
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        if pairs[best] < 2:
            break
        merges.append(best)
        pieces.add("".join(best))
        for number in sorted(holders[best]):
            add(number, -1)
            words[number][0][:] = _joined(words[number][0], best)
            add(number, 1)
        del pairs[best]
    return merges


def _joined(symbols: list[str], pair: tuple[str, str]) -> list[str]:
    """The symbols with every occurrence of the pair as one, from left to right."""
    joined: list[str] = []
    for symbol in symbols:
        if joined and (joined[-1], symbol) == pair:
            joined[-1] += symbol
        else:
            joined.append(symbol)
    return joined


def _count_words(tokenizer: Any, texts: Iterable[str], always: Iterable[str], min_texts: int) -> dict[str, int]:
    """How often each word occurs, in bytes' letters; without the words of few texts."""
    backend = tokenizer.backend_tokenizer

    def words_of(text: str) -> list[str]:
        return [word for word, _ in backend.pre_tokenizer.pre_tokenize_str(backend.normalizer.normalize_str(text))]

    counts: Counter[str] = Counter()
    num_texts: Counter[str] = Counter()
    for text in texts:
        counts.update(found := words_of(text))
        num_texts.update(set(found))
    kept = {word: counts[word] for word, number in num_texts.items() if number >= min_texts}
    # A word that is always wanted counts enough to be joined, even where no text holds it.
    wanted = {word for text in always for word in words_of(text)}
    return kept | {word: max(counts[word], min_texts, 2) for word in wanted}
