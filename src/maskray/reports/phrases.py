"""Phrases of word lists, found in a sentence in one pass over its words."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from maskray.reports.words import plain_words

_CHOICE = re.compile(r"\(([^()]*)\)")


class Match(NamedTuple):
    """A phrase at words ``[start, end)``; ``kind`` and ``name`` say of which list."""

    start: int
    end: int
    kind: str
    name: str


class Phrases:
    """All word lists in one tree: each level is keyed by the next word, the key None holds what ends there."""

    def __init__(self) -> None:
        self._root: dict[str | None, Any] = {}

    def add(self, phrase: str, kind: str, name: str) -> None:
        """File a phrase; the same phrase may stand under several kinds, not twice under one."""
        node = self._root
        for word in plain_words(phrase):
            node = node.setdefault(word, {})
        ends = node.setdefault(None, [])
        if not any(known == kind for known, _ in ends):
            ends.append((kind, name))

    def find(self, words: Sequence[str]) -> list[Match]:
        """Every phrase at every place, overlaps included, by start and then by length."""
        found = []
        root = self._root
        last = len(words)
        for start, word in enumerate(words):
            node = root.get(word)
            end = start
            while node is not None:
                end += 1
                for kind, name in node.get(None, ()):
                    found.append(Match(start, end, kind, name))
                node = node.get(words[end]) if end < last else None
        return found


def longest(matches: Sequence[Match]) -> list[Match]:
    """Those that no longer one overlaps, the first of equal length winning; several of one place stay together.

    The matches come and go in the order of :meth:`Phrases.find`.
    """
    if len(matches) < 2 or all(match.end <= after.start for match, after in itertools.pairwise(matches)):
        return list(matches)
    kept: list[Match] = []
    owner: dict[int, tuple[int, int]] = {}
    for match in sorted(matches, key=lambda match: (match.start - match.end, match.start)):
        place = (match.start, match.end)
        if all(owner.get(i, place) == place for i in range(*place)):
            kept.append(match)
            for i in range(*place):
                owner[i] = place
    return sorted(kept)


def expanded(pattern: str) -> list[str]:
    """All readings of ``(a|b|) c``: "a c", "b c" and "c"."""
    parts = _CHOICE.split(pattern)
    choices = [part.split("|") if i % 2 else [part] for i, part in enumerate(parts)]
    return [" ".join("".join(chosen).split()) for chosen in itertools.product(*choices)]
