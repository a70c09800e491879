"""A table in the paper's layout: the printed rows as printed, ours under the rows that they reproduce."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pandas as pd

from maskray.config.fractions import fraction_name
from maskray.config.paper import ColumnGroup, RowConfig
from maskray.config.plan import task_of
from maskray.config.stages import TableStage
from maskray.errors import InputError
from maskray.tables import legend
from maskray.tables.cells import Address, cell_at
from maskray.tables.leakage import Flags
from maskray.tables.parts import NO_MEANS, RETRIEVAL, ZERO_SHOT, Cell, Column, Layout, Panel, Row
from maskray.tables.published import PublishedTable, column_key, detail_key


def lay_out(stage: TableStage, published: PublishedTable, metrics: pd.DataFrame, flags: Flags | None = None) -> Layout:
    """Put the printed and our numbers of one table together.

    ``metrics`` are the collected rows (``collect.SCHEMA``); those of other papers are ignored. ``flags`` say what test
    films have in common with films that were trained on.
    """
    if stage.table.printed and not published.rows:
        raise InputError(f"{stage.paper} {stage.table_name}: no printed numbers; add them or set printed: false")
    metrics = metrics[metrics["paper"] == stage.paper]
    columns = _with_decimals(
        [column for group in stage.table.columns for column in columns_of(group, stage)], published
    )
    panels = tuple(
        Panel(title, part, _rows(stage, published, part, metrics, flags or {}))
        for title, part in _panels(stage, columns)
    )
    first = panels[0].columns
    return Layout(
        paper=stage.paper,
        name=stage.table_name,
        title=legend.title(stage),
        unit=legend.unit(stage, first),
        made=stage.made,
        data_note=stage.data_note,
        details=tuple(detail_key(column).capitalize() for column in published.details),
        groups=tuple(legend.headings(first)),
        leaves=tuple(legend.leaves(first)),
        panels=panels,
        notes=tuple(legend.notes(stage, published, panels)),
        marks=legend.marks(panels),
    )


def columns_of(group: ColumnGroup, stage: TableStage) -> list[Column]:
    """The columns of a group, as the keys of the printed numbers name them."""
    untrained = RETRIEVAL if task_of(group.benchmark)[1] == "retrieve" else ZERO_SHOT
    conditions = [fraction_name(fraction) for fraction in group.fractions] or [untrained]
    split_note = _about(group.benchmark, stage.split_notes)
    reasons = tuple(reason for reason in (group.note, split_note) if reason)
    return [
        Column(column_key(group.heading, metric, condition, label), group, metric, condition, label, reasons)
        for condition in conditions
        for label in group.labels
        for metric in group.metrics
    ]


def _panels(stage: TableStage, columns: list[Column]) -> list[tuple[str, tuple[Column, ...]]]:
    """One panel; where one data set has both many labels and many fractions, one panel per fraction."""
    if not any(len(group.labels) > 1 and len(group.fractions) > 1 for group in stage.table.columns):
        return [("", tuple(columns))]
    conditions = list(dict.fromkeys(column.condition for column in columns))
    parts = [tuple(column for column in columns if column.condition == condition) for condition in conditions]
    if len({tuple((column.group.heading, column.metric_title, column.label) for column in part) for part in parts}) > 1:
        raise InputError(f"{stage.paper} {stage.table_name}: with labels as columns, all groups need equal fractions")
    return list(zip(conditions, parts, strict=True))


def _rows(
    stage: TableStage, published: PublishedTable, columns: tuple[Column, ...], metrics: pd.DataFrame, flags: Flags
) -> tuple[Row, ...]:
    """The printed rows in the printed order, each followed by those of ours that stand against it, then the rest."""
    rows: list[Row] = []
    for name in published.rows:
        rows.append(_printed_row(name, published, columns))
        for config in stage.table.rows:
            if config.name == name:
                ours = _our_row(config, stage, published, columns, metrics, flags)
                rows += [ours] if stage.made else [ours, _difference_row(ours, published, columns)]
    rows += [
        _our_row(config, stage, published, columns, metrics, flags)
        for config in stage.table.rows
        if config.name not in published.rows
    ]
    return tuple(rows)


def _printed_row(name: str, published: PublishedTable, columns: tuple[Column, ...]) -> Row:
    """The text is the printed one, digit for digit; the value is there to compare with."""
    cells = tuple(
        Cell(text=published.cells.get((name, column.key), "–"), value=published.value(name, column.key))
        for column in columns
    )
    details = tuple(published.cells.get((name, column), "–") for column in published.details)
    return Row("published", name, "", details, cells)


def _our_row(
    config: RowConfig,
    stage: TableStage,
    published: PublishedTable,
    columns: tuple[Column, ...],
    metrics: pd.DataFrame,
    flags: Flags,
) -> Row:
    trained = stage.trained.get(config.variant, {})
    return Row(
        "ours",
        config.name,
        config.variant,
        tuple(trained.get(detail_key(column), "") for column in published.details),
        tuple(
            Cell(text=NO_MEANS)
            if column.group.benchmark in config.without
            else dataclasses.replace(_our_cell(config.variant, column, stage, metrics, flags), decimals=column.decimals)
            for column in columns
        ),
    )


def _our_cell(variant: str, column: Column, stage: TableStage, metrics: pd.DataFrame, flags: Flags) -> Cell:
    benchmark = column.group.benchmark
    metric = column.group.metrics[column.metric_title]
    cell = cell_at(Address(variant, benchmark, column.fraction, metric, column.label, column.scale), metrics)
    why_not = _about(benchmark, stage.not_run) or stage.not_run.get(f"{benchmark} {column.fraction}")
    why_not = why_not or stage.not_run.get(variant)
    if cell.text == "not run" and why_not:
        return dataclasses.replace(cell, reasons=(why_not,))
    if cell.value is None:
        return cell
    return dataclasses.replace(cell, reasons=cell.reasons + flags.get((variant, benchmark), ()))


def _difference_row(ours: Row, published: PublishedTable, columns: tuple[Column, ...]) -> Row:
    """Ours less printed. Not called for made data, which cannot be compared."""
    cells = []
    for cell, column in zip(ours.cells, columns, strict=True):
        printed = published.value(ours.name, column.key)
        if printed is None or cell.value is None:
            cells.append(Cell(text="–"))
        else:
            reasons = column.reasons + cell.reasons
            cells.append(Cell(value=cell.value - printed, reasons=reasons, decimals=column.decimals))
    return Row("difference", ours.name, ours.variant, (), tuple(cells))


def _with_decimals(columns: list[Column], published: PublishedTable) -> list[Column]:
    """The columns with as many decimals as the paper prints in those of the same unit; one where it prints nothing."""

    def decimals(per_cent: bool) -> int:
        keys = {column.key for column in columns if column.group.per_cent == per_cent}
        printed = [value for (_, key), value in published.cells.items() if key in keys]
        return max((len(value.partition(".")[2]) for value in printed), default=1 if per_cent else 3)

    return [dataclasses.replace(column, decimals=decimals(column.group.per_cent)) for column in columns]


def _about(benchmark: str, notes: Mapping[str, str]) -> str:
    """What is noted on a benchmark, or else on its data set."""
    return notes.get(benchmark) or notes.get(task_of(benchmark)[0], "")
