"""A text cut where marks begin and end, to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from maskray.reports.triplets import Exist

SIGNS: dict[Exist, str] = {"present": "+", "absent": "−", "uncertain": "?"}

Mark = tuple[int, int, str]


@dataclass(frozen=True)
class Segment:
    """A stretch of text under the same layers; ``sign``, one of :data:`SIGNS`, is set where a finding ends."""

    text: str
    layers: tuple[str, ...]
    sign: str


def cut(text: str, offset: int, marks: Sequence[Mark]) -> list[Segment]:
    """The segments of a text by marks (start, end, layer), whose characters count from ``offset`` before the text."""
    inside = [
        (max(start - offset, 0), min(end - offset, len(text)), layer)
        for start, end, layer in marks
        if start < offset + len(text) and end > offset
    ]
    edges = sorted({0, len(text), *(edge for start, end, _ in inside for edge in (start, end))})
    segments = []
    for start, end in pairwise(edges):
        over = [(last, layer) for first, last, layer in inside if first <= start and end <= last]
        sign = next((SIGNS[exist] for exist in SIGNS if (end, exist) in over), "")
        segments.append(Segment(text[start:end], tuple(dict.fromkeys(layer for _, layer in over)), sign))
    return segments
