"""The words of the report lexicon in a text: findings, structures and their states, places, and what modifies them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Literal

from maskray.files import read_yaml
from maskray.reports.lexicon import anatomy, structures
from maskray.reports.vocabulary import FINDINGS

_TABLE = Path(__file__).with_name("terms.yaml")
_WORD = re.compile(r"[^\W_]+")
# Between the words of one term: "x-ray", "left  base" at a line's end, "enteric/orogastric tube".
_GAP = re.compile(r"[ \t]*[-/'’][ \t]*|[ \t]+|[ \t]*\n[ \t]*")

Kind = Literal["finding", "state", "structure", "part", "side", "modifier"]
Entry = tuple[tuple[str, ...], Kind]


@dataclass(frozen=True)
class Term:
    """The characters ``[start, end)`` of a text that are words of the lexicon."""

    start: int
    end: int
    kind: Kind


def find_terms(text: str) -> list[Term]:
    """The terms from left to right without overlap, each as long as it can be."""
    found: list[Term] = []
    words = [(match[0].lower(), match.start(), match.end()) for match in _WORD.finditer(text)]
    position = 0
    while position < len(words):
        entry = next((e for e in _entries().get(words[position][0], ()) if _stands(e[0], text, words, position)), None)
        if entry is not None:
            last = position + len(entry[0])
            found.append(Term(words[position][1], words[last - 1][2], entry[1]))
            position = last - 1
        position += 1
    return found


def touch(text: str, end: int, start: int) -> bool:
    """True where the words that end and start there stand side by side, with a space, line end, hyphen or slash."""
    return _GAP.fullmatch(text, end, start) is not None


def _stands(term: tuple[str, ...], text: str, words: list[tuple[str, int, int]], position: int) -> bool:
    here = words[position : position + len(term)]
    return tuple(word for word, _, _ in here) == term and all(
        touch(text, before[2], after[1]) for before, after in pairwise(here)
    )


@cache
def _entries() -> dict[str, list[Entry]]:
    """First word -> terms that begin with it, longest first; of the same words the first kind counts."""
    known: dict[tuple[str, ...], Kind] = {}
    for kind, terms in _kinds():
        for term in terms:
            words = tuple(_WORD.findall(term.lower()))
            if words:
                known.setdefault(words, kind)
    by_first: dict[str, list[Entry]] = {}
    for words, kind in sorted(known.items(), key=lambda item: (-len(item[0]), item[0])):
        by_first.setdefault(words[0], []).append((words, kind))
    return by_first


def _kinds() -> Iterator[tuple[Kind, Iterable[str]]]:
    places = anatomy()
    owners, _, states = structures()
    more = read_yaml(_TABLE)
    yield "finding", (word for finding in FINDINGS.values() for word in finding.synonyms)
    yield "structure", owners
    yield "part", (*places.whole, *places.parts, *more["parts"])
    yield "side", places.sides
    yield "modifier", more["modifiers"]
    yield "state", states
