"""Where the words of what is read of a report stand in the report as it was given.

Findings and impression are cut out of a report and their line ends joined. Only blanks change by that, so the nth word
of the one is the nth word of the other.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from itertools import islice

from maskray.reports.manuscripts import Evidence
from maskray.reports.sections import Section
from maskray.reports.triplets import Spans

_WORD = re.compile(r"\S+")


class Origins:
    """Maps characters of the sections that were read, one after the other, onto the report.

    Args:
        raw: the report.
        text: :func:`maskray.reports.styles.text_of` of the sections.
        sections: what was read of it, in the order of the text.
    """

    def __init__(self, raw: str, text: str, sections: Iterable[Section]) -> None:
        self._here = _starts(text)
        self._there: list[int] = []
        for section in sections:
            self._there += _starts(raw, section.start, len(_starts(section.text)))

    def located(self, evidence: Evidence) -> dict[str, Spans]:
        """The evidence by name, its spans in the report."""
        return {name: self.of(spans) for name, spans in evidence._asdict().items()}

    def of(self, spans: Spans) -> Spans:
        """The characters ``[start, end)`` of the report for those of the text; each span begins and ends in a word."""
        return tuple((self._place(start), self._place(end - 1) + 1) for start, end in spans)

    def _place(self, position: int) -> int:
        word = bisect_right(self._here, position) - 1
        return self._there[word] + position - self._here[word]


def _starts(text: str, start: int = 0, number: int | None = None) -> list[int]:
    """Where the first words of the text begin."""
    return [match.start() for match in islice(_WORD.finditer(text, start), number)]
