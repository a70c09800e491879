"""Texts made to fit into a number of word pieces."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache

from maskray.reports.pieces import CountPieces
from maskray.reports.sentences import split_sentences

# Fewer words of a cut sentence say nothing: it is left out.
_MIN_WORDS = 4
_CACHED_CUTS = 1 << 14


def shares(sizes: Sequence[int], budget: int) -> list[int]:
    """Equal shares of a budget, none above its size; what the small ones leave goes to the others."""
    granted, left = [0] * len(sizes), max(budget, 0)
    by_size = sorted(range(len(sizes)), key=lambda number: sizes[number])
    for num_done, number in enumerate(by_size):
        granted[number] = min(sizes[number], left // (len(sizes) - num_done))
        left -= granted[number]
    return granted


class Cutter:
    """Cuts texts at the end of a sentence where possible; a text that comes again is cut once."""

    def __init__(self, count_pieces: CountPieces) -> None:
        self._count = count_pieces
        self.cut = lru_cache(maxsize=_CACHED_CUTS)(self._cut)

    def _cut(self, text: str, budget: int) -> str:
        """As many whole sentences as fit; of the first, if even that is too long, as many words; else nothing."""
        sentences = split_sentences(text)
        sizes = [self._count(sentence) for sentence in sentences]
        num_kept = len(sentences)
        while num_kept and sum(sizes[:num_kept]) > budget:
            num_kept -= 1
        return " ".join(sentences[:num_kept]) or self._words(sentences[0].split(), budget)

    def _words(self, words: list[str], budget: int) -> str:
        """As many words as fit, back to the last comma where there is one."""
        num_kept = bisect_right(range(1, len(words) + 1), budget, key=lambda num: self._count(_ended(words[:num])))
        if num_kept < _MIN_WORDS:
            return ""
        commas = [number for number in range(_MIN_WORDS, num_kept + 1) if words[number - 1][-1] in ",;:"]
        return _ended(words[: commas[-1] if commas else num_kept])


def _ended(words: Sequence[str]) -> str:
    return " ".join(words).rstrip(".,;:") + "."
