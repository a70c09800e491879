"""Which word piece of a report may look at which others where hidden ones are restored (MMCLIP, Fig. 5).

Shapes: L word pieces.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.axes import Axes
from numpy.typing import NDArray

from maskray.errors import InputError
from maskray.tables.figures import BLUE, INK, PALE, RED, STYLE, new_figure, save
from maskray.tables.shown_films import GallerySource, choose_films
from maskray.training.export import load_method

_INCHES_PER_PIECE = 0.13
_TOLD = (
    "Row: a word piece; filled: a piece before it that it may look at, or itself; crossed out: a piece before it that "
    "is hidden. Blue names: entities; red ones: hidden."
)


@dataclass(frozen=True)
class TextMask:
    """The pieces of one report, by ``names``; row = piece, column = what it may look at, sees_LL."""

    image_id: str
    names: tuple[str, ...]
    guides_L: NDArray[np.bool_]
    hidden_L: NDArray[np.bool_]
    sees_LL: NDArray[np.bool_]


def explain_text(pretrained: str | Path, source: GallerySource, shows_reports: bool = False) -> TextMask:
    """The mask that training would use for the report of the gallery's first film.

    The pieces are named by their numbers; by their words only with ``shows_reports``, for reports that anyone may read.

    Raises:
        InputError: the method has no such mask.
    """
    loaded = load_method(pretrained)
    chosen = choose_films(source, [loaded], 1)
    batch = chosen.batch(loaded)
    with torch.inference_mode():
        hidden_BL = loaded.method.hidden_words(batch)
        sees_BLL = None if hidden_BL is None else loaded.method.seen_words(batch, hidden_BL)
    if hidden_BL is None or sees_BLL is None:
        raise InputError(f"{pretrained}: this method, or this variant of it, keeps no order among the words of a text")
    num = int(batch.token_is_real_BL[0].sum())
    words = [loaded.tokenizer.decode([piece]).strip() for piece in batch.token_ids_BL[0, :num].tolist()]
    return TextMask(
        str(chosen.films["image_id"].iloc[0]),
        tuple(words) if shows_reports else tuple(map(str, range(1, num + 1))),
        batch.token_is_guide_BL[0, :num].numpy(),
        hidden_BL[0, :num].numpy(),
        sees_BLL[0, :num, :num].numpy(),
    )


def draw_text_mask(mask: TextMask, title: str, svg: str | Path, png: str | Path) -> None:
    """A matrix of pieces by pieces."""
    num = len(mask.names)
    side = max(_INCHES_PER_PIECE * num, 5)
    note = textwrap.wrap(f"{title}, report of film {mask.image_id}. {_TOLD}", int(17 * side))
    with mpl.rc_context(STYLE):
        figure = new_figure(side + 1.2, side + 1.2 + 0.18 * len(note))
        panel = figure.subplots()
        panel.imshow(mask.sees_LL, cmap=mpl.colors.ListedColormap(["white", PALE]), vmin=0, vmax=1)
        # From the method's own mask: what would be seen if nothing were hidden, and is not.
        rows, columns = np.nonzero(np.tri(num, k=-1, dtype=bool) & ~mask.sees_LL)
        panel.scatter(columns, rows, marker="x", s=9, linewidths=0.8, color=RED)
        panel.set_xticks(range(num), mask.names, rotation=90, fontsize=5.5)
        panel.set_yticks(range(num), mask.names, fontsize=5.5)
        panel.tick_params(length=0, labeltop=True, labelbottom=False)
        panel.spines[:].set_visible(True)
        _colour_names(panel, mask)
        figure.suptitle("\n".join(note), x=0.01, ha="left", fontsize=9)
        save(figure, svg)
        save(figure, png)


def _colour_names(panel: Axes, mask: TextMask) -> None:
    for labels in (panel.get_xticklabels(), panel.get_yticklabels()):
        for label, guides, hidden in zip(labels, mask.guides_L, mask.hidden_L, strict=True):
            label.set_color(RED if hidden else BLUE if guides else INK)
