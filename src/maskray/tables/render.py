"""One layout in four forms: CSV for programs, Markdown, LaTeX and HTML for readers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined

from maskray.tables.parts import MADE_REASON, Cell, Column, Layout, Row

CSV_HEADER = [
    *("table", "row", "kind", "column", "value", "low", "high", "sd", "num_seeds", "num_images", "flag"),
    *("variant", "data", "metric", "label", "predictions"),
]
SOURCES = {"published": "printed", "ours": "maskray", "difference": "difference"}
_LATEX = {
    "\\": r"\textbackslash{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "−": r"$-$",
    "–": "--",
    "×": r"$\times$",
    "<": r"$<$",
    ">": r"$>$",
    "|": r"$|$",
    "[": "{[}",
}


@dataclass(frozen=True)
class Shown:
    """A cell as text. ``number`` is the value, or what stands in its place where ``is_absent``."""

    number: str
    sd: str
    interval: str
    marks: str
    is_absent: bool


def shown(cell: Cell, kind: str, layout: Layout) -> Shown:
    """Round to the paper's decimals; a difference always has a sign."""
    if cell.text or cell.value is None:
        return Shown(cell.text, "", "", layout.marks_of(cell.reasons), kind != "published" or cell.value is None)
    digits = f".{cell.decimals}f"
    number = _signed(cell.value, digits) if kind == "difference" else format(cell.value, digits)
    has_interval = cell.low is not None and cell.high is not None
    return Shown(
        number,
        "" if cell.sd is None else format(cell.sd, digits),
        f"[{cell.low:{digits}}, {cell.high:{digits}}]" if has_interval else "",
        layout.marks_of(cell.reasons),
        False,
    )


