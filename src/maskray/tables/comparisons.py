"""Below a table: the paper's own row against each other row of ours, column by column, on the same test films."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from maskray.metrics.paired import BOOTSTRAP, DELONG, PairedTest, Runs, holm, not_compared
from maskray.tables.parts import NO_MEANS, Cell, Column, Layout, Panel, Row

Compare = Callable[[Runs, Runs, str, str], PairedTest]
"""(first, second, metric, label) -> first less second."""


@dataclass(frozen=True)
class Comparison:
    """The own row less another one in one column, in the unit of the column.

    ``sd`` is that of the difference over the seeds, where both rows have the same ones; ``p_holm`` is the p corrected
    over all comparisons of the table.
    """

    own: Row
    other: Row
    column: Column
    heading: str
    result: PairedTest
    sd: float | None = None
    num_runs: tuple[int, int] = (0, 0)
    num_images: int | None = None
    p_holm: float = float("nan")


@dataclass(frozen=True)
class Comparisons:
    """All comparisons of a table. ``own`` is the row that they all start from; None where the table has no such row."""

    layout: Layout
    own: Row | None
    lines: tuple[Comparison, ...]
    num_replicates: int

    @property
    def num_tested(self) -> int:
        """The family of Holm's correction: all comparisons that have a p."""
        return sum(not np.isnan(one.result.p) for one in self.lines)


def compare_rows(layout: Layout, metrics: pd.DataFrame, own_variant: str, compare: Compare) -> Comparisons:
    """Compare within each panel; what was not run is there too, and says so.

    ``metrics`` are the collected rows that the table was laid out from.
    """
    own = next((row for _, row in layout.ours if row.variant == own_variant), None)
    lines = [line for panel in layout.panels for line in _lines(panel, layout, metrics, own_variant, compare)]
    corrected = holm([line.result.p for line in lines])
    num_replicates = max((len(one) for one in metrics["replicates"]), default=0)
    return Comparisons(
        layout,
        own,
        tuple(replace(line, p_holm=p) for line, p in zip(lines, corrected, strict=True)),
        num_replicates,
    )


def notes(comparisons: Comparisons) -> Iterator[str]:
    """How to read them: the sign, the tests, what they cover, the correction."""
    lines = comparisons.lines
    if comparisons.own is None:
        yield "No row of this table is the paper's own; nothing was compared."
        return
    yield (
        f"difference: {comparisons.own.name} less the row, of the means over the runs, in the unit of the column (per "
        "cent: percentage points); s.d.: of that difference over the seeds."
    )
    used = {line.result.test for line in lines}
    if DELONG in used:
        yield (
            "DeLong: DeLong's test for AUROCs on the same films, with the films of a patient taken together; a mean "
            "over runs or labels is tested as one sum of AUROCs."
        )
    if BOOTSTRAP in used:
        least = 2 / (comparisons.num_replicates + 1)
        yield (
            "paired bootstrap: both rows on the same resamples of patients; its p is at least "
            f"{least:.2g} with {comparisons.num_replicates:,} resamples."
        )
    yield (
        "The interval and p are about other test patients, with these trained models; that another training might turn "
        "out otherwise is not in them."
    )
    if num := comparisons.num_tested:
        yield f"p (Holm): corrected for the {num} comparison{'s' if num > 1 else ''} of this table by Holm's method."


def _lines(
    panel: Panel, layout: Layout, metrics: pd.DataFrame, own_variant: str, compare: Compare
) -> Iterator[Comparison]:
    """Row by row. Cells that a row has no means for are no comparison."""
    ours = [row for row in panel.rows if row.kind == "ours"]
    own = next((row for row in ours if row.variant == own_variant), None)
    if own is None:
        return
    for other in ours:
        if other.variant == own_variant:
            continue
        for column, leaf, mine, theirs in zip(panel.columns, layout.leaves, own.cells, other.cells, strict=True):
            if NO_MEANS in (mine.text, theirs.text):
                continue
            heading = " ".join(filter(None, (column.group.heading, leaf, panel.title)))
            line = Comparison(own, other, column, heading, not_compared(""))
            yield _compared(line, mine, theirs, metrics, compare)


def _compared(line: Comparison, own: Cell, other: Cell, metrics: pd.DataFrame, compare: Compare) -> Comparison:
    for row, cell in ((line.own, own), (line.other, other)):
        if cell.value is None:
            return replace(line, result=not_compared(f"{row.name}: {': '.join((cell.text, *cell.reasons))}"))
    metric, label = line.column.group.metrics[line.column.metric_title], line.column.label
    found = [_rows_of(cell, metric, label, metrics) for cell in (own, other)]
    first, second = (_runs(rows) for rows in found)
    scale = line.column.scale
    result = compare(first, second, metric, label)
    return replace(
        line,
        result=replace(result, difference=result.difference * scale, low=result.low * scale, high=result.high * scale),
        sd=_spread(found[0], found[1], scale),
        num_runs=(first.values_S.size, second.values_S.size),
        num_images=own.num_images,
    )


def _rows_of(cell: Cell, metric: str, label: str, metrics: pd.DataFrame) -> pd.DataFrame:
    is_here = (
        metrics["predictions"].isin(cell.predictions) & (metrics["metric"] == metric) & (metrics["label"] == label)
    )
    return metrics[is_here]


def _runs(rows: pd.DataFrame) -> Runs:
    replicates_SR = np.stack([np.asarray(one, np.float64) for one in rows["replicates"]])
    return Runs(rows["value"].to_numpy(np.float64), replicates_SR, tuple(rows["predictions"]))


def _spread(own: pd.DataFrame, other: pd.DataFrame, scale: float) -> float | None:
    """Standard deviation of the difference over the seeds; None for one seed, or where the rows have not the same."""
    seeds = ["pretrain_seed", "finetune_seed"]
    first, second = (rows[seeds].fillna(-1).to_numpy() for rows in (own, other))
    if len(first) < 2 or not np.array_equal(first, second):
        return None
    differences = own["value"].to_numpy(np.float64) - other["value"].to_numpy(np.float64)
    return float(differences.std(ddof=1)) * scale
