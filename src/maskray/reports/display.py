"""A report taken apart (:mod:`maskray.reports.showing`) on a terminal, or as one HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from maskray.reports.segments import SIGNS, Segment
from maskray.reports.showing import ShownReport
from maskray.reports.tracing import Line, Quote

# How a terminal shows each layer; later ones are laid over earlier ones. Signs say the same without colour.
_LOOKS = {
    "mesh": "italic", "entity": "underline", "anatomy": "cyan", "place": "underline cyan",
    "negation": "bold magenta", "doubt": "bold yellow",
    "history": "bold blue", "absent": "black on green", "uncertain": "black on yellow", "present": "bold white on red",
}  # fmt: skip
_TRACED = "manuscript, and the characters of the report that say so"
_UNNAMED = "the source does not name the words that decide"


def print_report(report: ShownReport, console: Console) -> None:
    """Print everything; colours where the console has them (a terminal, and NO_COLOR is not set)."""
    for block in report.blocks:
        console.print(Rule(Text(block.name + ("" if block.is_read else " (not read)")), align="left", style="dim"))
        console.print(_marked(block.segments, "" if block.is_read else "dim"))
    console.print()
    console.print(_legend(report))
    if report.failure:
        console.print(Text(f"No triplets: {report.failure}", style="bold"))
        return
    console.print()
    console.print(_table(report))
    for name, text in report.texts.items():
        console.print(Rule(Text(name), align="left", style="dim"))
        console.print(Text(text))
    if report.lines:
        console.print(Rule(Text(_TRACED), align="left", style="dim"))
    for number, line in enumerate(report.lines, 1):
        _print_line(number, line, console)


def _print_line(number: int, line: Line, console: Console) -> None:
    console.print(Text(f"{number:>3}  ", "dim").append(line.text, "bold"))
    for quote in line.quotes:
        console.print(Padding(_marked(quote.segments, ""), (0, 0, 0, 5), expand=False))
        console.print(Padding(_words(quote), (0, 0, 0, 5), expand=False))
    if line.grounds:
        console.print(Padding(Text(f"by {', '.join(map(str, line.grounds))}", "dim"), (0, 0, 0, 5), expand=False))


def _words(quote: Quote) -> Text:
    words = [f'{word.role} "{word.text}" {word.start}–{word.end}' for word in quote.words]
    return Text("; ".join([*words, *([] if quote.is_whole else [_UNNAMED])]), "dim")


def _marked(segments: Sequence[Segment], style: str) -> Text:
    text = Text(style=style)
    for segment in segments:
        looks = [look for layer, look in _LOOKS.items() if layer in segment.layers]
        text.append(segment.text, " ".join(looks[-1:] if SIGNS.keys() & segment.layers else looks))
        if segment.sign:
            text.append(f"[{segment.sign}]", "bold")
    return text


def _legend(report: ShownReport) -> Text:
    text = Text("Marks: ")
    for exist, sign in SIGNS.items():
        text.append(f" {exist} [{sign}] ", _LOOKS[exist]).append("  ")
    for layer in report.layers:
        text.append(layer.legend, _LOOKS.get(layer.name, "underline")).append("  ")
    return text


def _table(report: ShownReport) -> Table:
    table = Table("entity", "position", "exist", "read from", box=None, pad_edge=False)
    for each in report.triplets:
        triplet = each.triplet
        exist = Text(triplet.exist, _LOOKS[triplet.exist])
        table.add_row(Text(triplet.entity), Text(triplet.position), exist, Text(" ".join(each.words.split())))
    return table


def html_of(report: ShownReport) -> str:
    """The page; it needs no other file, no script and no network."""
    environment = Environment(
        loader=PackageLoader("maskray.reports", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = resources.files("maskray.reports").joinpath("shown.css").read_text("utf-8")
    return environment.get_template("shown.html.j2").render(
        report=report, style=style, signs=SIGNS, traced=_TRACED, unnamed=_UNNAMED
    )
