"""What a table consists of, ready to be rendered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from maskray.config.paper import ColumnGroup

Kind = Literal["published", "ours", "difference"]
PERCENT = 100
ZERO_SHOT = "zero-shot"
RETRIEVAL = "retrieval"
NO_MEANS = "–"
"""What stands in the cells of a benchmark that a row has no means for."""
MADE_REASON = "made data: not comparable with printed values"


@dataclass(frozen=True)
class Cell:
    """One cell; numbers are in the unit of its column, per cent unless that says otherwise.

    Attributes:
        text: what stands there instead of the number with our decimals: as printed, or why there is none.
        decimals: to round to.
        low: lower end of the 95 % interval of the mean over the runs; ``high`` likewise.
        sd: standard deviation between the runs; None for a single run.
        num_labels: how many labels the number is a mean over; which they are stands in ``metrics.json``.
        reasons: why the reader must be careful, and nothing else; printed as footnotes.
        predictions: the files behind the number.
    """

    text: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    sd: float | None = None
    num_runs: int | None = None
    num_images: int | None = None
    num_labels: int | None = None
    reasons: tuple[str, ...] = ()
    predictions: tuple[str, ...] = ()
    decimals: int = 1


@dataclass(frozen=True)
class Column:
    """One column. ``reasons`` say why its cells cannot be compared with the printed ones as they stand.

    ``decimals`` are as many as the paper prints.
    """

    key: str
    group: ColumnGroup
    metric_title: str
    condition: str
    label: str
    reasons: tuple[str, ...]
    decimals: int = 1

    @property
    def fraction(self) -> str:
        """Label fraction as in paths; empty where nothing is trained."""
        return "" if self.condition in (ZERO_SHOT, RETRIEVAL) else self.condition

    @property
    def scale(self) -> float:
        """Turns a metric into the unit of the column."""
        return PERCENT if self.group.per_cent else 1


@dataclass(frozen=True)
class Row:
    """One row: its cells stand in the order of the panel's columns."""

    kind: Kind
    name: str
    variant: str
    details: tuple[str, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Panel:
    """Rows under one heading; most tables have a single panel without one."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Heading:
    """A heading over ``span`` columns."""

    text: str
    span: int
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layout:
    """A whole table, ready to be rendered. ``marks`` gives each reason its footnote letter."""

    paper: str
    name: str
    title: str
    unit: str
    made: bool
    data_note: str
    details: tuple[str, ...]
    groups: tuple[Heading, ...]
    leaves: tuple[str, ...]
    panels: tuple[Panel, ...]
    notes: tuple[str, ...]
    marks: Mapping[str, str]

    @property
    def data_line(self) -> str:
        """Which data the numbers stand on; made data are called so, whatever the note says."""
        if not self.made:
            return f"Data: {self.data_note}"
        return self.data_note if self.data_note.lower().startswith("made data") else f"MADE DATA: {self.data_note}"

    @property
    def ours(self) -> Iterator[tuple[Panel, Row]]:
        """Our rows, each with its panel."""
        return ((panel, row) for panel in self.panels for row in panel.rows if row.kind == "ours")

    @property
    def starts(self) -> frozenset[int]:
        """Columns with which a group begins."""
        starts = [0]
        for group in self.groups:
            starts.append(starts[-1] + group.span)
        return frozenset(starts)

    @property
    def num_planned(self) -> int:
        """Cells of ours that a row has the means for."""
        return sum(cell.text != NO_MEANS for _, row in self.ours for cell in row.cells)

    @property
    def num_run(self) -> int:
        """Cells of ours that hold a number."""
        return sum(cell.value is not None for _, row in self.ours for cell in row.cells)

    def marks_of(self, reasons: Iterable[str]) -> str:
        """Footnote letters, as ``a,c``."""
        return ",".join(self.marks[reason] for reason in reasons if reason in self.marks)
