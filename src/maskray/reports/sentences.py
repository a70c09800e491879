"""Sentences of a report: numbered findings, abbreviations, decimal numbers, blanks (___, XXXX) and wrapped lines."""

from __future__ import annotations

import re

_ABBREVIATIONS = frozenset({
    "dr", "drs", "mr", "mrs", "ms", "prof", "st", "vs", "cf", "e.g", "i.e", "eg", "ie", "approx", "ca", "fig", "resp",
    "incl", "dept", "tel", "ext", "jr", "sr",
})  # fmt: skip
_NUMBER_ABBREVIATIONS = frozenset({"no", "nr", "fig", "vol"})
_HOURS = frozenset({"a.m", "p.m", "am", "pm"})
# One set of first characters: the search leaps from one to the next.
_END = re.compile(r"[.!?\n](?:(?<=\n)|[.!?]*[\"')\]]*(?=\s|$))")
_ITEM = re.compile(r"\s*(?:\(?\d{1,2}[.)]|[-*•])\s+")
_NEW_LINE = re.compile(r"[ \t]*(?:\n|\Z)|\s*(?:\(?\d{1,2}[.)]|[-*•])\s+|[ \t]*[A-Z][A-Za-z /,&-]{2,40}:\s")
_LONGER_THAN_ANY = 7
_LAST_WORD = re.compile(r"[\w.'-]*$")


def split_sentences(text: str) -> list[str]:
    """The sentences, each with single spaces and without its list number; parts without a letter are dropped."""
    return [" ".join(text[start:end].split()) for start, end in sentence_spans(text)]


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Character spans ``[start, end)`` of :func:`split_sentences` in ``text``, in order, without overlap."""
    spans = []
    start = _after_number(text, 0)
    for match in _END.finditer(text):
        if match.start() < start or not _ends_sentence(text, start, match):
            continue
        spans.append((start, match.end()))
        start = _after_number(text, match.end())
    spans.append((start, len(text)))
    return [span for span in (_stripped(text, *span) for span in spans) if _has_words(text[slice(*span)])]


def _after_number(text: str, position: int) -> int:
    """Where the sentence begins once its list number ("2. ", "- ") is skipped."""
    item = _ITEM.match(text, position)
    return item.end() if item else position


def _ends_sentence(text: str, start: int, match: re.Match[str]) -> bool:
    mark = text[match.start()]
    if mark == "\n":
        return _starts_item_or_paragraph(text, match)
    if mark != ".":
        # "? effusion" asks.
        return _has_words(text[start : match.start()])
    # No abbreviation is as long as what is looked at: the whole sentence would be searched once for each full stop.
    before = _LAST_WORD.search(text, max(start, match.start() - _LONGER_THAN_ANY), match.start())
    word = before.group().lower().rstrip(".") if before else ""
    if word in _ABBREVIATIONS:
        return False
    if len(word) == 1 and word.isalpha():
        # "A. Smith" is a name, "vitamin d. No ..." is rare.
        return False
    if word in _NUMBER_ABBREVIATIONS:
        return not _next_character(text, match).isdigit()
    # "At 5 p.m. on ..." goes on, "at 5 p.m. The ..." does not.
    return word not in _HOURS or _next_character(text, match).isupper()


def _next_character(text: str, match: re.Match[str]) -> str:
    return text[match.end() : match.end() + 20].lstrip()[:1]


def _starts_item_or_paragraph(text: str, match: re.Match[str]) -> bool:
    """A single line end is a wrap, unless a blank line, a list item or a line of a table ("Heart: normal") follows."""
    return bool(_NEW_LINE.match(text, match.end()))


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


def _has_words(piece: str) -> bool:
    return any(map(str.isalpha, piece))
