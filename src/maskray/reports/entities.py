"""Clinical entities of a report as character spans, which entity-driven masking hides (MMCLIP, Sec. 3.3).

By the lexicon here, or as in the paper by scispaCy: :mod:`maskray.reports.scispacy_source`.
"""

from __future__ import annotations

import re

from maskray.reports.terms import Term, find_terms

# Between terms that are one entity: "left-sided catheter", "left  base" over a line's end.
_GAP = re.compile(r"[ \t]*[-/][ \t]*|[ \t]+|[ \t]*\n[ \t]*")
# Alone these name nothing: "left", "small".
_DEPENDENT = frozenset({"side", "modifier"})

Span = tuple[int, int]


def entity_spans(text: str) -> list[Span]:
    """The characters ``[start, end)`` of each entity by the lexicon: terms side by side are one entity.

    "small left pleural effusion" is one. A side or a modifier alone is none.
    """
    groups: list[list[Term]] = []
    for term in find_terms(text):
        if groups and _GAP.fullmatch(text, groups[-1][-1].end, term.start):
            groups[-1].append(term)
        else:
            groups.append([term])
    return [(group[0].start, group[-1].end) for group in groups if any(term.kind not in _DEPENDENT for term in group)]
