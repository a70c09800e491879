"""Triplets by rules, offline: spaCy terms, negspacy for negation, and our own cues for uncertainty.

One sentence is read at a time, and sentences that come again (most do) are read once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from maskray.reports.cues import Cue, exist_of
from maskray.reports.lexicon import structures
from maskray.reports.pipeline import build_pipeline
from maskray.reports.positions import places, positions_of
from maskray.reports.sentences import sentence_spans
from maskray.reports.triplets import Exist, Triplet
from maskray.reports.vocabulary import FINDINGS, Finding

if TYPE_CHECKING:
    from spacy.tokens import Doc, Span

_CACHED_SENTENCES = 1 << 16
_MAX_STATE_GAP = 9
_FILLERS = frozenset({"of", "the", "in", "both", "overall", "appearing", "sized"})
_COORDINATION = frozenset({"and", ",", "the", "or", "&", "/"})


@dataclass(frozen=True)
class Mention:
    """A finding that a clause speaks of; tokens ``[start, end)`` hold its name, ``is_denied`` by a normal state."""

    finding: Finding
    start: int
    end: int
    is_denied: bool
    is_negated: bool


class RuleSource:
    """Reads triplets by rules; the same text always gives the same triplets."""

    def __init__(self) -> None:
        self._pipeline = build_pipeline()
        self._read = lru_cache(maxsize=_CACHED_SENTENCES)(self._read_sentence)

    def extract(self, texts: Sequence[str], studies: Sequence[str] = ()) -> list[list[Triplet]]:
        """The triplets of each text, in the order of the text."""
        return [list(self._of_text(text)) for text in texts]

    def _of_text(self, text: str) -> Iterator[Triplet]:
        for index, (start, end) in enumerate(sentence_spans(text)):
            raw = text[start:end]
            words = " ".join(raw.split())
            offsets = None if words == raw else _offsets(raw)
            for triplet in self._read(words):
                first, last = triplet.start, triplet.end
                if offsets is not None:
                    first, last = offsets[first], offsets[last - 1] + 1
                yield replace(triplet, sentence=index, start=start + first, end=start + last)

    def _read_sentence(self, sentence: str) -> tuple[Triplet, ...]:
        """The triplets of one sentence with single spaces; offsets count from its start."""
        doc = self._pipeline.read(sentence)
        if doc is None:
            return ()
        words = [token.lower_ for token in doc]
        cues = self._pipeline.cues(doc)
        located = places(
            [(start, end, doc[start:end].text.lower()) for start, end in self._pipeline.anatomy(doc)], words
        )
        is_finding = [token.ent_type_ == "FINDING" for token in doc]
        found = []
        subjects: list[Span] = []
        for clause in doc.sents:
            entities = [entity for entity in doc.ents if clause.start <= entity.start < clause.end]
            mentions = list(_mentions(doc, entities, subjects))
            subjects = [entity for entity in entities if entity.label_ == "STRUCTURE"] or subjects
            nearby = [place for place in located if clause.start <= place.start < clause.end]
            for mention in mentions:
                exist = _exist(mention, mentions, cues, words, (clause.start, clause.end))
                if exist is None or (mention.finding.is_vague and exist != "absent"):
                    continue
                positions = positions_of(mention.finding, mention.start, mention.end, nearby, words, is_finding)
                found += list(_triplets(doc[mention.start : mention.end], mention, exist, positions))
        return tuple(found)


def _triplets(span: Any, mention: Mention, exist: Exist, positions: Sequence[str]) -> Iterator[Triplet]:
    for position in positions or [""]:
        yield Triplet(mention.finding.phrase, position, exist, 0, span.start_char, span.end_char)


def _exist(
    mention: Mention, mentions: Sequence[Mention], cues: Sequence[Cue], words: Sequence[str], clause: tuple[int, int]
) -> Exist | None:
    spans = [(other.start, other.end) for other in mentions]
    exist = exist_of((mention.start, mention.end), spans, cues, words, clause, mention.is_negated)
    if mention.is_denied and exist == "present":
        return "absent"
    return exist


def _mentions(doc: Doc, entities: Sequence[Span], subjects: Sequence[Span]) -> Iterator[Mention]:
    """What one clause says: findings by name, and states of structures; ``subjects`` are those of the clause before."""
    for i, entity in enumerate(entities):
        if entity.label_ == "FINDING":
            yield Mention(FINDINGS[entity.ent_id_], entity.start, entity.end, False, entity._.negex)
        elif entity.label_ == "STATE":
            yield from _stated(entity, _owners(doc, entities, i, subjects))


def _stated(state: Span, owners: Iterable[Span]) -> Iterator[Mention]:
    _, table, _ = structures()
    for owner in owners:
        structure = table[owner.ent_id_]
        if state.ent_id_ == "normal":
            # "not normal" says nothing definite.
            findings = () if state._.negex else structure.denied
            for finding in findings:
                yield Mention(finding, state.start, state.end, True, False)
        elif state.ent_id_ in structure.states:
            yield Mention(structure.states[state.ent_id_], state.start, state.end, False, state._.negex)


def _owners(doc: Doc, entities: Sequence[Span], i: int, subjects: Sequence[Span]) -> list[Span]:
    """The structures whose state ``entities[i]`` is: "enlarged heart", "the heart and mediastinum are enlarged"."""
    state = entities[i]
    before = _before(doc, entities, i)
    after = _after(doc, entities, i)
    if after and not (before and _has_predicate(doc, before[0].end, state.start)):
        return after
    if i + 1 < len(entities) and entities[i + 1].label_ == "FINDING" and entities[i + 1].start == state.end:
        return []
    return before or ([] if any(e.label_ == "STRUCTURE" for e in entities) else list(subjects))


def _before(doc: Doc, entities: Sequence[Span], i: int) -> list[Span]:
    found: list[Span] = []
    edge = entities[i].start
    for entity in reversed(entities[:i]):
        if entity.label_ != "STRUCTURE":
            break
        gap = {token.lower_ for token in doc[entity.end : edge]}
        if (found and not gap & _COORDINATION) or edge - entity.end > _MAX_STATE_GAP or "with" in gap:
            break
        found.append(entity)
        edge = entity.start
    return found[::-1]


def _after(doc: Doc, entities: Sequence[Span], i: int) -> list[Span]:
    found: list[Span] = []
    edge = entities[i].end
    for entity in entities[i + 1 :]:
        gap = {token.lower_ for token in doc[edge : entity.start]}
        if entity.label_ != "STRUCTURE" or not gap <= (_COORDINATION if found else _FILLERS):
            break
        found.append(entity)
        edge = entity.end
    return found


def _has_predicate(doc: Doc, start: int, end: int) -> bool:
    return any(
        token.lower_ in {"is", "are", "remains", "appears", "appear", "remain", "was"} for token in doc[start:end]
    )


def _offsets(raw: str) -> list[int]:
    """For each character of ``" ".join(raw.split())`` its offset in ``raw``."""
    offsets: list[int] = []
    for i, character in enumerate(raw):
        if not character.isspace() or (offsets and not raw[i - 1].isspace()):
            offsets.append(i)
    return offsets
