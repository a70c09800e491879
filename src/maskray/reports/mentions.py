"""What a clause speaks of: findings by name, and states of structures ("the heart is enlarged")."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from maskray.reports.lexicon import structures
from maskray.reports.phrases import Match
from maskray.reports.reading import FINDING, STATE, STRUCTURE
from maskray.reports.vocabulary import FINDINGS, Finding

_MAX_STATE_GAP = 9
_FILLERS = frozenset({
    "of", "the", "in", "both", "overall", "appearing", "sized", "left", "right", "lateral", "posterior",
})  # fmt: skip
_COORDINATION = frozenset({"and", ",", "the", "or", "&", "/"})
_PREDICATES = frozenset({"is", "are", "remains", "appears", "appear", "remain", "was", "were"})


class Mention(NamedTuple):
    """A finding that a clause speaks of; words ``[start, end)`` name it, or name the state that says it.

    Attributes:
        is_denied: True where the state of a structure denies it ("the heart is normal").
        owner: the words of that structure, where a state says the finding.
    """

    finding: Finding
    start: int
    end: int
    is_denied: bool
    owner: tuple[int, int] | None = None


def mentions_of(terms: Sequence[Match], subjects: Sequence[Match], words: Sequence[str]) -> Iterator[Mention]:
    """The mentions of one clause, in order.

    Args:
        terms: of the clause.
        subjects: the structures of the clause before, for "the heart is large but has not grown".
        words: of the sentence.
    """
    for i, term in enumerate(terms):
        if term.kind == FINDING:
            yield Mention(FINDINGS[term.name], term.start, term.end, False)
        elif term.kind == STATE:
            yield from _stated(term, _owners(terms, i, subjects, words))


def _stated(state: Match, owners: Iterable[Match]) -> Iterator[Mention]:
    _, table, _ = structures()
    for owner in owners:
        structure = table[owner.name]
        if state.name == "normal":
            for finding in structure.denied:
                yield Mention(finding, state.start, state.end, True, (owner.start, owner.end))
        elif state.name in structure.states:
            yield Mention(structure.states[state.name], state.start, state.end, False, (owner.start, owner.end))


def _owners(terms: Sequence[Match], i: int, subjects: Sequence[Match], words: Sequence[str]) -> Sequence[Match]:
    """The structures whose state ``terms[i]`` is: "enlarged heart", "the heart and mediastinum are enlarged"."""
    state = terms[i]
    before = _before(terms, i, words)
    after = _after(terms, i, words)
    if after and not (before and not _PREDICATES.isdisjoint(words[before[0].end : state.start])):
        return after
    if i + 1 < len(terms) and terms[i + 1].kind == FINDING and terms[i + 1].start == state.end:
        return []
    return before or ([] if any(term.kind == STRUCTURE for term in terms) else subjects)


def _before(terms: Sequence[Match], i: int, words: Sequence[str]) -> list[Match]:
    found: list[Match] = []
    edge = terms[i].start
    for term in reversed(terms[:i]):
        if term.kind != STRUCTURE:
            break
        gap = words[term.end : edge]
        if (found and _COORDINATION.isdisjoint(gap)) or edge - term.end > _MAX_STATE_GAP or "with" in gap:
            break
        found.append(term)
        edge = term.start
    return found[::-1]


def _after(terms: Sequence[Match], i: int, words: Sequence[str]) -> list[Match]:
    found: list[Match] = []
    edge = terms[i].end
    for term in terms[i + 1 :]:
        if term.kind != STRUCTURE or not (_COORDINATION if found else _FILLERS).issuperset(words[edge : term.start]):
            break
        found.append(term)
        edge = term.end
    return found
