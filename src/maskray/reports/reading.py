"""One sentence read against all word lists: terms, places, cues and clauses."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from maskray.reports.clauses import clause_starts
from maskray.reports.lexicon import anatomy, clause_words, cues, structures
from maskray.reports.phrases import Match, Phrases, longest
from maskray.reports.positions import Place, places
from maskray.reports.vocabulary import FINDINGS
from maskray.reports.words import Words, words_of

FINDING, STATE, STRUCTURE = "FINDING", "STATE", "STRUCTURE"
_TERM, _CUE, _ANATOMY, _OPENER = "term", "cue", "anatomy", "opener"
_LISTS = {FINDING: _TERM, STATE: _TERM, STRUCTURE: _TERM, _ANATOMY: _ANATOMY, _OPENER: _OPENER}
_ANSWER = "negation_answer"


class Reading(NamedTuple):
    """What stands in a sentence; all spans count words.

    Attributes:
        text: its words.
        terms: names of findings, states and structures in order, without overlap; ``kind`` says which.
        cues: of denial, doubt and history in order; ``kind`` is their list in ``cues.yaml``.
        places: anatomy, in order.
        clauses: spans ``[start, end)`` that cover the sentence.
    """

    text: Words
    terms: list[Match]
    cues: list[Match]
    places: list[Place]
    clauses: list[tuple[int, int]]


class Reader:
    """Reads sentences with the word lists of this package."""

    def __init__(self) -> None:
        self._phrases = Phrases()
        places_of = anatomy()
        words, _, states = structures()
        for finding in (finding for finding in FINDINGS.values() if finding.name != "No Finding"):
            for word in finding.synonyms:
                self._phrases.add(word, FINDING, finding.name)
        for kind, table in ((STATE, states), (STRUCTURE, words)):
            for word, name in table.items():
                self._phrases.add(word, kind, name)
        for word in (*places_of.sides, *places_of.parts, *places_of.whole):
            self._phrases.add(word, _ANATOMY, word)
        for kind, phrases in cues().items():
            for phrase in phrases:
                self._phrases.add(phrase, kind, phrase)
        for phrase in clause_words()["openers"]:
            self._phrases.add(phrase, _OPENER, phrase)

    def read(self, sentence: str) -> Reading | None:
        """The sentence; None where it names no finding and no state."""
        text = words_of(sentence)
        named: dict[str, list[Match]] = {_TERM: [], _ANATOMY: [], _OPENER: [], _CUE: []}
        for match in self._phrases.find(text.words):
            named[_LISTS.get(match.kind, _CUE)].append(match)
        terms = _terms(named[_TERM])
        if all(term.kind == STRUCTURE for term in terms):
            return None
        cues = longest([match for match in named[_CUE] if _may_stand(match, text.words)])
        openers = {match.start for match in named[_OPENER]}
        starts = clause_starts(text.words, terms, cues, openers)
        ends = [*starts[1:], len(text.words)]
        found = places(longest(named[_ANATOMY]), text.words)
        return Reading(text, terms, cues, found, list(zip(starts, ends, strict=True)))


@cache
def reader() -> Reader:
    """One for all: its word lists never change."""
    return Reader()


def _terms(matches: Sequence[Match]) -> list[Match]:
    """Longest first; of two kinds at one place a finding wins over a state, and that over a structure."""
    kept: dict[int, Match] = {}
    for match in longest(matches):
        kept.setdefault(match.start, match)
    return list(kept.values())


def _may_stand(cue: Match, words: Sequence[str]) -> bool:
    """ "Effusion: none" is an answer only where nothing follows."""
    return cue.kind != _ANSWER or words[cue.end : cue.end + 1] in ([], [";"], [","])
