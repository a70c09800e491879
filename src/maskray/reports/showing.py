"""What is read out of one report, for a person to look at: marked text, triplets, and the texts made of them.

The list at the end says what is marked; another kind of mark is one line more.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from maskray.config.preprocessing import ReportsConfig
from maskray.errors import InputError
from maskray.reports.definitions import read_definitions
from maskray.reports.entities import entity_spans
from maskray.reports.manuscripts import write_manuscript
from maskray.reports.mesh import mesh_spans
from maskray.reports.origins import Origins
from maskray.reports.pieces import estimate_pieces
from maskray.reports.sections import Section, described, find_sections
from maskray.reports.segments import Mark, Segment, cut
from maskray.reports.structure import row_of, text_of_parts
from maskray.reports.styles import Writing, style_of
from maskray.reports.terms import find_cues, find_terms
from maskray.reports.tracing import Line, trace
from maskray.reports.triplets import Triplet, TripletSource, Unread, read_triplets, source_of

_NOT_READ = "no findings or impression in it"
_MAX_BYTES = 1_000_000
STYLES = ("manuscript", "structured")
# BERT's length: what a structured report is written for.
_MAX_PIECES = 512

Span = tuple[int, int]


@dataclass(frozen=True)
class Layer:
    """One kind of mark. ``spans`` finds its characters ``[start, end)`` in the text that the triplets speak of."""

    name: str
    legend: str
    spans: Callable[[str, ReportsConfig], Sequence[Span]]


@dataclass(frozen=True)
class Block:
    """A section of the report; ``is_read`` says whether findings are read out of it."""

    name: str
    is_read: bool
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class ReadTriplet:
    """A triplet with the words that it was read from."""

    triplet: Triplet
    words: str


@dataclass(frozen=True)
class ShownReport:
    """A report taken apart.

    Attributes:
        blocks: its sections.
        layers: what is marked in them besides the findings.
        triplets: what is read out of them.
        texts: style -> what is written from them.
        lines: the manuscript's sentences with the words of the report that they stand on.
        failure: why there are none, else empty.
    """

    blocks: tuple[Block, ...]
    layers: tuple[Layer, ...]
    triplets: tuple[ReadTriplet, ...]
    texts: dict[str, str]
    lines: tuple[Line, ...]
    failure: str


def read_report(path: str) -> str:
    """The text of a file, or of the standard input for ``-``; :class:`InputError` where it is no text."""
    name = "the standard input" if path == "-" else path
    try:
        raw = sys.stdin.buffer.read(_MAX_BYTES + 1) if path == "-" else _head(Path(path))
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{name}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: byte {error.start} is not UTF-8 text; save the report as UTF-8") from None
    if len(raw) > _MAX_BYTES:
        raise InputError(f"{name}: more than {_MAX_BYTES} bytes: not one report")
    if not text.strip():
        raise InputError(f"{name}: empty; give the text of a report")
    return text


def _head(path: Path) -> bytes:
    with path.open("rb") as handle:
        return handle.read(_MAX_BYTES + 1)


def take_apart(raw: str, study: str, config: ReportsConfig, styles: Sequence[str] = STYLES) -> ShownReport:
    """Everything that is read out of one report.

    Args:
        raw: the report.
        study: its study id, where the source of triplets looks it up; else empty.
        config: the settings of the reports.
        styles: names of the texts to write, from :data:`maskray.reports.styles.TEXT_STYLES`.
    """
    writing = Writing(read_definitions(), _MAX_PIECES, estimate_pieces)
    writers = {name: style_of(name).writer(writing) for name in styles}
    source = source_of(config)
    # Control characters could speak to the terminal.
    raw = "".join(c if c.isprintable() or c in "\r\n\t" else "\ufffd" for c in raw)
    sections = find_sections(raw)
    read = described(sections)
    text = text_of_parts(read)
    triplets = _triplets(source, text, study)
    failure = f"{config.triplets} {triplets.reason}" if isinstance(triplets, Unread) else ""
    known = [] if isinstance(triplets, Unread) else triplets
    marks = _marks(text, known, config)
    row = row_of(study, raw, read, known, config)
    return ShownReport(
        blocks=tuple(_blocks(sections, read, marks)),
        layers=LAYERS,
        triplets=tuple(ReadTriplet(each, text[each.start : each.end]) for each in known),
        texts={} if failure or not text else {name: write(row).text for name, write in writers.items()},
        lines=trace(write_manuscript(known, config), text, Origins(raw, text, read.values())),
        failure=failure or ("" if text else _NOT_READ),
    )


def _triplets(source: TripletSource, text: str, study: str) -> list[Triplet] | Unread:
    return read_triplets(source, [text], [study] if study else [])[0] if text else []


def _marks(text: str, triplets: Sequence[Triplet], config: ReportsConfig) -> list[Mark]:
    """(start, end, layer) of everything marked; where triplets of one span differ, the first counts."""
    findings: dict[Span, str] = {}
    for triplet in triplets:
        findings.setdefault((triplet.start, triplet.end), triplet.exist)
    marks = [(start, end, layer.name) for layer in LAYERS for start, end in layer.spans(text, config)]
    return [(start, end, exist) for (start, end), exist in findings.items()] + marks


def _blocks(sections: dict[str, Section], read: dict[str, Section], marks: list[Mark]) -> list[Block]:
    """The sections in their order; a report without findings and impression is read from another section."""
    offsets = {"findings": 0, "impression": len(read["findings"].text) + 2 if "findings" in read else 0}
    blocks = []
    for name, section in sections.items():
        own = next((key for key, value in read.items() if value == section and (key == name or name not in read)), None)
        if own is None:
            blocks.append(Block(name, False, (Segment(section.text, (), ""),)))
        else:
            blocks.append(Block(name, True, tuple(cut(section.text, offsets[own], marks))))
    return blocks


def _places(text: str, _: ReportsConfig) -> list[Span]:
    return [(term.start, term.end) for term in find_terms(text) if term.kind in ("structure", "part", "side")]


def _cues(kinds: tuple[str, ...], text: str, _: ReportsConfig) -> list[Span]:
    """Cues whose kind begins so; an "or" is a cue only between two findings that nothing denies, and left out."""
    return [(c.start, c.end) for c in find_cues(text) if c.kind.startswith(kinds) and not c.kind.endswith("_between")]


LAYERS: tuple[Layer, ...] = (
    Layer("anatomy", "anatomy", _places),
    Layer("negation", "denial", partial(_cues, ("negation",))),
    Layer("doubt", "doubt", partial(_cues, ("uncertainty", "probable"))),
    Layer("history", "not of this film", partial(_cues, ("ignored", "past"))),
    Layer("entity", "clinical entity", lambda text, _: entity_spans(text)),
    Layer("mesh", "MeSH word", lambda text, config: mesh_spans(text, config.mesh)),
)