def csv_text(layout: Layout) -> str:
    """Tidy long form: one line per number, with four decimals, flags in words and the predictions behind it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(CSV_HEADER)
    for panel in layout.panels:
        for row in panel.rows:
            for cell, column in zip(row.cells, panel.columns, strict=True):
                if row.kind == "ours" or cell.value is not None:
                    writer.writerow(_csv_line(layout, row, column, cell))
    return buffer.getvalue()


def markdown(layout: Layout) -> str:
    """A pipe table under a heading, with notes below."""
    data = f"> **{escape_md(layout.data_line)}**" if layout.made else escape_md(layout.data_line)
    head = ["Method", "Source", *layout.details, *_flat_headings(layout)]
    lines = [f"### {escape_md(layout.title)}", "", *([escape_md(layout.unit), ""] if layout.unit else []), data, ""]
    lines += ["| " + " | ".join(head) + " |"]
    lines += ["|" + "|".join([" --- "] * (2 + len(layout.details)) + [" ---: "] * len(layout.leaves)) + "|"]
    for panel in layout.panels:
        if panel.title:
            lines.append(f"| **{escape_md(panel.title)}** |" + " |" * (len(head) - 1))
        for row in panel.rows:
            name = f"**{escape_md(row_name(row))}**" if row.kind == "ours" else escape_md(row_name(row))
            details = [escape_md(text) for text in _details(row, layout)]
            cells = [_md_cell(shown(cell, row.kind, layout)) for cell in row.cells]
            lines.append("| " + " | ".join([name, SOURCES[row.kind], *details, *cells]) + " |")
    lines += ["", *(f"- {escape_md(note)}" for note in layout.notes)]
    lines += [f"- <sup>{mark}</sup> {escape_md(reason)}" for reason, mark in layout.marks.items()]
    return "\n".join(lines) + "\n"


def latex(layout: Layout) -> str:
    r"""A ``table`` environment to ``\input``; it needs booktabs and nothing else."""
    title = _tex(_unnumbered(layout) + (f" ({layout.unit})" if layout.unit else ""))
    data = rf"\textbf{{{_tex(layout.data_line)}}}" if layout.made else _tex(layout.data_line)
    num_left = 2 + len(layout.details)
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering\scriptsize\setlength{\tabcolsep}{3pt}",
        rf"\caption{{{title}. {data}}}",
        rf"\label{{tab:{layout.paper}-{layout.name}}}",
        rf"\begin{{tabular}}{{{'l' * num_left}{'r' * len(layout.leaves)}}}",
        r"\toprule",
        *_latex_head(layout, num_left),
        r"\midrule",
    ]
    for place, panel in enumerate(layout.panels):
        lines += [r"\midrule"] if place else []
        if panel.title:
            lines.append(rf"\multicolumn{{{num_left + len(layout.leaves)}}}{{l}}{{\textit{{{_tex(panel.title)}}}}} \\")
        lines += [_latex_row(row, layout) for row in panel.rows]
    lines += [r"\bottomrule", r"\end{tabular}", ""]
    lines += [rf"\par\smallskip\raggedright {_tex(' '.join(layout.notes))}"] if layout.notes else []
    lines += [rf"\par\textsuperscript{{{mark}}} {_tex(reason)}" for reason, mark in layout.marks.items()]
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def html(layout: Layout) -> str:
    """A fragment with its own style; ASCII alone, so that it reads right under any declared encoding."""
    template = environment().get_template("table.html.j2")
    text = template.render(
        layout=layout,
        style=style(),
        sources=SOURCES,
        show=lambda cell, row: shown(cell, row.kind, layout),
        name=row_name,
        details=lambda row: _details(row, layout),
    )
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii") + "\n"


def style() -> str:
    """The style sheet of the tables."""
    return resources.files("maskray.tables").joinpath("table.css").read_text(encoding="utf-8")


def environment() -> Environment:
    """Templates of this package; every value is escaped, and a missing one is an error."""
    return Environment(
        loader=PackageLoader("maskray.tables", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def row_name(row: Row) -> str:
    """The printed name, with the variant where neither is it the default nor does the name say it."""
    is_told = row.variant in ("", "default", row.name.lower().replace(" ", "_"))
    return row.name if is_told else f"{row.name} ({row.variant})"


def _csv_line(layout: Layout, row: Row, column: Column, cell: Cell) -> list[object]:
    is_ours = row.kind == "ours"
    data = (layout.data_line if layout.made else layout.data_note) if is_ours else ""
    number = cell.text if row.kind == "published" else _fixed(cell.value)
    return [
        layout.name,
        row.name,
        row.kind,
        column.key,
        number,
        *map(_fixed, (cell.low, cell.high, cell.sd)),
        "" if cell.num_runs is None else cell.num_runs,
        "" if cell.num_images is None else cell.num_images,
        "; ".join(_flags(layout, column, cell)) if row.kind != "published" else "",
        row.variant,
        data,
        column.group.metrics[column.metric_title] if is_ours else "",
        column.label if is_ours else "",
        ";".join(cell.predictions),
    ]


def _flags(layout: Layout, column: Column, cell: Cell) -> Iterator[str]:
    """In words and each once: why there is no number, or why it cannot be compared."""
    if cell.text:
        yield ": ".join([cell.text, *cell.reasons])
        return
    yield from [MADE_REASON] if layout.made else []
    yield from dict.fromkeys(column.reasons + cell.reasons)


def _fixed(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _signed(value: float, digits: str) -> str:
    """``+0.31`` or ``−0.31`` with a real minus sign; no sign on zero."""
    text = format(abs(value), digits)
    if float(text) == 0:
        return text
    return ("+" if value > 0 else "−") + text


def _details(row: Row, layout: Layout) -> tuple[str, ...]:
    return row.details or ("",) * len(layout.details)


def _flat_headings(layout: Layout) -> Iterator[str]:
    """One line of headings, for forms that have no second."""
    leaves = iter(layout.leaves)
    for group in layout.groups:
        marks = layout.marks_of(group.reasons)
        for _ in range(group.span):
            yield f"{escape_md(group.text)} {escape_md(next(leaves))}" + (f"<sup>{marks}</sup>" if marks else "")


def escape_md(text: str) -> str:
    """Escape what Markdown or HTML would take as markup."""
    for character in "\\|*_`[]":
        text = text.replace(character, f"\\{character}")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _md_cell(cell: Shown) -> str:
    parts = [escape_md(cell.number), f"± {cell.sd}" if cell.sd else "", escape_md(cell.interval)]
    return " ".join(filter(None, parts)) + (f"<sup>{cell.marks}</sup>" if cell.marks else "")


def _tex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


def _latex_head(layout: Layout, num_left: int) -> Iterator[str]:
    """Data sets over their columns with a thin rule each, then the lowest headings."""
    groups, rules, start = [], [], num_left + 1
    for group in layout.groups:
        marks = layout.marks_of(group.reasons)
        text = _tex(group.text) + (rf"\textsuperscript{{{marks}}}" if marks else "")
        groups.append(rf"\multicolumn{{{group.span}}}{{c}}{{{text}}}")
        rules.append(rf"\cmidrule(lr){{{start}-{start + group.span - 1}}}")
        start += group.span
    yield " & ".join([""] * (num_left - 1) + [""] + groups) + r" \\"
    yield " ".join(rules)
    left = ["Method", "Source", *map(_tex, layout.details)]
    yield " & ".join([*left, *map(_tex, layout.leaves)]) + r" \\"


def _unnumbered(layout: Layout) -> str:
    """LaTeX counts tables by itself: the paper's number goes behind."""
    number, dot, rest = layout.title.partition(". ")
    return f"{rest} ({number} of the paper {layout.paper})" if dot and number.startswith("Table ") else layout.title


def _latex_row(row: Row, layout: Layout) -> str:
    cells = [_latex_cell(shown(cell, row.kind, layout)) for cell in row.cells]
    name = _tex(row_name(row))
    name = {"published": name, "ours": rf"\textbf{{{name}}}", "difference": rf"\textit{{{name}}}"}[row.kind]
    line = " & ".join([name, SOURCES[row.kind], *map(_tex, _details(row, layout)), *cells]) + r" \\"
    return r"\addlinespace " + line if row.kind == "ours" else line


def _latex_cell(cell: Shown) -> str:
    r"""Value, spread and interval below each other: nine columns of them fit a page."""
    mark = rf"\textsuperscript{{{cell.marks}}}" if cell.marks else ""
    lines = [_tex(cell.number) + mark]
    lines += [rf"{{\tiny $\pm${cell.sd}}}"] if cell.sd else []
    lines += [rf"{{\tiny {cell.interval}}}"] if cell.interval else []
    stack = r" \\ ".join(lines)
    return stack if len(lines) == 1 else rf"\begin{{tabular}}[t]{{@{{}}r@{{}}}}{stack}\end{{tabular}}"
