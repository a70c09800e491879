"""Structured reports (D-MLM, Sec. 2.1): definition and appearance of what is seen, then observations and verdicts.

``Definition: … Radiographic characteristics: … Is there pleural effusion …? Yes. Verdict: pleural effusion present.``
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from maskray.reports.budget import Cutter, shares
from maskray.reports.definitions import KINDS, Definition, Kind
from maskray.reports.pieces import NUM_SPECIAL, CountPieces
from maskray.reports.triplets import Exist
from maskray.reports.vocabulary import FINDINGS, ancestors

# A section of fewer pieces tells nothing: rather fewer sections.
_MIN_SECTION = 24

Spans = tuple[tuple[int, int], ...]
_HEADINGS: Mapping[Kind, str] = {"definition": "Definition:", "appearance": "Radiographic characteristics:"}


@dataclass(frozen=True)
class MarkedText:
    """A text and the character spans ``[start, end)`` of some of its words.

    Attributes:
        text: what the text encoder reads.
        answers: answers and verdict words, which are hidden first.
        guides: words that say where to look on the film: the appearance sections, or the MeSH words of a report.
        sentences: its sentences, where one is chosen at random.
    """

    text: str
    answers: Spans = ()
    guides: Spans = ()
    sentences: Spans = ()


@dataclass
class Joining:
    """Texts joined by single spaces, with their spans."""

    text: str = ""
    answers: list[tuple[int, int]] = field(default_factory=list)
    guides: list[tuple[int, int]] = field(default_factory=list)

    def add(self, text: str) -> int:
        """Append a text; returns where it begins."""
        self.text += " " if self.text else ""
        start = len(self.text)
        self.text += text
        return start

    def done(self) -> MarkedText:
        """What has been joined."""
        return MarkedText(self.text, tuple(self.answers), tuple(self.guides))


class StructuredWriter:
    """Writes structured reports that fit into a number of word pieces.

    Args:
        definitions: the knowledge, for every finding of the vocabulary.
        max_pieces: with the two special tokens.
        count_pieces: pieces of a text; see :mod:`maskray.reports.pieces`.
        kinds: which sections; both in the paper.
    """

    def __init__(
        self,
        definitions: Mapping[str, Definition],
        max_pieces: int,
        count_pieces: CountPieces,
        kinds: Sequence[Kind] = KINDS,
    ) -> None:
        self._definitions = definitions
        self._budget = max_pieces - NUM_SPECIAL
        self._count = count_pieces
        self._kinds = kinds
        self._cut = Cutter(count_pieces).cut

    def write(self, manuscript: MarkedText, verdicts: Mapping[str, Exist]) -> MarkedText:
        """The structured report of one manuscript; the same input always gives the same text.

        Verdicts come first, then observations, then equal shares of the rest for the findings with a positive or
        uncertain verdict ("No Finding" where there is none), and in them for definition and appearance; where shares
        become too small, fewer findings get sections. Where even the observations do not fit, the last are left out.

        Args:
            manuscript: observations, then one statement for each verdict.
            verdicts: name -> exist, in the order of the manuscript.
        """
        statements = list(_statements(manuscript))
        sizes = [self._count(text) for text, _ in statements]
        statements, used = _with_verdicts(statements, sizes, len(verdicts), self._budget)
        joining = Joining()
        for kind, text in self._sections(verdicts, self._budget - used):
            joining.add(_HEADINGS[kind])
            start = joining.add(text)
            if kind == "appearance":
                joining.guides.append((start, len(joining.text)))
        for text, spans in statements:
            start = joining.add(text)
            joining.answers += [(start + first, start + last) for first, last in spans]
        return joining.done()

    def _sections(self, verdicts: Mapping[str, Exist], budget: int) -> Iterator[tuple[Kind, str]]:
        """Kind and text of each section, in the order of the verdicts."""
        kinds = self._kinds if budget >= len(self._kinds) * _MIN_SECTION else self._kinds[-1:]
        names = _told(verdicts, max(budget // (len(kinds) * _MIN_SECTION), 1))
        texts = [[(kind, getattr(self._definitions[name], kind)) for kind in kinds] for name in names]
        sizes = [[self._count(_HEADINGS[kind]) + self._count(text) for kind, text in each] for each in texts]
        for each, row, share in zip(texts, sizes, shares([sum(row) for row in sizes], budget), strict=True):
            for (kind, text), granted in zip(each, shares(row, share), strict=True):
                if kept := self._cut(text, granted - self._count(_HEADINGS[kind])):
                    yield kind, kept


def _told(verdicts: Mapping[str, Exist], most: int) -> list[str]:
    """The findings that get sections, in the order of the verdicts.

    Where there are more than ``most``, those go first that another one implies, then uncertain ones, then the last.
    """
    names = [name for name, exist in verdicts.items() if exist != "absent"] or ["No Finding"]
    implied = {parent.name for name in names for parent in ancestors(FINDINGS[name])}
    ranked = sorted(names, key=lambda name: (name in implied, verdicts.get(name) == "uncertain"))
    return sorted(ranked[:most], key=names.index)


def _statements(manuscript: MarkedText) -> Iterator[tuple[str, Spans]]:
    """The statements of a manuscript, each with the span of its answer; a statement ends after its answer's stop."""
    start = 0
    for first, last in manuscript.answers:
        text = manuscript.text[start : last + 1]
        offset = start + len(text) - len(text.lstrip())
        yield text.strip(), ((first - offset, last - offset),)
        start = last + 1
    if rest := manuscript.text[start:].strip():
        yield rest, ()


def _with_verdicts(
    statements: Sequence[tuple[str, Spans]], sizes: Sequence[int], num_verdicts: int, budget: int
) -> tuple[list[tuple[str, Spans]], int]:
    """The verdicts and as many of the observations before them as fit, and the pieces they take."""
    num_observations = len(statements) - num_verdicts
    used, num_kept = sum(sizes[num_observations:]), 0
    while num_kept < num_observations and used + sizes[num_kept] <= budget:
        used += sizes[num_kept]
        num_kept += 1
    return [*statements[:num_kept], *statements[num_observations:]], used
