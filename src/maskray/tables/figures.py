"""Learning curves and the gallery of masks, drawn so that the same numbers give the same bytes.

Shapes: S image side in pixels, h, w patches down and across.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from maskray.errors import InputError
from maskray.files import written_whole

INK, BLUE, RED, PALE = "#1c2430", "#1f5fae", "#d1495b", "#bcd2ee"
_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.edgecolor": "#8a95a3",
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 9,
    "svg.fonttype": "path",
    "svg.hashsalt": "maskray",
    "text.color": INK,
    "xtick.color": "#5a6573",
    "ytick.color": "#5a6573",
}
_NOT_DRAWN = {"step", "epoch", "images_per_second"}
_PANELS_PER_ROW = 3


@dataclass(frozen=True)
class Example:
    """One film of the gallery. Images are grey values in 0..1; ``hidden_hw`` is True where a patch is hidden."""

    caption: str
    film_SS: NDArray[np.floating]
    ridge_SS: NDArray[np.floating]
    hidden_hw: NDArray[np.bool_]
    reconstruction_SS: NDArray[np.floating]


def draw_learning_curves(log: str | Path, title: str, svg: str | Path, png: str | Path) -> None:
    """One panel per column of a training log: total first, then the loss terms and what else was measured."""
    steps = _read_log(Path(log))
    names = [name for name in steps.columns if name not in _NOT_DRAWN and steps[name].notna().any()]
    names.sort(key=lambda name: name != "total")
    with mpl.rc_context(_STYLE):
        num_rows = max(1, math.ceil(len(names) / _PANELS_PER_ROW))
        figure = _figure(9, 0.6 + 2.0 * num_rows)
        axes = figure.subplots(num_rows, _PANELS_PER_ROW, squeeze=False)
        for name, panel in zip(names, axes.flat, strict=False):
            _draw_curve(panel, steps["step"].to_numpy() + 1, steps[name].to_numpy(), name)
        for panel in axes.flat[len(names) :]:
            panel.axis("off")
        if not names:
            axes.flat[0].text(0, 0.5, "no steps: the weights are the initial ones", transform=axes.flat[0].transAxes)
        for panel in axes[-1]:
            panel.set_xlabel("step")
        figure.suptitle("\n".join(textwrap.wrap(title, 100)), x=0.01, ha="left", fontsize=10)
        _save(figure, svg)
        _save(figure, png)


def draw_gallery(examples: Sequence[Example], title: str, data_note: str, png: str | Path) -> None:
    """One row per film: film, ridge response, hidden patches over the film, reconstruction."""
    columns = ("film", "ridge response", "hidden patches", "reconstruction")
    note = textwrap.wrap(f"{data_note.rstrip('.')}. Films of the validation part: not trained on.", 110)
    with mpl.rc_context(_STYLE):
        figure = _figure(8.4, 0.7 + 2.6 * len(examples) + 0.18 * len(note))
        axes = figure.subplots(len(examples), len(columns), squeeze=False)
        for row, example in zip(axes, examples, strict=True):
            _draw_example(row, example)
        for name, panel in zip(columns, axes[0], strict=True):
            panel.set_title(name)
        figure.suptitle("\n".join([title, *note]), x=0.01, ha="left", fontsize=9)
        _save(figure, png)


def _read_log(path: Path) -> pd.DataFrame:
    try:
        steps = pd.read_csv(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except ValueError as error:
        raise InputError(f"{path}: not a training log ({error})") from None
    if "step" not in steps.columns:
        raise InputError(f"{path}: no column step; give the log.csv of a pre-training")
    words = [name for name in steps.columns if len(steps) and not pd.api.types.is_numeric_dtype(steps[name])]
    if words:
        raise InputError(f"{path}, column {words[0]}: not all values are numbers")
    return steps.astype(float)


def _draw_curve(panel: Axes, steps: NDArray[Any], values: NDArray[Any], name: str) -> None:
    """The values, and over many of them their running median, which shows the trend through single spikes."""
    window = len(values) // 40
    panel.plot(steps, values, color=PALE if window > 1 else BLUE, linewidth=0.9, marker="." if len(values) < 3 else "")
    if window > 1:
        smooth = pd.Series(values).rolling(window, center=True, min_periods=1).median()
        panel.plot(steps, smooth, color=BLUE, linewidth=1.6)
    panel.set_title(name.replace("_", " "), fontweight="bold" if name == "total" else "normal")
    panel.grid(axis="y", color="#e3e8ee", linewidth=0.7)
    panel.margins(x=0.01)


def _draw_example(row: NDArray[Any], example: Example) -> None:
    grey = {"cmap": "gray", "vmin": 0, "vmax": 1, "interpolation": "nearest"}
    row[0].imshow(example.film_SS, **grey)
    row[1].imshow(example.ridge_SS, cmap="magma", vmin=0, vmax=1, interpolation="nearest")
    row[2].imshow(example.film_SS, **grey)
    row[3].imshow(np.clip(example.reconstruction_SS, 0, 1), **grey)
    side = example.film_SS.shape[0]
    overlay = np.zeros((*example.hidden_hw.shape, 4))
    overlay[example.hidden_hw] = (*mpl.colors.to_rgb(RED), 0.55)
    row[2].imshow(overlay, extent=(-0.5, side - 0.5, side - 0.5, -0.5), interpolation="nearest")
    row[2].set_xlabel(f"{example.hidden_hw.mean():.0%} hidden", fontsize=8)
    row[0].set_xlabel("\n".join(textwrap.wrap(example.caption, 42)), fontsize=6.5, loc="left")
    for panel in row:
        panel.set(xticks=[], yticks=[])
        for spine in panel.spines.values():
            spine.set_visible(False)


def _figure(width_inches: float, height_inches: float) -> Figure:
    """A figure without pyplot: no global state, no display."""
    figure = Figure(figsize=(width_inches, height_inches), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Figure, path: str | Path) -> None:
    """Without a date and without the library's version: equal pictures are equal bytes."""
    is_svg = Path(path).suffix == ".svg"
    with written_whole(path) as partial:
        figure.savefig(partial, dpi=130, metadata={"Date": None, "Creator": None} if is_svg else {"Software": None})
