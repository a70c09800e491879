"""A table as a chart, for what the papers show as one: a panel for each data set and metric, with 95 % intervals.

Over several label fractions there is a line for each row; else each row has its place.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from maskray.tables.figures import BLUE, INK, RED, STYLE, add_legend, new_figure, save
from maskray.tables.parts import Cell, Column, Layout, Row

_PANELS_PER_ROW = 3
_PALE_INK = "#8a95a3"
_COLOURS = (BLUE, RED, "#2f8f5b", "#8a5fb0", "#c98a1b", "#3aa6b9", INK)


@dataclass(frozen=True)
class _Chart:
    """What one panel shows: columns that differ in their condition alone, and the cells of each row below them."""

    columns: Sequence[Column]
    rows: Sequence[tuple[Row, Sequence[Cell]]]

    @property
    def title(self) -> str:
        column = self.columns[0]
        return f"{column.group.heading}, {column.metric_title}"

    def of(self, kind: str) -> Iterator[tuple[str, Sequence[Cell]]]:
        return ((row.name, cells) for row, cells in self.rows if row.kind == kind)


def draw_chart(layout: Layout, svg: str | Path, png: str | Path) -> None:
    """Ours as dots with their intervals, printed values as open diamonds; cells without a number stay empty."""
    charts = list(_charts(layout))
    num_rows = -(-len(charts) // _PANELS_PER_ROW)
    heading = textwrap.wrap(f"{layout.title}. {layout.data_line.rstrip('.')}. Bars: 95 % intervals.", 110)
    with mpl.rc_context(STYLE):
        figure = new_figure(9, 0.4 + 0.17 * len(heading) + 2.9 * num_rows)
        axes = figure.subplots(num_rows, min(_PANELS_PER_ROW, len(charts)), squeeze=False)
        for panel in axes.flat[len(charts) :]:
            panel.axis("off")
        for chart, panel in zip(charts, axes.flat, strict=False):
            draw = _draw_lines if len(chart.columns) > 1 else _draw_rows
            draw(panel, chart)
            panel.set_title(chart.title)
            panel.grid(axis="y", color="#e3e8ee", linewidth=0.7)
        add_legend(figure)
        figure.suptitle("\n".join(heading), x=0.01, ha="left", fontsize=9)
        save(figure, svg)
        save(figure, png)


def _charts(layout: Layout) -> Iterator[_Chart]:
    for part in layout.panels:
        together: dict[tuple[str, str, str, str], list[int]] = {}
        for number, column in enumerate(part.columns):
            together.setdefault(_place(column), []).append(number)
        for numbers in together.values():
            columns = [part.columns[number] for number in numbers]
            yield _Chart(columns, [(row, [row.cells[number] for number in numbers]) for row in part.rows])


def _place(column: Column) -> tuple[str, str, str, str]:
    return column.group.heading, column.group.benchmark, column.metric_title, column.label


def _draw_lines(panel: Axes, chart: _Chart) -> None:
    """Label fractions from left to right, a line for each row."""
    places = range(len(chart.columns))
    for number, (name, cells) in enumerate(chart.of("ours")):
        shift = 0.06 * (number - 0.5)  # or intervals would hide each other
        _draw_ours(panel, [place + shift for place in places], cells, _COLOURS[number % len(_COLOURS)], name, "-")
    for name, cells in chart.of("published"):
        _draw_printed(panel, list(zip(places, cells, strict=True)), "--", f"{name}, printed")
    panel.set_xticks(places, [column.condition for column in chart.columns])
    panel.set_xlabel("of the labels")


def _draw_rows(panel: Axes, chart: _Chart) -> None:
    """One place for each row of ours; what is printed for it beside it."""
    ours = [(name, cells[0]) for name, cells in chart.of("ours")]
    places = range(len(ours))
    _draw_ours(panel, places, [cell for _, cell in ours], BLUE, "maskray", "none")
    published = {name: cells[0] for name, cells in chart.of("published")}
    printed = [(place, published[name]) for place, (name, _) in enumerate(ours) if name in published]
    _draw_printed(panel, printed, "none", "printed")
    names = ["\n".join(textwrap.wrap(name, 14)) for name, _ in ours]
    panel.set_xticks(places, names, fontsize=6.5, rotation=45 if len(ours) > 4 else 0)
    panel.set_xlim(-0.5, len(ours) - 0.5)


def _draw_ours(panel: Axes, places: Sequence[float], cells: Sequence[Cell], colour: str, name: str, line: str) -> None:
    points = _numbers(zip(places, cells, strict=True))
    for place, cell in zip(places, cells, strict=True):
        if cell.low is not None and cell.high is not None:
            panel.vlines(place, cell.low, cell.high, color=colour, linewidth=1.2, alpha=0.6)
    panel.plot(points[:, 0], points[:, 1], ls=line, marker="o", ms=4, lw=1.2, color=colour, label=name)


def _draw_printed(panel: Axes, cells: Sequence[tuple[float, Cell]], line: str, name: str) -> None:
    points = _numbers(cells)
    if len(points):
        panel.plot(
            points[:, 0], points[:, 1], ls=line, marker="D", color=_PALE_INK, mfc="white", ms=4, lw=0.8, label=name
        )


def _numbers(cells: Iterable[tuple[float, Cell]]) -> NDArray[np.floating]:
    """Place and value of each cell that has one."""
    return np.array([(place, cell.value) for place, cell in cells if cell.value is not None]).reshape(-1, 2)
