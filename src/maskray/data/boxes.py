"""Boxes and run-length masks as the index stores them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd

from maskray.data.tables import Table


def boxes_by_image(table: Table, image: str, labels: pd.Series, columns: Sequence[str], grid_px: int) -> pd.Series:
    """JSON list of the boxes of each image, indexed by image and independent of the order of the rows.

    Args:
        table: one box per row.
        image: its column of image names.
        labels: label of each box.
        columns: names of the columns x, y, width, height, in pixels of a square grid; origin at the top left.
        grid_px: side of that grid. A box may reach past it, and is cut there; it must begin inside.
    """
    x, y, w, h = (table.numbers(column) for column in columns)
    for start, size, column, size_column in ((x, w, columns[0], columns[2]), (y, h, columns[1], columns[3])):
        table.refuse((start < 0) | (start >= grid_px), column, f"the box begins outside the {grid_px} pixel grid")
        table.refuse(size <= 0, size_column, "not above 0")
    w, h = np.minimum(w, grid_px - x), np.minimum(h, grid_px - y)
    boxes: dict[str, list[tuple]] = {}
    for name, *box in zip(table[image], labels, x, y, w, h, strict=True):
        boxes.setdefault(name, []).append(tuple(box))
    keys = ("label", "x", "y", "w", "h")
    grid = {"grid_w": grid_px, "grid_h": grid_px}
    texts = {
        name: json.dumps([dict(zip(keys, box, strict=True)) | grid for box in sorted(set(of_image))])
        for name, of_image in boxes.items()
    }
    return pd.Series(texts, dtype="object")


def refuse_bad_runs(table: Table, column: str, grid_px: int) -> None:
    """Check relative run-length masks: pairs of (gap since the last run, length) that end inside a square grid.

    Raises InputError naming file and line where a cell is not such a list or runs past ``grid_px`` x ``grid_px``.
    """
    cells = table[column]
    table.refuse(~cells.str.fullmatch(r"\d+ \d+(?: \d+ \d+)*"), column, "expected pairs of whole numbers, or -1")
    # Gaps and lengths follow each other, so that their sum is where the last run ends.
    ends = cells.map(lambda cell: sum(map(int, cell.split())))
    table.refuse(ends > grid_px**2, column, f"the mask runs past the {grid_px}x{grid_px} pixels of the image")
    has_empty_run = cells.map(lambda cell: "0" in cell.split()[1::2])
    table.refuse(has_empty_run, column, "a run of length 0")
