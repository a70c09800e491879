"""What ``check_data`` found, on one page: as HTML, as Markdown, and as a few plain lines for the terminal.

All three are laid out from the same facts. Ids of films stand there, never a word of a report.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib import resources

from maskray.config.stages import CheckDataStage
from maskray.data.film_files import FilmFiles
from maskray.data.inspection import Count, Inspection, LabelCount, ReportCount
from maskray.tables.render import environment, escape_md

LABEL_HEADINGS = ("Label", "Positive", "Negative", "Not stated")
_NUM_EXAMPLES = 5
_MAX_BAD_FILES = 100  # Of bad files all are named, as they must be fetched again, unless a page would become a book.
_MARKS = {"boxes": "boxes", "rle": "run-length masks", "mask": "mask pictures"}
_MEANINGS = {
    "complete": "every count is that of a complete copy",
    "partial": "readable, but some counts are below those of a complete copy",
    "differs": "readable, but there is more than a complete copy has",
    "found": "readable; nobody says what a complete copy has",
    "made": "painted by maskray",
    "not configured": "no folder is named; its cells cannot be run",
    "cannot be read": "a run would stop here",
    "too many bad films": "a run would stop here",
}


def data_check_html(stage: CheckDataStage, inspections: Sequence[Inspection]) -> str:
    """The page; it needs no other file and no network."""
    styles = (
        resources.files("maskray.tables").joinpath(name).read_text("utf-8") for name in ("report.css", "data.css")
    )
    return (
        environment()
        .get_template("data_check.html.j2")
        .render(
            stage=stage,
            style="".join(styles),
            inspections=inspections,
            summary_headings=SUMMARY_HEADINGS,
            summary=summary,
            meanings=_used_meanings(inspections),
            facts=facts,
            label_headings=LABEL_HEADINGS,
            label_row=label_row,
        )
    )


def data_check_markdown(stage: CheckDataStage, inspections: Sequence[Inspection]) -> str:
    """The same page for readers of text."""
    lines = ["# Data check", "", escape_md(stage.data_note), ""]
    lines += _md_table(SUMMARY_HEADINGS, [summary(one) for one in inspections])
    lines += ["", *(f"- **{state}**: {meaning}" for state, meaning in _used_meanings(inspections).items())]
    for one in inspections:
        lines += ["", f"## {escape_md(one.dataset.name)}: {one.state}", "", escape_md(one.dataset.title), ""]
        lines += [f"- {heading}: {escape_md(text)}" for heading, text in facts(one)]
        if one.labels:
            lines += ["", *_md_table(LABEL_HEADINGS, [label_row(label) for label in one.labels])]
    return "\n".join(lines) + "\n"


def data_check_text(inspections: Sequence[Inspection]) -> str:
    """The summary for a terminal: one line per data set, and below it what is wrong."""
    rows = [SUMMARY_HEADINGS, *(summary(one) for one in inspections)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(SUMMARY_HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    told = [line for one in inspections for line in _told(one)]
    return "\n".join([*lines, *([""] if told else []), *told]) + "\n"


SUMMARY_HEADINGS = ("Data set", "State", "Films", "Patients", "Size", "Bad files", "Reports")


def summary(one: Inspection) -> tuple[str, ...]:
    """One line of the overview."""
    of = {count.what: _of(count) for count in one.counts}
    films, reports = one.films, one.reports
    return (
        one.dataset.name,
        one.state,
        of.get("images", ""),
        of.get("patients", ""),
        _size(films.num_bytes) if films else "",
        f"{len(films.unreadable) + len(films.damaged):,}" if films else "",
        "" if reports is None else "not read" if reports.problem else f"{reports.reports:,}",
    )


def label_row(label: LabelCount) -> tuple[str, ...]:
    """Name and counts of a label."""
    return (label.label, f"{label.positive:,}", f"{label.negative:,}", f"{label.not_stated:,}")


def facts(one: Inspection) -> list[tuple[str, str]]:
    """(heading, text) of all that is known of a data set, in the order of the page."""
    known = [("Problem", one.problem), ("Folder", one.folder)]
    known.append(("Licence", "none needed, painted by maskray" if one.dataset.made else one.dataset.licence))
    if one.state not in ("complete", "made") and one.dataset.access not in one.problem:
        known.append(("Where to get it", one.dataset.access))
    known += [(count.what.capitalize(), _of(count)) for count in one.counts]
    known.append(("Views", _tallied(one.views)))
    known.append(("Official parts", _tallied(one.parts, "none") if any(one.parts or {}) else ""))
    marks = [f"{_MARKS[what]} on {num:,}" for what, num in (one.marks or {}).items() if num]
    known.append(("Marked images", ", ".join(marks)))
    known += [*_film_facts(one.films), *_report_facts(one.reports)]
    known += [("Said by the reader", note) for note in one.notes]
    return [(heading, text) for heading, text in known if text]


def _film_facts(films: FilmFiles | None) -> Iterator[tuple[str, str]]:
    if films is None:
        return
    yield "Size on disk", f"{_size(films.num_bytes)} in {films.num_files:,} listed files"
    headers = f"{len(films.unreadable):,} of {films.num_files:,} cannot be films"
    yield "Headers", headers + _reasons(films.unreadable) if films.unreadable else "all begin as films do"
    if films.num_decoded:
        failed = f"{len(films.damaged):,} of {films.num_decoded:,} failed"
        good = f"all of {films.num_decoded:,} could be"
        yield "Decoded whole", failed + _reasons(films.damaged) if films.damaged else good
    if films.misnamed:
        examples = _examples(f"{path} is {kind}" for path, kind in films.misnamed)
        yield "Other format than the name says", f"{len(films.misnamed):,} (harmless: content decides), {examples}"
    if films.unused:
        yield "Film files beside them that are not used", f"{len(films.unused):,}, {_examples(films.unused)}"


def _report_facts(reports: ReportCount | None) -> Iterator[tuple[str, str]]:
    if reports is None:
        return
    if reports.problem:
        yield "Reports", f"cannot be read, so that nothing can be pre-trained on this data set: {reports.problem}"
    else:
        without = f"{reports.studies_without:,} of the {reports.studies:,} studies with films have none"
        yield "Reports", f"{reports.reports:,}; {without}"


def _told(one: Inspection) -> Iterator[str]:
    """What the terminal must say of a data set: problems, and bad files by name."""
    if one.problem:
        yield f"{one.dataset.name}: {one.problem}"
    if one.state == "not configured":
        yield f"{one.dataset.name}: get it: {one.dataset.access}"
    for path, reason in (*one.films.unreadable, *one.films.damaged)[:_NUM_EXAMPLES] if one.films else ():
        yield f"{one.dataset.name}: {path}: {reason}"


def _used_meanings(inspections: Iterable[Inspection]) -> dict[str, str]:
    used = {one.state for one in inspections}
    return {state: meaning for state, meaning in _MEANINGS.items() if state in used}


def _of(count: Count) -> str:
    """ "7 of 7,470" where a complete copy's count is known and another."""
    is_known = count.expected is not None and count.expected != count.found
    return f"{count.found:,} of {count.expected:,}" if is_known else f"{count.found:,}"


def _tallied(counts: dict[str, int] | None, blank: str = "not stated") -> str:
    return ", ".join(f"{value or blank} {num:,}" for value, num in (counts or {}).items())


def _reasons(found: Sequence[tuple[str, str]]) -> str:
    return ", " + _examples((f"{path}: {reason}" for path, reason in found), _MAX_BAD_FILES)


def _examples(texts: Iterable[str], most: int = _NUM_EXAMPLES) -> str:
    """The first few."""
    texts = list(texts)
    return "e.g. " * (len(texts) > most) + "; ".join(texts[:most])


def _size(num_bytes: int) -> str:
    """In the largest unit of which there is one, powers of 1000 as disks are sold."""
    size, unit = float(num_bytes), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{num_bytes} bytes" if unit == "bytes" else f"{size:.1f} {unit}"


def _md_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(headings) + " |", "|" + " --- |" * len(headings)]
    return lines + ["| " + " | ".join(map(escape_md, row)) + " |" for row in rows]
