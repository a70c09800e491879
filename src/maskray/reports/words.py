"""Words of a sentence, as the report rules see them.

Hyphens inside a word part it ("ill-defined" is two words) and full stops vanish, so that one spelling of a phrase
stands for all. Blanks of de-identified reports (``XXXX``, ``___``) say nothing and vanish too.
"""

from __future__ import annotations

import re
from typing import NamedTuple

DASH = "--"
_TOKEN = re.compile(
    r"[a-z]++(?![^\W_]|['’])"  # nearly all there is, and quickly told
    r"|\d+(?:\.\d+)?(?![^\W_])|[^\W_]+(?:['’][^\W_]+)?|[,;:/()\[\]?&+]|-{2,}|(?:^|(?<=\s))-(?=\s)|[–—]"
)
_SAME = {"(": ",", ")": ",", "[": ",", "]": ",", "-": DASH, "–": DASH, "—": DASH, "---": DASH}


class Words(NamedTuple):
    """Lower-case words and punctuation of a sentence, and the characters ``[start, end)`` of each."""

    words: list[str]
    spans: list[tuple[int, int]]

    def characters(self, start: int, end: int) -> tuple[int, int]:
        """Those of the words ``[start, end)``."""
        return self.spans[start][0], self.spans[end - 1][1]


def words_of(sentence: str) -> Words:
    """The words; brackets count as commas, all dashes that stand alone as ``--``."""
    lowered = _lower(sentence)
    spans = [match.span() for match in _TOKEN.finditer(lowered)]
    if "xxxx" in lowered:
        spans = [(start, end) for start, end in spans if lowered[start:end] != "xxxx"]
    return Words([_SAME.get(word := lowered[start:end], word) for start, end in spans], spans)


def plain_words(phrase: str) -> tuple[str, ...]:
    """The words of a phrase of a word list."""
    return tuple(words_of(phrase).words)


def _lower(text: str) -> str:
    """Lower case, character by character where the whole would change its length (a few Turkish letters)."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
