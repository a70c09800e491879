"""What a table is made of, read from its files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from maskray.config.stages import TableStage
from maskray.tables import collect
from maskray.tables.layout import lay_out
from maskray.tables.leakage import read_flags
from maskray.tables.parts import Layout
from maskray.tables.published import read_published


@dataclass(frozen=True)
class Table:
    """A table laid out, its settings, and the collected rows that it stands on."""

    stage: TableStage
    metrics: pd.DataFrame
    layout: Layout


def read_table(
    settings: str, metrics: str | Path, published: str | Path, verdicts: Iterable[str | Path] | None = None
) -> Table:
    """Read settings (a file, or JSON), collected metrics, printed numbers; with verdicts the cells carry their flags.

    Raises InputError for a file that is missing or another one.
    """
    stage = TableStage.read(settings)
    rows = collect.read(metrics).to_pandas()
    flags = None if verdicts is None else read_flags(stage, verdicts)
    return Table(stage, rows, lay_out(stage, read_published(published, stage.table_name), rows, flags))
