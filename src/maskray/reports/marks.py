"""A text with spans that mean something to a method."""

from __future__ import annotations

from dataclasses import dataclass

Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class MarkedText:
    """A text and the character spans ``[start, end)`` of some of its words.

    Attributes:
        text: what the text encoder reads.
        answers: answers and verdict words, which are hidden first.
        guides: words that say where to look on the film or are hidden first: appearance sections, MeSH words,
            entities.
        sentences: its sentences, where one is chosen at random.
    """

    text: str
    answers: Spans = ()
    guides: Spans = ()
    sentences: Spans = ()
