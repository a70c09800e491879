"""Where the words of a tokenised copy of a report stand in the report."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

# Letters, digits and blanks (___) apart: copies differ in whether "2cm" and "___F" are one word.
_WORD = re.compile(r"[^\W\d_]+|\d+|_+|[^\w\s]")
# A region of other words counts as the same one, changed ("quote marks"), up to this many times its words.
_MAX_CHANGED = 2

Span = tuple[int, int]


def align(tokens: Sequence[str], text: str) -> tuple[list[Span | None], float]:
    """For each token its characters ``[start, end)`` of ``text``, and the share of the text's words that align.

    A token stands for the text that it replaced where the copy changed it, and is None where it belongs to no part of
    the text (the copy may hold further sections). Case and space between words do not matter; order does.
    """
    pieces = [(number, word) for number, token in enumerate(tokens) for word in _WORD.findall(token.lower())]
    words = [(match[0].lower(), match.span()) for match in _WORD.finditer(text)]
    spans: list[Span | None] = [None] * len(tokens)
    found: set[int] = set()
    matcher = SequenceMatcher(None, [word for _, word in pieces], [word for word, _ in words], autojunk=False)
    for kind, first, last, start, end in matcher.get_opcodes():
        if kind == "equal":
            found.update(range(start, end))
            for offset in range(last - first):
                _widen(spans, pieces[first + offset][0], words[start + offset][1])
        elif kind == "replace" and last - first <= _MAX_CHANGED * (end - start):
            for number, _ in pieces[first:last]:
                _widen(spans, number, (words[start][1][0], words[end - 1][1][1]))
    lettered = {n for n, (word, _) in enumerate(words) if word[0].isalpha()}
    return spans, len(lettered & found) / len(lettered) if lettered else 1.0


def _widen(spans: list[Span | None], number: int, span: Span) -> None:
    """Make the token's span reach over ``span``."""
    old = spans[number]
    spans[number] = span if old is None else (min(old[0], span[0]), max(old[1], span[1]))
