"""The tidy form of a rendered table, read again: which cells it has, and what stands in each."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from maskray.config.check import did_you_mean
from maskray.errors import InputError
from maskray.tables.render import CSV_HEADER

Line = Mapping[str, str]
PRINTED, OURS = "published", "ours"


@dataclass(frozen=True)
class Table:
    """``<root>/tables/<paper>/<table>.csv``."""

    path: Path
    lines: tuple[Line, ...]

    @property
    def root(self) -> Path:
        """The results root that the table stands in."""
        return self.path.parents[2]

    @property
    def rows(self) -> dict[str, tuple[str, str]]:
        """What a row may be asked for by -> (name, variant), ours first; two variants of one name are told apart."""
        of_ours = dict.fromkeys((line["row"], line["variant"]) for line in self.lines if line["kind"] == OURS)
        names = [name for name, _ in of_ours]
        found = {(n if names.count(n) == 1 else f"{n} ({v})"): (n, v) for n, v in of_ours}
        printed = dict.fromkeys(line["row"] for line in self.lines if line["kind"] == PRINTED)
        return found | {name: (name, "") for name in printed if name not in names}

    def columns(self, row: str) -> dict[str, Line]:
        """The columns in which a row of :attr:`rows` has a cell, each with it."""
        name, variant = self.rows[row]
        wanted = (name, variant, OURS if variant else PRINTED)
        return {line["column"]: line for line in self.lines if (line["row"], line["variant"], line["kind"]) == wanted}

    def cell(self, row: str, column: str) -> Line:
        """One cell; :class:`InputError` with the nearest names where the table has no such row or column."""
        # "Name (variant)", as the readable forms print it, also where the name alone would do.
        short = re.sub(r" \([^()]*\)$", "", row)
        row = self._known("row", short if short in self.rows else row, self.rows)
        columns = self.columns(row)
        return columns[self._known("column", column.lower(), columns)]

    def printed(self, cell: Line) -> list[str]:
        """What the paper prints for a cell of ours; empty where it prints nothing."""
        wanted = (cell["row"], cell["column"], PRINTED)
        return [line["value"] for line in self.lines if (line["row"], line["column"], line["kind"]) == wanted]

    def _known(self, kind: str, name: str, allowed: Iterable[str]) -> str:
        if name in allowed:
            return name
        raise InputError(f"{self.path}: no {kind} {name}{did_you_mean(name, allowed)}; there are: {', '.join(allowed)}")


def read_table(path: str | Path) -> Table:
    """Read the csv form; any other form of the same table leads to it. :class:`InputError` names the nearest table."""
    if not Path(path).name:
        raise InputError("name a table: results/.../tables/<paper>/<table>.csv")
    path = Path(path).with_suffix(".csv")
    path = path if len(path.parents) > 3 else path.absolute()
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            reader = csv.DictReader(handle)
            lines = tuple(reader)
    except FileNotFoundError:
        known = sorted(file.stem for file in path.parent.glob("*.csv") if not file.stem.endswith("-comparisons"))
        there = f"; tables there: {', '.join(known)}" if known else "; name results/.../tables/<paper>/<table>.csv"
        raise InputError(f"{path}: no such table{did_you_mean(path.stem, known)}{there}") from None
    if reader.fieldnames != CSV_HEADER or len(path.parents) < 4:
        raise InputError(f"{path}: the columns are not those of render_table; make the table again")
    return Table(path, lines)


def list_cells(table: Table) -> str:
    """What may be asked for: the rows, each with its columns and the number there."""
    lines = [f"Cells of {table.path}; name one by row and column:"]
    for row, (_, variant) in table.rows.items():
        lines += ["", f"{row}  [{variant or 'printed'}]"]
        lines += [f"    {column}  {cell['value'] or '-'}" for column, cell in table.columns(row).items()]
    return "\n".join(lines) + "\n"
