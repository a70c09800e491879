"""The forms in which a text encoder may read a report, by name; pure functions of the columns of ``reports.parquet``.

They are written when training starts, with the tokenizer at hand: stored they would take many times the space.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from maskray.config.preprocessing import ReportsConfig
from maskray.errors import InputError
from maskray.reports.budget import Cutter, shares
from maskray.reports.definitions import KINDS, Definition, Kind
from maskray.reports.manuscripts import merged, verdicts
from maskray.reports.marks import MarkedText, Spans
from maskray.reports.mesh import mesh_spans
from maskray.reports.pieces import NUM_SPECIAL, CountPieces
from maskray.reports.sentences import sentence_spans
from maskray.reports.structured import Joining, StructuredWriter
from maskray.reports.triplets import Triplet
from maskray.reports.vocabulary import finding_of_words

# Stored besides the manuscript: what styles need and cannot derive without the settings of the reports.
EXTRA_COLUMNS = ("observations", "verdicts", "mesh")
# MedIM reads sentences of more words than this.
_FEW_WORDS = 3
_NOTHING_STATED = "no finding stated."

Row = Mapping[str, Any]
Write = Callable[[Row], MarkedText]


@dataclass(frozen=True)
class Writing:
    """What writing needs besides the row: the knowledge, and how many word pieces a text may take."""

    definitions: Mapping[str, Definition]
    max_pieces: int
    count_pieces: CountPieces


@dataclass(frozen=True)
class Style:
    """One form of text.

    Attributes:
        columns: what it reads of ``reports.parquet``.
        writer: makes the function from a row to its text.
        kinds: sections of the knowledge that it brings into the text.
    """

    columns: tuple[str, ...]
    writer: Callable[[Writing], Write]
    kinds: tuple[Kind, ...] = ()


def text_of(findings: str | None, impression: str | None) -> str:
    """The text of a report: the spans of triplets, sentences and MeSH words are counted in it."""
    return "\n\n".join(part for part in (findings, impression) if isinstance(part, str) and part)


def extra_columns(text: str, triplets: Sequence[Triplet], config: ReportsConfig) -> dict[str, str]:
    """The columns :data:`EXTRA_COLUMNS` of one report, as JSON.

    ``observations``: [entity, position, exist], after the policy on uncertainty. ``verdicts``: name -> exist.
    ``mesh``: character spans in :func:`text_of`.
    """
    observations = merged(triplets, config)
    return {
        "observations": json.dumps([[*key, exist] for key, exist in observations.items()]),
        "verdicts": json.dumps(verdicts(observations)),
        "mesh": json.dumps(mesh_spans(text, config.mesh)),
    }


def style_of(name: str, guides: str = "") -> Style:
    """The style of this name, with the guides that it can mark in more than one way; :class:`InputError` lists all."""
    if (name, guides) in _OTHER_GUIDES:
        return _OTHER_GUIDES[name, guides]
    if name not in TEXT_STYLES:
        raise InputError(f"no text style {name}; there are: {', '.join(TEXT_STYLES)}")
    return TEXT_STYLES[name]


def style_words(name: str, definitions: Mapping[str, Definition]) -> list[str]:
    """The knowledge that a style adds to reports: its words belong into a vocabulary."""
    kinds = TEXT_STYLES[name].kinds if name in TEXT_STYLES else ()
    return [getattr(each, kind) for kind in kinds for each in definitions.values()]


def _spans(column: str | None) -> Spans:
    return tuple((int(start), int(end)) for start, end in json.loads(column or "[]"))


def _report(_: Writing, guides: str = "mesh") -> Write:
    def write(row: Row) -> MarkedText:
        text = text_of(row["findings"], row["impression"])
        spans = tuple((start, end) for start, end in sentence_spans(text) if len(text[start:end].split()) > _FEW_WORDS)
        return MarkedText(text, guides=_spans(row[guides]), sentences=spans)

    return write


def _manuscript(_: Writing) -> Write:
    return lambda row: MarkedText(row["manuscript"], answers=_spans(row["answers"]))


def _structured(writing: Writing, kinds: tuple[Kind, ...]) -> Write:
    writer = StructuredWriter(writing.definitions, writing.max_pieces, writing.count_pieces, kinds)
    manuscript = _manuscript(writing)
    return lambda row: writer.write(manuscript(row), json.loads(row["verdicts"]))


def _triplet(_: Writing) -> Write:
    return lambda row: _joined(json.loads(row["observations"]), {})


def _ke_triplet(writing: Writing) -> Write:
    cut, budget = Cutter(writing.count_pieces).cut, writing.max_pieces - NUM_SPECIAL

    def write(row: Row) -> MarkedText:
        observations = json.loads(row["observations"])
        bare = _joined(observations, {}).text
        findings = {entity: finding for entity, *_ in observations if (finding := finding_of_words(entity))}
        texts = {entity: writing.definitions[finding.name].definition for entity, finding in findings.items()}
        granted = shares([*map(writing.count_pieces, texts.values())], budget - writing.count_pieces(bare))
        kept = [cut(text, share) for text, share in zip(texts.values(), granted, strict=True)]
        return _joined(observations, dict(zip(texts, kept, strict=True)))

    return write


def _joined(observations: Sequence[tuple[str, str, str]], knowledge: Mapping[str, str]) -> MarkedText:
    """ "entity, position, exist." for each observation; the knowledge of an entity follows its first mention."""
    joining, told = Joining(), set()
    for entity, position, exist in observations:
        joining.add(", ".join(part for part in (entity, position, f"{exist}.") if part))
        joining.answers.append((len(joining.text) - len(exist) - 1, len(joining.text) - 1))
        if knowledge.get(entity) and entity not in told:
            joining.add(knowledge[entity])
        told.add(entity)
    if not observations:
        joining.add(_NOTHING_STATED)
    return joining.done()


_OF_REPORT = ("findings", "impression", "mesh")
_OF_MANUSCRIPT = ("manuscript", "answers")
_OF_STRUCTURED = (*_OF_MANUSCRIPT, "verdicts")


def _structured_style(*kinds: Kind) -> Style:
    return Style(_OF_STRUCTURED, partial(_structured, kinds=kinds), kinds)


# The rows of Masks & Manuscripts, Table 7, and of D-MLM, Table 6; then structured reports without one section.
TEXT_STYLES: Mapping[str, Style] = {
    "report": Style(_OF_REPORT, _report),
    "triplet": Style(("observations",), _triplet),
    "ke_triplet": Style(("observations",), _ke_triplet, ("definition",)),
    "manuscript": Style(_OF_MANUSCRIPT, _manuscript),
    "structured": _structured_style(*KINDS),
    "structured_without_definition": _structured_style("appearance"),
    "structured_without_appearance": _structured_style("definition"),
}

# MMCLIP hides entities of the report instead of MeSH words.
_OTHER_GUIDES: Mapping[tuple[str, str], Style] = {
    ("report", "entities"): Style(("findings", "impression", "entities"), partial(_report, guides="entities")),
}
