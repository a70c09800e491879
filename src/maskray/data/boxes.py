"""Boxes and run-length masks as the index stores them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd

from maskray.data.tables import Table


def boxes_by_image(
    table: Table,
    image: str,
    labels: pd.Series,
    columns: Sequence[str],
    grid: int | tuple[str, str],
    phrase: str | None = None,
) -> pd.Series:
    """JSON list of the boxes of each image, indexed by image and independent of the order of the rows.

    Args:
        table: one box per row.
        image: its column of image names.
        labels: label of each box.
        columns: names of the columns x, y, width, height, in pixels of a grid; origin at the top left.
        grid: side of a square grid, or the columns that hold width and height of the image, which is the grid then.
            A box may reach past it, and is cut there; it must begin inside.
        phrase: column of the sentence that the box belongs to, where boxes ground sentences.
    """
    x, y, w, h = (table.numbers(column) for column in columns)
    grid_w, grid_h = _grid(table, grid)
    ground = f"{grid} pixel grid" if isinstance(grid, int) else "image"
    for start, size, end, column, size_column in (
        (x, w, grid_w, columns[0], columns[2]),
        (y, h, grid_h, columns[1], columns[3]),
    ):
        table.refuse((start < 0) | (start >= end), column, f"the box begins outside the {ground}")
        table.refuse(size <= 0, size_column, "not above 0")
    w, h = np.minimum(w, grid_w - x), np.minimum(h, grid_h - y)
    values = {"label": labels} | ({"phrase": table[phrase]} if phrase else {})
    values |= {"x": x, "y": y, "w": w, "h": h, "grid_w": grid_w, "grid_h": grid_h}
    boxes: dict[str, set[tuple]] = {}
    for name, *box in zip(table[image], *values.values(), strict=True):
        boxes.setdefault(name, set()).add(tuple(box))
    texts = {
        name: json.dumps([dict(zip(values, box, strict=True)) for box in sorted(of_image)])
        for name, of_image in boxes.items()
    }
    return pd.Series(texts, dtype="object")


def _grid(table: Table, grid: int | tuple[str, str]) -> tuple[pd.Series, pd.Series]:
    if isinstance(grid, int):
        side = pd.Series(grid, index=table.rows.index)
        return side, side
    sizes = [table.numbers(column) for column in grid]
    for size, column in zip(sizes, grid, strict=True):
        table.refuse((size < 1) | (size % 1 != 0), column, "not a number of pixels")
    return sizes[0].astype(int), sizes[1].astype(int)


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
