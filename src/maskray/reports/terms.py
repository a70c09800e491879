"""The words of the report lexicon in a text: findings, structures and their states, places, and what modifies them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from maskray.files import read_yaml
from maskray.reports.lexicon import anatomy, cues, structures
from maskray.reports.phrases import Phrases, longest
from maskray.reports.sentences import sentence_spans
from maskray.reports.vocabulary import FINDINGS
from maskray.reports.words import plain_words, words_of

_TABLE = Path(__file__).with_name("terms.yaml")

Kind = Literal["finding", "structure", "part", "side", "modifier", "state"]
# Words of several kinds count as the first of these.
_KINDS: Sequence[str] = ("finding", "structure", "part", "side", "modifier", "state")


class Term(NamedTuple):
    """The characters ``[start, end)`` of a text that are a phrase of one kind."""

    start: int
    end: int
    kind: str


def find_terms(text: str) -> list[Term]:
    """The terms of the lexicon (:data:`Kind`) from left to right without overlap, each as long as it can be."""
    return list(_found(_terms(), text))


def find_cues(text: str) -> list[Term]:
    """The cues of the rules, of the kinds of ``cues.yaml``, likewise."""
    return list(_found(_cues(), text))


def _found(phrases: Phrases, text: str) -> Iterator[Term]:
    """Sentence by sentence: no phrase reaches over the end of one."""
    for first, last in sentence_spans(text):
        words = words_of(text[first:last])
        taken = -1
        for match in longest(phrases.find(words.words)):
            if match.start > taken:
                start, end = words.characters(match.start, match.end)
                yield Term(first + start, first + end, match.kind)
                taken = match.end - 1


@cache
def _terms() -> Phrases:
    return _filed(sorted(_lexicon(), key=lambda row: _KINDS.index(row[0])))


@cache
def _cues() -> Phrases:
    return _filed((kind, phrases) for kind, phrases in cues().items())


def _filed(lists: Iterable[tuple[str, Iterable[str]]]) -> Phrases:
    """One tree of all lists; a phrase of several counts as one of the first."""
    phrases, known = Phrases(), set()
    for kind, entries in lists:
        for entry in entries:
            words = plain_words(entry)
            if words and words not in known:
                phrases.add(entry, kind, entry)
                known.add(words)
    return phrases


def _lexicon() -> Iterator[tuple[Kind, Iterable[str]]]:
    places = anatomy()
    owners, _, states = structures()
    more = read_yaml(_TABLE)
    yield "finding", (word for finding in FINDINGS.values() for word in finding.synonyms)
    yield "structure", owners
    yield "part", (*places.whole, *places.parts, *more["parts"])
    yield "side", places.sides
    yield "modifier", more["modifiers"]
    yield "state", states
