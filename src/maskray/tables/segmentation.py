"""Pictures of segmentation: the outlines of true and drawn masks on test films, one column for each label fraction.

Shapes: S side of the square film in pixels.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from maskray.config.fractions import fraction_name
from maskray.data.drawn_masks import DrawnMasks
from maskray.data.shard_store import ImageStore
from maskray.errors import InputError
from maskray.metrics.segmentation import count_pixels, dice
from maskray.tables.figures import BLUE, RED, STYLE, draw_grey, new_figure, save

_NUM_PER_ROW = 2


@dataclass(frozen=True)
class ShownFilm:
    """A film to draw (grey values in 0..1), its true mask, and the one drawn by the model of each column.

    It is named by its id, as in the gallery: a pseudonym that the data set's owners give.
    """

    image_id: str
    film_SS: NDArray[np.floating]
    true_SS: NDArray[np.bool_]
    drawn: Sequence[NDArray[np.bool_]]


def films_to_show(masks: Sequence[DrawnMasks], store: ImageStore, num_films: int) -> list[ShownFilm]:
    """Up to ``num_films`` films of the test part: see :func:`spread_films`. ``masks`` are of one fraction each.

    Raises InputError where the masks are of other films than the shards or each other.
    """
    first = masks[0]
    for other in masks:
        if list(other.image_ids) != list(first.image_ids) or other.size_px != store.size_px:
            raise InputError(f"the masks at {fraction_name(other.fraction)} are of other films; segment again")
    image_ids = spread_films(first, num_films)
    films = zip(image_ids, store.read_images(image_ids), strict=True)
    return [
        ShownFilm(image_id, film_SS / 255, first.of(image_id)[0], [one.of(image_id)[1] for one in masks])
        for image_id, film_SS in films
    ]


def spread_films(masks: DrawnMasks, num: int) -> list[str]:
    """Up to ``num`` films, each kind evenly spaced by name, whatever was drawn: two of three with a true mask.

    Where a kind is short of films the other one fills up.
    """
    has_mask = {image_id: any(bits) for image_id, bits in sorted(zip(masks.image_ids, masks.true, strict=True))}
    with_mask = [image_id for image_id in has_mask if has_mask[image_id]]
    without = [image_id for image_id in has_mask if not has_mask[image_id]]
    num_without = min(num // 3, len(without))
    num_with = min(num - num_without, len(with_mask))
    num_without = min(num - num_with, len(without))
    return [
        films[len(films) * place // wanted]
        for films, wanted in ((with_mask, num_with), (without, num_without))
        for place in range(wanted)
    ]


def draw_segmentation(
    films: Sequence[ShownFilm], fractions: Sequence[float], title: str, data_note: str, png: str | Path
) -> None:
    """Each film once plain and once for each fraction of the labels, true outline and drawn one upon it."""
    told = (
        "Test films, evenly spaced by name, not chosen by score. Blue: the true mask; red: drawn after training on "
        "that share of the labels, first seed, at the threshold chosen on validation."
    )
    num_panels = 1 + len(fractions)
    num_columns = min(_NUM_PER_ROW, len(films))
    num_rows = -(-len(films) // num_columns)
    width = max(1.75 * num_panels * num_columns, 7.5)
    note = textwrap.wrap(f"{data_note.rstrip('.')}. {told}", int(14 * width))
    with mpl.rc_context(STYLE):
        figure = new_figure(width, 0.5 + 0.18 * len(note) + 2.1 * num_rows)
        axes = figure.subplots(num_rows, num_panels * num_columns, squeeze=False)
        for panel in axes.flat:
            panel.set(xticks=[], yticks=[])
            panel.spines[:].set_visible(False)
        for film, panels in zip(films, axes.reshape(-1, num_panels), strict=False):
            draw_grey(panels[0], film.film_SS)
            panels[0].set_title(_shortened(film.image_id), fontsize=7)
            for panel, fraction, drawn_SS in zip(panels[1:], fractions, film.drawn, strict=True):
                draw_grey(panel, film.film_SS)
                _outline(panel, film.true_SS, BLUE)
                _outline(panel, drawn_SS, RED)
                overlap = dice(*count_pixels(drawn_SS[None], film.true_SS[None]))[0]
                panel.set_title(fraction_name(fraction), fontsize=7)
                panel.set_xlabel(f"Dice {overlap:.2f}", fontsize=7, loc="left")
        figure.suptitle("\n".join([title, *note]), x=0.01, ha="left", fontsize=9)
        save(figure, png)


def _outline(panel: Axes, mask_SS: NDArray[np.bool_], colour: str) -> None:
    """Along the edges of its pixels, those at the edge of the film too; nothing where the mask is empty."""
    padded = np.pad(mask_SS, 1).astype(float)
    if mask_SS.any():
        # Padded by one pixel, each pixel is shown at its own place.
        places = np.arange(-1, len(mask_SS) + 1)
        panel.contour(places, places, padded, levels=[0.5], colors=[colour], linewidths=1.1)
        panel.set(xlim=(-0.5, len(mask_SS) - 0.5), ylim=(len(mask_SS) - 0.5, -0.5))


def _shortened(image_id: str) -> str:
    """The end of a long name: its beginning is often the same for all."""
    return image_id if len(image_id) <= 24 else f"...{image_id[-21:]}"
