"""Learning curves, learned weights and the gallery of masks, drawn so that the same numbers give the same bytes.

Shapes: S image side in pixels, h, w patches down and across.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
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
STYLE: Any = {
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
_NOT_DRAWN = {"step", "epoch", "images_per_second", "data_wait"}
_PANELS_PER_ROW = 3
_MAPS_PER_ROW = 8


@dataclass(frozen=True)
class ShownMask:
    """One mask of a film: True where a patch is hidden, what it was chosen by, and what was restored, if anything."""

    name: str
    hidden_hw: NDArray[np.bool_]
    attention_hw: NDArray[np.floating] | None = None
    reconstruction_SS: NDArray[np.floating] | None = None


@dataclass(frozen=True)
class Example:
    """One film of the gallery with its masks, the same kinds for all films. Images are grey values in 0..1.

    ``draw_text`` draws its report, where that may be shown.
    """

    caption: str
    film_SS: NDArray[np.floating]
    ridge_SS: NDArray[np.floating] | None
    masks: Sequence[ShownMask]
    draw_text: Callable[[Axes], None] | None = None


def draw_learning_curves(log: str | Path, title: str, svg: str | Path, png: str | Path) -> None:
    """One panel per column of a training log: total first, then the loss terms and what else was measured."""
    steps = _read_log(Path(log))
    names = [name for name in steps.columns if name not in _NOT_DRAWN and steps[name].notna().any()]
    names.sort(key=lambda name: name != "total")
    with mpl.rc_context(STYLE):
        num_rows = max(1, math.ceil(len(names) / _PANELS_PER_ROW))
        figure = new_figure(9, 0.6 + 2.0 * num_rows)
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
        save(figure, svg)
        save(figure, png)


def draw_gallery(examples: Sequence[Example], title: str, data_note: str, png: str | Path) -> None:
    """One row per film: film, ridge response, then for each mask its attention, hidden patches, reconstruction."""
    columns = [title for title, _ in _panels(examples[0])]
    note = textwrap.wrap(f"{data_note.rstrip('.')}. Films that were held out of training.", 110)
    with mpl.rc_context(STYLE):
        figure = new_figure(2.1 * max(len(columns), 4), 0.7 + 2.6 * len(examples) + 0.18 * len(note))
        axes = figure.subplots(len(examples), len(columns), squeeze=False)
        for row, example in zip(axes, examples, strict=True):
            for panel, (_, draw) in zip(row, _panels(example), strict=True):
                draw(panel)
                panel.set(xticks=[], yticks=[])
                panel.spines[:].set_visible(False)
            row[0].set_xlabel("\n".join(textwrap.wrap(example.caption, 42)), fontsize=6.5, loc="left")
        for name, panel in zip(columns, axes[0], strict=True):
            panel.set_title(name)
        figure.suptitle("\n".join([title, *note]), x=0.01, ha="left", fontsize=9)
        save(figure, png)


def draw_weight_maps(maps: str | Path, title: str, svg: str | Path, png: str | Path) -> None:
    """One row per map of a training's ``maps.csv``: its weights over the film after some of the epochs, one scale."""
    epochs = _read_log(Path(maps))
    shown = np.unique(np.linspace(0, len(epochs) - 1, min(len(epochs), _MAPS_PER_ROW)).round().astype(int))
    weights_by_map = _grids(epochs.iloc[shown])
    if not weights_by_map:
        raise InputError(f"{maps}: no weights over the film; this method, or this variant of it, learns none")
    with mpl.rc_context(STYLE):
        figure = new_figure(1.3 * max(len(shown), 5) + 0.8, 0.6 + 1.6 * len(weights_by_map))
        axes = figure.subplots(len(weights_by_map), len(shown), squeeze=False)
        for row, (name, weights_Khw) in zip(axes, weights_by_map.items(), strict=True):
            limit = max(float(np.abs(weights_Khw).max()), 1e-12)
            for panel, epoch, weights_hw in zip(row, epochs["epoch"].to_numpy()[shown], weights_Khw, strict=True):
                drawn = panel.imshow(weights_hw, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")
                panel.set_title(f"epoch {epoch + 1:.0f}")
                panel.set(xticks=[], yticks=[])
            row[0].set_ylabel(name.replace("_", " "))
            figure.colorbar(drawn, ax=list(row), shrink=0.8)
        figure.suptitle("\n".join(textwrap.wrap(title, 100)), x=0.01, ha="left", fontsize=10)
        save(figure, svg)
        save(figure, png)


def _grids(epochs: pd.DataFrame) -> dict[str, NDArray[np.floating]]:
    """``<map>/<down>/<across>`` columns as arrays [epochs, h, w], by map."""
    columns = [name.rsplit("/", 2) for name in epochs.columns if name.count("/") == 2]
    sizes = {name: (int(down) + 1, int(across) + 1) for name, down, across in columns}  # The last patch comes last.
    return {
        name: epochs[[column for column in epochs.columns if column.startswith(f"{name}/")]]
        .to_numpy()
        .reshape(-1, *size)
        for name, size in sizes.items()
    }


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


def _panels(example: Example) -> list[tuple[str, Callable[[Axes], None]]]:
    """Title and drawing of each panel of a film's row."""
    panels: list[tuple[str, Callable[[Axes], None]]] = [("film", partial(draw_grey, picture_SS=example.film_SS))]
    if example.draw_text is not None:
        panels.append(("text (blue guides, red hidden)", example.draw_text))
    if example.ridge_SS is not None:
        panels.append(("ridge response", partial(_draw_heat, picture=example.ridge_SS)))
    for mask in example.masks:
        if mask.attention_hw is not None:
            panels.append((f"{mask.name}: attention", partial(draw_attention, example.film_SS, mask.attention_hw)))
        panels.append((f"{mask.name}: hidden", partial(_draw_hidden, example.film_SS, mask.hidden_hw)))
        if mask.reconstruction_SS is not None:
            panels.append(("reconstruction", partial(draw_grey, picture_SS=np.clip(mask.reconstruction_SS, 0, 1))))
    return panels


def draw_grey(panel: Axes, picture_SS: NDArray[np.floating]) -> None:
    """A picture of grey values in 0..1."""
    panel.imshow(picture_SS, cmap="gray", vmin=0, vmax=1, interpolation="nearest")


def _draw_heat(panel: Axes, picture: NDArray[np.floating]) -> None:
    panel.imshow(picture, cmap="magma", vmin=0, vmax=1, interpolation="nearest")


def _draw_hidden(film_SS: NDArray[np.floating], hidden_hw: NDArray[np.bool_], panel: Axes) -> None:
    """The film with its hidden patches in red."""
    overlay = np.zeros((*hidden_hw.shape, 4))
    overlay[hidden_hw] = (*mpl.colors.to_rgb(RED), 0.55)
    _draw_over(panel, film_SS, overlay)
    panel.set_xlabel(f"{hidden_hw.mean():.0%} hidden", fontsize=8)


def draw_attention(film_SS: NDArray[np.floating], attention_hw: NDArray[np.floating], panel: Axes) -> None:
    """The film with its scores from the lowest (clear) to the highest (bright)."""
    lowest, highest = attention_hw.min(), attention_hw.max()
    share_hw = (attention_hw - lowest) / max(highest - lowest, 1e-12)
    overlay = mpl.colormaps["magma"](share_hw)
    overlay[..., 3] = 0.7 * share_hw
    _draw_over(panel, film_SS, overlay)


def _draw_over(panel: Axes, film_SS: NDArray[np.floating], overlay_hw4: NDArray[np.floating]) -> None:
    side = film_SS.shape[0]
    draw_grey(panel, film_SS)
    panel.imshow(overlay_hw4, extent=(-0.5, side - 0.5, side - 0.5, -0.5), interpolation="nearest")


def new_figure(width_inches: float, height_inches: float) -> Figure:
    """A figure without pyplot: no global state, no display."""
    figure = Figure(figsize=(width_inches, height_inches), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def add_legend(figure: Figure) -> None:
    """Below, once for all panels: inside one it would lie on intervals."""
    named = {name: line for panel in figure.axes for line, name in zip(*panel.get_legend_handles_labels(), strict=True)}
    if named:
        figure.legend(named.values(), named.keys(), loc="outside lower center", ncols=4, frameon=False, fontsize=7)


def save(figure: Figure, path: str | Path) -> None:
    """Without a date and without the library's version: equal pictures are equal bytes."""
    is_svg = Path(path).suffix == ".svg"
    with written_whole(path) as partial:
        figure.savefig(partial, dpi=130, metadata={"Date": None, "Creator": None} if is_svg else {"Software": None})
