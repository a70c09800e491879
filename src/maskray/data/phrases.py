"""Sentences that boxes ground, out of the index, and their boxes on the square films of the shards.

Shapes: S side of the square film.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskray.errors import InputError

Box = Mapping[str, Any]


@dataclass(frozen=True)
class Phrase:
    """One sentence about one film, with all its boxes: they ground it together.

    ``item_id`` tells it apart without its text. ``label`` is the category of its boxes; of several the first by name.
    """

    item_id: str
    image_id: str
    patient_id: str
    label: str
    text: str
    boxes: tuple[Box, ...]


def read_phrases(films: pd.DataFrame, source: Path) -> list[Phrase]:
    """The phrases of films, by film and text; ``films`` are rows of the index ``source``.

    Raises InputError where no film has a box with a phrase.
    """
    found: list[Phrase] = []
    for image_id, patient_id, cell in zip(films["image_id"], films["patient_id"], films["boxes"], strict=True):
        by_text: dict[str, list[Box]] = {}
        for box in json.loads(cell) if cell else ():
            if "phrase" in box:
                by_text.setdefault(box["phrase"], []).append(box)
        for number, (text, boxes) in enumerate(sorted(by_text.items())):
            label = min(str(box["label"]) for box in boxes)
            found.append(Phrase(f"{image_id}/{number}", image_id, patient_id, label, text, tuple(boxes)))
    if not found:
        raise InputError(f"{source}: no film of the test part has a box for a phrase; phrase grounding needs MS-CXR")
    return sorted(found, key=lambda phrase: phrase.item_id)


def edges_of_box(box: Box, content: Sequence[int]) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of a box in its film's square, in whole pixels; it holds one at least.

    ``content`` is the film's place in the square (top, left, height, width). A box is in pixels of its own grid, which
    the film fills as its owners give it.
    """
    top, left, height, width = map(int, content)
    first_row, last_row = _reach(box["y"], box["h"], box["grid_h"], height)
    first_column, last_column = _reach(box["x"], box["w"], box["grid_w"], width)
    return top + first_row, left + first_column, top + last_row, left + last_column


def mask_of_boxes(boxes: Sequence[Box], content: Sequence[int], size_px: int) -> NDArray[np.bool_]:
    """True inside any of the boxes [S, S]; ``content`` as for :func:`edges_of_box`."""
    mask_SS = np.zeros((size_px, size_px), bool)
    for box in boxes:
        top, left, bottom, right = edges_of_box(box, content)
        mask_SS[top:bottom, left:right] = True
    return mask_SS


def _reach(start: float, size: float, grid: float, extent: int) -> tuple[int, int]:
    """Along one side of the film: first pixel and the one behind the last, rounded to the nearest edges."""
    first = min(round(start * extent / grid), extent - 1)
    return first, min(max(round((start + size) * extent / grid), first + 1), extent)
