"""A manuscript sentence by sentence, each with the words of the report that it stands on, to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maskray.reports.manuscripts import Evidence, Manuscript
from maskray.reports.origins import Origins
from maskray.reports.segments import Mark, Segment, cut
from maskray.reports.sentences import sentence_spans
from maskray.reports.triplets import Exist

_EXISTS: dict[str, Exist] = {"Yes": "present", "No": "absent", "Uncertain": "uncertain"}


@dataclass(frozen=True)
class Word:
    """Words of the report: ``role`` says what they are evidence of, ``[start, end)`` where they stand in it."""

    role: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Quote:
    """The sentence of the report that says so, marked; its telling words; and whether all that tell are known."""

    segments: tuple[Segment, ...]
    words: tuple[Word, ...]
    is_whole: bool


@dataclass(frozen=True)
class Line:
    """A sentence of the manuscript.

    Attributes:
        text: the sentence.
        quotes: what an observation stands on.
        grounds: what a verdict stands on: observations, counted from 1.
    """

    text: str
    quotes: tuple[Quote, ...] = ()
    grounds: tuple[int, ...] = ()


def trace(manuscript: Manuscript, text: str, origins: Origins) -> tuple[Line, ...]:
    """The observations, then the verdicts; none where nothing is stated.

    Args:
        manuscript: of the report.
        text: what was read of the report, in which the evidence counts.
        origins: where the text stands in the report.
    """
    starts = [0, *(end + 2 for _, end in manuscript.answers)]
    said = [manuscript.text[start : end + 1] for start, (_, end) in zip(starts, manuscript.answers, strict=False)]
    exists = [_EXISTS.get(manuscript.text[slice(*answer)], "present") for answer in manuscript.answers]
    sentences = sentence_spans(text)
    observations = [
        Line(line, tuple(_quote(each, exist, text, sentences, origins) for each in statements))
        for line, exist, statements in zip(said, exists, manuscript.evidence, strict=False)
    ]
    verdicts = [
        Line(line, grounds=tuple(number + 1 for number in grounds))
        for line, grounds in zip(said[len(observations) :], manuscript.grounds, strict=True)
    ]
    return (*observations, *verdicts)


def _quote(
    evidence: Evidence, exist: Exist, text: str, sentences: Sequence[tuple[int, int]], origins: Origins
) -> Quote:
    spans = {span for found in evidence for span in found}
    first, last = min(start for start, _ in spans), max(end for _, end in spans)
    start = max((start for start, _ in sentences if start <= first), default=first)
    end = min((end for _, end in sentences if end >= last), default=last)
    words = [
        Word(role, " ".join(text[slice(*span)].split()), *place)
        for role, found in evidence._asdict().items()
        for span, place in zip(found, origins.of(found), strict=True)
        if role != "answer" or evidence.answer != evidence.finding
    ]
    return Quote(tuple(cut(text[start:end], start, _marks(evidence, exist))), tuple(words), bool(evidence.answer))


def _marks(evidence: Evidence, exist: Exist) -> list[Mark]:
    """Marks under the names of the layers of a shown report; what only names the finding decides nothing apart."""
    decides = "negation" if exist == "absent" else "doubt"
    layers = {exist: evidence.finding, "place": evidence.place}
    if evidence.answer != evidence.finding:
        layers[decides] = evidence.answer
    return [(start, end, layer) for layer, spans in layers.items() for start, end in spans]
