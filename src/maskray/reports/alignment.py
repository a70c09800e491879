"""Where the words of a tokenised copy of a report stand in the report."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Sequence
from difflib import SequenceMatcher

# Letters, digits and blanks (___) apart: copies differ in whether "2cm" and "___F" are one word.
_WORD = re.compile(r"[^\W\d_]+|\d+|_+|[^\w\s]")
_PARAGRAPH = re.compile(r"\n[ \t]*\n")
# A region of other words counts as the same one, changed ("quote marks"), up to this many times its words.
_MAX_CHANGED = 2

Span = tuple[int, int]
Word = tuple[str, Span]


def align(tokens: Sequence[str], text: str) -> tuple[list[Span | None], float]:
    """For each token its characters ``[start, end)`` of ``text``, and the share of the text's words that align.

    A token stands for the text that it replaced where the copy changed it, and is None where it belongs to no part of
    the text (the copy may hold further sections). Case and space between words do not matter. Order does, but for
    that of paragraphs where the text has them in another one than the copy (an impression that stands first).
    """
    words = [(match[0].lower(), match.span()) for match in _WORD.finditer(text)]
    lettered = {span for word, span in words if word[0].isalpha()}
    best = _aligned(tokens, [words])
    if lettered - best[1]:
        starts = [match.end() for match in _PARAGRAPH.finditer(text)]
        paragraphs = [[word for word in words if bisect(starts, word[1][0]) == n] for n in range(len(starts) + 1)]
        best = max(best, _aligned(tokens, paragraphs), key=lambda each: len(lettered & each[1]))
    return best[0], len(lettered & best[1]) / len(lettered) if lettered else 1.0


def _aligned(tokens: Sequence[str], parts: Sequence[Sequence[Word]]) -> tuple[list[Span | None], set[Span]]:
    """The spans of the tokens in the parts, each aligned by itself, the first that has a token winning; words found."""
    pieces = [(number, word) for number, token in enumerate(tokens) for word in _WORD.findall(token.lower())]
    copy = [word for _, word in pieces]
    spans: list[Span | None] = [None] * len(tokens)
    found: set[Span] = set()
    for words in parts:
        own: list[Span | None] = [None] * len(tokens)
        opcodes = SequenceMatcher(None, copy, [word for word, _ in words], autojunk=False).get_opcodes()
        for kind, first, last, start, end in opcodes:
            if kind == "equal":
                found.update(span for _, span in words[start:end])
                for offset in range(last - first):
                    _widen(own, pieces[first + offset][0], words[start + offset][1])
            elif kind == "replace" and last - first <= _MAX_CHANGED * (end - start):
                for number, _ in pieces[first:last]:
                    _widen(own, number, (words[start][1][0], words[end - 1][1][1]))
        spans = [old or new for old, new in zip(spans, own, strict=True)]
    return spans, found


def _widen(spans: list[Span | None], number: int, span: Span) -> None:
    """Make the token's span reach over ``span``."""
    old = spans[number]
    spans[number] = span if old is None else (min(old[0], span[0]), max(old[1], span[1]))
