"""The numbers that the papers print: ``config/published/<key>.csv``."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from maskray.errors import InputError
from maskray.metrics.rows import MACRO, is_whole

HEADER = ["table", "row", "column", "value"]
_DETAIL = "row|"


@dataclass(frozen=True)
class PublishedTable:
    """One printed table. ``cells`` holds the values as printed; a dash in print has no entry.

    ``details`` are the columns that describe a row instead of scoring it (training epochs, pre-training data).
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    details: tuple[str, ...]
    cells: Mapping[tuple[str, str], str]

    def value(self, row: str, column: str) -> float | None:
        """The printed number, or None where the paper prints none."""
        text = self.cells.get((row, column))
        return None if text is None else float(text)


def column_key(heading: str, metric: str, condition: str, label: str = MACRO) -> str:
    """``RSNA Pneumonia``, ``AUC``, ``1%`` -> ``rsna pneumonia|auc|1%``; a single label is a fourth part."""
    parts = [heading, metric, condition] + ([] if is_whole(label) else [label.replace("_", " ")])
    return "|".join(parts).lower()


def read_published(path: str | Path, table: str) -> PublishedTable:
    """Read one table of a file of printed numbers, rows and columns in the printed order.

    A table that the file does not have comes back empty. :class:`InputError` names file and line where a value
    is no number or stands twice.
    """
    rows: dict[str, None] = {}
    columns: dict[str, None] = {}
    cells: dict[tuple[str, str], str] = {}
    for line, name, row, column, value in _read(Path(path)):
        if name != table:
            continue
        if (row, column) in cells:
            raise InputError(f"{path}, line {line}: {row} has a second value for {column} in {table}; keep one")
        if not column.startswith(_DETAIL) and not _is_number(value):
            raise InputError(f"{path}, line {line}, column value: {value!r} is no number; write it as printed")
        rows[row], columns[column], cells[row, column] = None, None, value
    return PublishedTable(
        tuple(rows),
        tuple(column for column in columns if not column.startswith(_DETAIL)),
        tuple(column for column in columns if column.startswith(_DETAIL)),
        cells,
    )


def detail_key(column: str) -> str:
    """``row|pretrain-dataset|`` -> ``pretrain-dataset``."""
    return column.split("|")[1]


def _read(path: Path) -> list[tuple[int, str, str, str, str]]:
    try:
        lines = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; a paper without printed numbers still needs the header line") from None
    if not lines or lines[0] != HEADER:
        raise InputError(f"{path}: the first line must read {','.join(HEADER)}")
    for number, fields in enumerate(lines[1:], start=2):
        if len(fields) != len(HEADER):
            raise InputError(f"{path}, line {number}: {len(fields)} fields instead of {len(HEADER)}")
    return [(number, *fields) for number, fields in enumerate(lines[1:], start=2)]  # type: ignore[misc]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
