"""The sections of a radiology report.

A heading is a line start, capitals and a colon (the convention of MIMIC-CXR). Well-known headings are also taken in
other cases ("Imaging Notes:"), at the start of a line or of a sentence; alone on a line; and before a dash. Headings
of organs ("LUNGS:") part no section: they stay in the text of the findings. Text before the first heading is
``preamble``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeVar

_KNOWN = (
    "findings", "impression", "impressions", "conclusion", "indication", "history", "clinical history", "comparison",
    "technique", "recommendation", "presentation", "imaging notes", "discussion", "examination", "clinical information",
    "findings and impression", "reason for exam", "final report",
)  # fmt: skip
_ANY_KNOWN = "|".join(sorted(_KNOWN, key=len, reverse=True))
_BEFORE_COLON = r"(?=[A-Za-z \t]++:)"  # sooner told than which of all names begins here
# These need no colon on a line of their own.
_BARE = "FINDINGS AND IMPRESSION|FINDINGS|IMPRESSIONS?|CONCLUSION|INDICATION|COMPARISON|TECHNIQUE|HISTORY"
# With the character before it, by which the search leaps from line to line and from sentence to sentence.
_HEADING = re.compile(
    r"[\n.!?](?:(?:"
    rf"(?<=\n)[ \t]*+(?P<line>[A-Z][A-Z0-9 ()/,.&'-]*[A-Z0-9)]|{_BEFORE_COLON}(?i:{_ANY_KNOWN}))"
    rf"|(?<!\n)[ \t]++{_BEFORE_COLON}(?P<inside>(?i:{_ANY_KNOWN}))"
    r")[ \t]*:(?=\s|$)"
    rf"|(?<=\n)[ \t]*+(?P<bare>{_BARE})[ \t]*(?:$|-{{1,2}}(?=[ \t])))",
    re.MULTILINE,
)
_ORGAN = re.compile(
    r"(?:(?:right |left )?lungs?|heart|cardiac|cardiomediast\w+|mediast\w+|pleura\w*|bones?|osseous|bony|soft tissues?|"
    r"hila|hilum|airways?|diaphragm\w*|lines|tubes|devices|support|abdomen|upper abdomen|vascul\w+|aorta|chest wall|"
    r"pulmonary|trachea|other)(?: ?(?:/|,|and|&)? ?(?:tubes|lines|devices|spaces?|structures|silhouette|size|contours?|"
    r"mediastinum|hila|airways|pleura|vasculature|parenchyma|thorax|findings|soft tissues|upper abdomen|bones))*"
)
_NAMES = (
    (re.compile(r"findings? and impression|impression|conclusion"), "impression"),
    (re.compile(r"^(?:findings?|imaging notes)$"), "findings"),
    (re.compile(r"comparison|reference exam"), "comparison"),
    (re.compile(r"history|presentation"), "history"),
    (re.compile(r"indication|reason for|clinical (?:information|data)|question"), "indication"),
    (re.compile(r"technique"), "technique"),
    (re.compile(r"^(?:type of )?(?:exam(?:ination)?|study|procedure)s?$|examination"), "examination"),
    (re.compile(r"recommendation|recs"), "recommendation"),
    (re.compile(r"addend"), "addendum"),
    (re.compile(r"wet read|preliminary"), "wet_read"),
    (re.compile(r"notification|dictat|signed|date|comment|discussion|report"), ""),
    # "CHEST, TWO VIEWS:", "PA AND LATERAL VIEWS OF THE CHEST:", "PORTABLE AP RADIOGRAPH:" head the findings.
    (re.compile(r"chest|views?\b|radiograph|portable|cxr|x-?ray|lateral|frontal|^ap\b|^pa\b"), "findings"),
)
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_BLANKS = re.compile(r"[ \t]{2,}|\t")
# Not before a list item, nor before a line of a table ("Heart: normal").
_WRAP = re.compile(r"\n(?!(?:\(?\d{1,2}[.)]|[-*•])\s|[A-Z][A-Za-z /,&-]{2,40}:\s)")
_PREFERENCE = ("impression", "findings", "last_paragraph", "discussion", "wet_read", "addendum", "comparison")

T = TypeVar("T")


@dataclass(frozen=True)
class Section:
    """A section as it stands in the report, from character ``start`` on."""

    raw: str
    start: int

    @cached_property
    def text(self) -> str:
        """Wrapped lines joined by a space; list items stay on lines of their own, and blank lines stay."""
        text = self.raw.strip()
        if "\n" not in text:
            return _BLANKS.sub(" ", text)
        paragraphs = ("\n".join(filter(None, map(str.strip, part.split("\n")))) for part in _BLANK_LINE.split(text))
        return "\n\n".join(_BLANKS.sub(" ", _WRAP.sub(" ", part)) for part in paragraphs if part)


def split_sections(text: str) -> dict[str, str]:
    """Name -> text of each section: :func:`find_sections` without their places."""
    return {name: section.text for name, section in find_sections(text).items()}


def find_sections(text: str) -> dict[str, Section]:
    """Name -> section, in the order of the report.

    The last section of a name that is not empty wins. With neither findings nor impression, ``last_paragraph`` is the
    text after the first blank line of the last section. A text without any heading is ``findings`` as a whole.
    """
    # As long as before.
    text = text.replace("\r\n", " \n").replace("\r", "\n")
    headings = _headings(text)
    if not headings:
        return {"findings": Section(text, 0)} if text.strip() else {}
    pieces = [("preamble", 0, headings[0][1])]
    ends = [start for _, start, _ in headings[1:]] + [len(text)]
    pieces += [(name, after, end) for (name, _, after), end in zip(headings, ends, strict=True)]
    sections: dict[str, Section] = {}
    for name, start, end in pieces:
        content = text[start:end]
        if content.strip():
            sections.pop(name, None)
            sections[name] = Section(content, start)
    if not {"findings", "impression"} & set(sections):
        first_word = re.compile(r"\S").search(text, pieces[-1][1])
        blank = first_word and _BLANK_LINE.search(text, first_word.start())
        if blank and text[blank.end() :].strip():
            sections["last_paragraph"] = Section(text[blank.end() :], blank.end())
    return sections


def _headings(text: str) -> list[tuple[str, int, int]]:
    """(name of the section, where its heading starts, where its text starts)."""
    found: list[tuple[str, int, int]] = []
    for match in _HEADING.finditer("\n" + text):
        words = " ".join((match["line"] or match["inside"] or match["bare"]).lower().split())
        # The line end put before the text moves all by one; the match begins one before its heading.
        start, end = match.start(), match.end() - 1
        if name := _name(words):
            found.append((name, start, end))
        elif not found or found[-1][0] not in ("findings", "impression"):
            found.append(("findings", start, start))
    return found


def described(sections: Mapping[str, T]) -> dict[str, T]:
    """The findings and the impression; where a report has neither, what stands for them is called ``findings``."""
    own = {name: sections[name] for name in ("findings", "impression") if name in sections}
    if own:
        return own
    chosen = preferred(sections)
    return {} if chosen is None else {"findings": chosen}


def preferred(sections: Mapping[str, T]) -> T | None:
    """The one section that stands for the report: impression, findings, last paragraph, comparison; else None."""
    return next((sections[name] for name in _PREFERENCE if name in sections), None)


@lru_cache(maxsize=1 << 12)
def _name(heading: str) -> str:
    """The common name of a heading in lower case; an unknown one keeps its own words; none for that of an organ."""
    if _ORGAN.fullmatch(heading):
        return ""
    return next((name for pattern, name in _NAMES if pattern.search(heading) and name), heading)
