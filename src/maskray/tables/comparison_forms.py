"""The comparisons of a table in three forms: CSV for programs, Markdown and a folded HTML fragment for readers."""

from __future__ import annotations

import csv
import io
import math

from maskray.tables.comparisons import Comparison, Comparisons, notes
from maskray.tables.parts import Cell
from maskray.tables.render import environment, escape_md, row_name, shown, style

CSV_HEADER = [
    *("table", "own", "own_variant", "row", "variant", "column", "difference", "low", "high", "sd", "test", "p"),
    *("p_holm", "num_comparisons", "num_runs_own", "num_runs", "num_images", "note", "data"),
]
HEADINGS = ("Compared with", "Column", "Difference", "95 % interval", "s.d.", "Test", "p", "p (Holm)")


def csv_text(comparisons: Comparisons) -> str:
    """One line per comparison; of what was not compared the note says why."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(CSV_HEADER)
    writer.writerows(_csv_line(line, comparisons) for line in comparisons.lines)
    return buffer.getvalue()


def markdown(comparisons: Comparisons) -> str:
    """A pipe table under a heading, with notes below."""
    layout = comparisons.layout
    data = f"> **{escape_md(layout.data_line)}**" if layout.made else escape_md(layout.data_line)
    lines = [f"### {escape_md(title(comparisons))}", "", data, ""]
    if comparisons.lines:
        lines += ["| " + " | ".join(HEADINGS) + " |", "| --- | --- | ---: | ---: | ---: | --- | ---: | ---: |"]
        lines += ["| " + " | ".join(map(escape_md, shown_line(line, comparisons))) + " |" for line in comparisons.lines]
        lines.append("")
    return "\n".join([*lines, *(f"- {escape_md(note)}" for note in notes(comparisons))]) + "\n"


def html(comparisons: Comparisons) -> str:
    """A folded fragment with its own style, to stand below its table; ASCII alone, as the table is."""
    text = (
        environment()
        .get_template("comparisons.html.j2")
        .render(
            comparisons=comparisons,
            style=style(),
            title=title(comparisons),
            headings=HEADINGS,
            show=lambda line: shown_line(line, comparisons),
            notes=notes(comparisons),
        )
    )
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii") + "\n"


def title(comparisons: Comparisons) -> str:
    """Which row is compared with which others."""
    if comparisons.own is None:
        return f"Paired tests: {comparisons.layout.title}"
    return f"Paired tests of {row_name(comparisons.own)} against the other rows: {comparisons.layout.title}"


def shown_line(line: Comparison, comparisons: Comparisons) -> tuple[str, ...]:
    """A comparison as text, under ``HEADINGS``; what could not be tested has the reason in place of the test."""
    result, decimals = line.result, max(line.column.decimals, 2)
    is_known = not math.isnan(result.difference)
    low, high = (None if math.isnan(end) else end for end in (result.low, result.high))
    cell = Cell(value=result.difference if is_known else None, low=low, high=high, sd=line.sd, decimals=decimals)
    one = shown(cell, "difference", comparisons.layout)
    test = ": ".join(filter(None, (result.test, result.reason)))
    interval = one.interval.replace("-", "−")
    return (row_name(line.other), line.heading, one.number, interval, one.sd, test, _p(result.p), _p(line.p_holm))


def _p(value: float) -> str:
    if math.isnan(value):
        return ""
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _csv_line(line: Comparison, comparisons: Comparisons) -> list[object]:
    result = line.result
    numbers = [result.difference, result.low, result.high, math.nan if line.sd is None else line.sd]
    return [
        comparisons.layout.name,
        line.own.name,
        line.own.variant,
        line.other.name,
        line.other.variant,
        line.column.key,
        *("" if math.isnan(number) else f"{number:.4f}" for number in numbers),
        result.test,
        *("" if math.isnan(p) else f"{p:.6g}" for p in (result.p, line.p_holm)),
        "" if math.isnan(result.p) else comparisons.num_tested,
        *(number or "" for number in line.num_runs),
        "" if line.num_images is None else line.num_images,
        result.reason,
        comparisons.layout.data_line if comparisons.layout.made else comparisons.layout.data_note,
    ]
