"""Pictures of phrase grounding: phrases on their films, and scores over the temperature of position weights (Fig. 5).

Shapes: S side of the square film in pixels.
"""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from maskray.errors import InputError
from maskray.files import read_json
from maskray.metrics.rows import MACRO
from maskray.tables.figures import BLUE, INK, PALE, RED, STYLE, add_legend, draw_attention, draw_grey, new_figure, save
from maskray.tables.published import PublishedTable, read_published

_PHRASES_PER_ROW = 3
_SWEPT = {"miou": "mIoU", "cnr": "CNR"}
_TAU = "tau="
_PREFIX = f"{MACRO}/{_TAU}"
_LINES = ("--", ":", "-.")


@dataclass(frozen=True)
class ShownPhrase:
    """A phrase to draw: film (grey values in 0..1), map, and top, left, bottom and right of each box in the square.

    Its text may be empty.
    """

    text: str
    label: str
    film_SS: NDArray[np.floating]
    heat_SS: NDArray[np.floating]
    edges: Sequence[tuple[int, int, int, int]]


def draw_grounding(phrases: Sequence[ShownPhrase], title: str, data_note: str, png: str | Path) -> None:
    """Each phrase below its film and its map; boxes are outlined on both."""
    num_rows = math.ceil(len(phrases) / _PHRASES_PER_ROW)
    num_columns = min(len(phrases), _PHRASES_PER_ROW)
    told = "Left: film and boxes. Right: how much each place resembles the phrase (bright: more)."
    note = textwrap.wrap(f"{data_note.rstrip('.')}. {told}", 110)
    with mpl.rc_context(STYLE):
        figure = new_figure(max(3.9 * num_columns, 7.5), 0.6 + 2.55 * num_rows)
        axes = figure.subplots(num_rows, 2 * num_columns, squeeze=False)
        for panel in axes.flat:
            panel.set(xticks=[], yticks=[])
            panel.spines[:].set_visible(False)
        for phrase, (film, heat) in zip(phrases, axes.reshape(-1, 2), strict=False):
            draw_grey(film, phrase.film_SS)
            draw_attention(phrase.film_SS, phrase.heat_SS, heat)
            for panel in (film, heat):
                _outline(panel, phrase.edges)
            film.set_title(phrase.label)
            film.set_xlabel("\n".join(textwrap.wrap(phrase.text, 62)), fontsize=7, loc="left")
        figure.suptitle("\n".join([title, *note]), x=0.01, ha="left", fontsize=9)
        save(figure, png)


def draw_tau_sweep(
    metrics: str | Path, published: str | Path, heading: str, title: str, svg: str | Path, png: str | Path
) -> None:
    """mIoU and CNR over tau with their intervals; beside them what is printed under ``heading``: the paper's own best
    of its Fig. 5, and the other methods of its Table 4.

    Raises InputError where ``metrics`` has no sweep.
    """
    best, others = (read_published(published, table) for table in ("fig5", "table4"))
    with mpl.rc_context(STYLE):
        figure = new_figure(9, 3.3)
        for panel, (metric, name) in zip(figure.subplots(1, 2), _SWEPT.items(), strict=True):
            _draw_curve(panel, _sweep(Path(metrics), metric))
            _draw_printed(panel, best, others, f"{heading}|{name}".lower())
            panel.set(title=name, xlabel="tau", xscale="log")
            panel.grid(axis="y", color="#e3e8ee", linewidth=0.7)
        add_legend(figure)
        figure.suptitle("\n".join(textwrap.wrap(title, 110)), x=0.01, ha="left", fontsize=9)
        save(figure, svg)
        save(figure, png)


def _outline(panel: Axes, edges: Sequence[tuple[int, int, int, int]]) -> None:
    for top, left, bottom, right in edges:
        corner = (left - 0.5, top - 0.5)
        panel.add_patch(Rectangle(corner, right - left, bottom - top, fill=False, color=RED, linewidth=1.2))


def _sweep(path: Path, metric: str) -> NDArray[np.floating]:
    """tau, value, low and high of each point, by rising tau."""
    content = read_json(path)
    try:
        rows = [row for row in content["rows"] if row["metric"] == metric and row["label"].startswith(_PREFIX)]
        points = [
            [float(row["label"].removeprefix(_PREFIX)), *(_number(row[key]) for key in ("value", "low", "high"))]
            for row in rows
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError(f"{path}: not a metrics file; delete it and score again") from None
    if not points:
        raise InputError(f"{path}: no {metric} under several tau; set grounding.taus in the paper file")
    return np.array(sorted(points))


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _draw_curve(panel: Axes, points: NDArray[np.floating]) -> None:
    taus, values, lows, highs = points.T
    panel.fill_between(taus, lows, highs, color=PALE, alpha=0.5, linewidth=0, label="95 % interval")
    panel.plot(taus, values, color=BLUE, marker="o", markersize=3.5, linewidth=1.4, label="maskray")


def _draw_printed(panel: Axes, best: PublishedTable, others: PublishedTable, key: str) -> None:
    """A point where a tau is printed; lines for the methods without one, whose values do not depend on it."""
    pointed = set()
    for (row, column), text in best.cells.items():
        name, _, condition = column.rpartition("|")
        if name == key and condition.startswith(_TAU):
            tau = float(condition.removeprefix(_TAU))
            panel.plot(tau, float(text), color=RED, marker="D", markersize=5, linestyle="", label=f"{row}, printed")
            pointed.add(row)
    lines = itertools.cycle(_LINES)
    for (row, column), text in others.cells.items():
        if column.rpartition("|")[0] == key and row not in pointed:
            panel.axhline(float(text), color=INK, linestyle=next(lines), linewidth=0.9, label=f"{row}, printed")
