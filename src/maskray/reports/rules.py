"""Triplets by rules, offline: word lists, clauses, and cues of denial and doubt. No model, no network.

One sentence is read at a time, and sentences that come again (most do) are read once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from maskray.reports.cues import Near, Saying, Span, cues_of, said_of
from maskray.reports.mentions import Mention, mentions_of
from maskray.reports.phrases import Match
from maskray.reports.positions import positions_of
from maskray.reports.reading import FINDING, STRUCTURE, Reading, reader
from maskray.reports.sentences import sentence_spans
from maskray.reports.triplets import Doubt, Exist, Spans, Triplet
from maskray.reports.words import Words

_CACHED_SENTENCES = 1 << 14


class RuleSource:
    """Reads triplets by rules; the same text always gives the same triplets."""

    def __init__(self) -> None:
        self._reader = reader()
        self._statements = lru_cache(maxsize=_CACHED_SENTENCES)(self._read)

    def extract(self, texts: Sequence[str], studies: Sequence[str] = ()) -> list[list[Triplet]]:
        """The triplets of each text, in the order of the text."""
        return [list(self._of_text(text)) for text in texts]

    def _of_text(self, text: str) -> Iterator[Triplet]:
        for index, (start, end) in enumerate(sentence_spans(text)):
            for triplet in self._statements(text[start:end]):
                yield triplet.moved(index, start)

    def _read(self, sentence: str) -> tuple[Triplet, ...]:
        reading = self._reader.read(sentence)
        return () if reading is None else tuple(_statements(reading))


def _statements(reading: Reading) -> Iterator[Triplet]:
    """The triplets of a sentence by itself."""
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
        near = cues_of(clause, reading.cues, text.words)
        nearby = [place for place in reading.places if clause[0] <= place.start < clause[1]]
        spans = [(mention.start, mention.end) for mention in mentions]
        for mention in mentions:
            saying = _saying(mention, spans, near, text.words, clause)
            if saying is None or (mention.finding.is_vague and saying.said != "absent"):
                continue
            exist, doubt = _graded(saying)
            found = positions_of(mention.finding, mention.start, mention.end, nearby, text.words, is_finding)
            first, last = text.characters(mention.start, mention.end)
            owner = _characters(text, [mention.owner] if mention.owner else [])
            cues = _characters(text, saying.cues)
            for position, named in (found or {"": []}).items():
                places = _characters(text, named)
                yield Triplet(mention.finding.phrase, position, exist, 0, first, last, doubt, owner, places, cues)


def _graded(saying: Saying) -> tuple[Exist, Doubt | None]:
    said = saying.said
    return ("uncertain", said) if said == "possible" or said == "probable" else (said, None)


def _saying(mention: Mention, spans: Sequence[Span], near: Near, words: Sequence[str], clause: Span) -> Saying | None:
    saying = said_of((mention.start, mention.end), spans, near, words, clause, mention.finding.lasts)
    if not mention.is_denied or saying is None or saying.said in ("possible", "probable"):
        return saying
    # "Not normal" says nothing definite; of "normal" the state itself is the denial.
    return Saying("absent", [(mention.start, mention.end)]) if saying.said == "present" else None


def _characters(text: Words, spans: Sequence[Span]) -> Spans:
    """The characters of spans of words, each once."""
    return tuple(dict.fromkeys([text.characters(start, end) for start, end in spans])) if spans else ()
