"""Triplets by rules, offline: word lists, clauses, and cues of denial and doubt. No model, no network.

One sentence is read at a time, and sentences that come again (most do) are read once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from maskray.reports.cues import Said, said_of
from maskray.reports.mentions import Mention, mentions_of
from maskray.reports.phrases import Match
from maskray.reports.positions import positions_of
from maskray.reports.reading import FINDING, STRUCTURE, Reader, Reading
from maskray.reports.sentences import sentence_spans
from maskray.reports.triplets import Doubt, Exist, Triplet

_CACHED_SENTENCES = 1 << 14


class Statement(NamedTuple):
    """A triplet whose characters ``[start, end)`` count from the start of its sentence."""

    entity: str
    position: str
    exist: Exist
    start: int
    end: int
    doubt: Doubt | None


class RuleSource:
    """Reads triplets by rules; the same text always gives the same triplets."""

    def __init__(self) -> None:
        self._reader = Reader()
        self._statements = lru_cache(maxsize=_CACHED_SENTENCES)(self._read)

    def extract(self, texts: Sequence[str]) -> list[list[Triplet] | None]:
        """The triplets of each text, in the order of the text."""
        return [list(self._of_text(text)) for text in texts]

    def _of_text(self, text: str) -> Iterator[Triplet]:
        for index, (start, end) in enumerate(sentence_spans(text)):
            for entity, position, exist, first, last, doubt in self._statements(text[start:end]):
                yield Triplet(entity, position, exist, index, start + first, start + last, doubt)

    def _read(self, sentence: str) -> tuple[Statement, ...]:
        reading = self._reader.read(sentence)
        return () if reading is None else tuple(_statements(reading))


def _statements(reading: Reading) -> Iterator[Statement]:
    text = reading.text
    is_finding = [False] * len(text.words)
    for term in reading.terms:
        if term.kind == FINDING:
            is_finding[term.start : term.end] = [True] * (term.end - term.start)
    subjects: Sequence[Match] = ()
    for clause in reading.clauses:
        terms = [term for term in reading.terms if clause[0] <= term.start < clause[1]]
        if not terms:
            continue
        mentions = list(mentions_of(terms, subjects, text.words))
        subjects = [term for term in terms if term.kind == STRUCTURE] or subjects
        nearby = [place for place in reading.places if clause[0] <= place.start < clause[1]]
        spans = [(mention.start, mention.end) for mention in mentions]
        for mention in mentions:
            said = _said(mention, spans, reading, clause)
            if said is None or (mention.finding.is_vague and said != "absent"):
                continue
            exist, doubt = _graded(said)
            found = positions_of(mention.finding, mention.start, mention.end, nearby, text.words, is_finding)
            for position in found or ("",):
                first, last = text.starts[mention.start], text.ends[mention.end - 1]
                yield Statement(mention.finding.phrase, position, exist, first, last, doubt)


def _graded(said: Said) -> tuple[Exist, Doubt | None]:
    return ("uncertain", said) if said == "possible" or said == "probable" else (said, None)


def _said(mention: Mention, spans: Sequence[tuple[int, int]], reading: Reading, clause: tuple[int, int]) -> Said | None:
    said = said_of((mention.start, mention.end), spans, reading.cues, reading.text.words, clause, mention.finding.lasts)
    if not mention.is_denied or said in (None, "possible", "probable"):
        return said
    # "Not normal" says nothing definite.
    return "absent" if said == "present" else None
