"""What is said around a table's numbers: title, headings, notes, footnotes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from maskray.config.plan import task_of
from maskray.config.stages import TableStage
from maskray.metrics.rows import ALL, MACRO, is_whole
from maskray.tables.parts import ZERO_SHOT, Cell, Column, Heading, Panel
from maskray.tables.published import PublishedTable

_PRINTED_AS = {"table": "Table", "figure": "Fig."}
# What num_images of a kind of job counts; of all others it counts films.
_FILMS = "Test films"
_COUNTED = {"retrieve": "Queries, each against as many candidates", "ground": "Test phrases"}


def title(stage: TableStage) -> str:
    """``Table 1. <title>``, or ``Fig. 3.`` for the numbers of a figure; a table of ours says that it is not printed."""
    if stage.table.printed or stage.table_name.startswith("figure"):
        return f"{printed_name(stage.table_name)}. {stage.table.title}"
    told = "not in the paper" in stage.table.title
    return stage.table.title if told else f"{stage.table.title} (not in the paper)"


def printed_name(name: str) -> str:
    """``table1`` -> ``Table 1``, ``figure3_left`` -> ``Fig. 3 left``; others as they are."""
    number = re.fullmatch(r"(table|figure)(\d+)_?(\w*)", name)
    return f"{_PRINTED_AS[number[1]]} {number[2]} {number[3]}".rstrip() if number else name


def unit(stage: TableStage, columns: tuple[Column, ...]) -> str:
    """What is the same in all columns and therefore not said in their headings; empty where the title says it."""
    if "per cent" in stage.table.title:
        return ""
    metrics = {column.metric_title for column in columns}
    said = list(metrics) if len(metrics) == 1 else []
    said += [ZERO_SHOT] if {column.condition for column in columns} == {ZERO_SHOT} else []
    in_per_cent = [column.group.heading for column in columns if column.group.per_cent]
    if len(in_per_cent) == len(columns):
        said.append("per cent")
    elif in_per_cent:
        said.append(f"{', '.join(dict.fromkeys(in_per_cent))} in per cent")
    return ", ".join(said)


def headings(columns: tuple[Column, ...]) -> Iterable[Heading]:
    """The data sets, each over its columns."""
    for _, members in groupby(columns, key=lambda column: id(column.group)):
        part = list(members)
        yield Heading(part[0].group.heading, len(part), part[0].reasons)


def leaves(columns: tuple[Column, ...]) -> Iterable[str]:
    """The lowest headings: of label, metric and condition only what differs between the columns."""
    varies = [
        len({_label_title(column) for column in columns}) > 1,
        len({column.metric_title for column in columns}) > 1,
        len({column.condition for column in columns}) > 1,
    ]
    for column in columns:
        parts = zip((_label_title(column), column.metric_title, column.condition), varies, strict=True)
        yield " ".join(part for part, is_said in parts if is_said) or column.metric_title


def _label_title(column: Column) -> str:
    """A mean over a set of labels is named by the heading above it."""
    whole = column.label.partition("/")[0] if is_whole(column.label) else ""
    return {MACRO: "Average", ALL: "All"}.get(whole) or column.label.replace("_", " ")


def notes(stage: TableStage, published: PublishedTable, panels: tuple[Panel, ...]) -> Iterable[str]:
    """How to read the table; what it leaves out."""
    if published.rows:
        yield "printed: the paper's own numbers, as printed."
    yield from _notes_on_ours(stage, bool(published.rows), _ours(panels))
    keys = {column.key for panel in panels for column in panel.columns}
    if unused := [key.replace("|", " ") for key in published.columns if key not in keys]:
        yield "Printed, but not part of this table: " + ", ".join(unused) + "."
    unpublished = [row.name for row in stage.table.rows if row.name not in published.rows]
    if published.rows and unpublished:
        yield "Not in the paper: " + ", ".join(dict.fromkeys(unpublished)) + "."
    if stage.table.note:
        yield stage.table.note


def marks(panels: tuple[Panel, ...]) -> dict[str, str]:
    """A letter for each reason, in reading order."""
    reasons = [reason for column in panels[0].columns for reason in column.reasons]
    reasons += [reason for panel in panels for row in panel.rows for cell in row.cells for reason in cell.reasons]
    return {reason: _letter(place) for place, reason in enumerate(dict.fromkeys(reasons))}


def _notes_on_ours(stage: TableStage, has_printed: bool, ours: list[tuple[Column, Cell]]) -> Iterable[str]:
    if not ours:
        yield "maskray: none of this table's cells was run."
        return
    runs = [cell.num_runs for _, cell in ours if cell.num_runs]
    several = f"mean of {_spread(runs)} runs that differ in their seeds ± their standard deviation"
    yield (
        f"maskray: {several if max(runs) > 1 else 'one run'}; in brackets the 95 % interval of that value "
        "(bootstrap over test patients)."
    )
    for counted in (_FILMS, *_COUNTED.values()):
        if told := list(_test_items(stage, ours, counted)):
            yield f"{counted}: " + "; ".join(told) + "."
    if sets := _label_sets(ours):
        yield "Labels in the mean: " + "; ".join(sets) + "."
    if has_printed and stage.made:
        yield "No difference to the printed values is given: made data cannot be compared with real ones."
    elif has_printed:
        is_plain = any(not column.group.per_cent for column, _ in ours)
        yield f"difference: maskray less printed, in {'the unit of the column' if is_plain else 'percentage points'}."


def _test_items(stage: TableStage, ours: list[tuple[Column, Cell]], counted: str) -> Iterable[str]:
    """How many there are of what is counted, by data set."""
    ours = [(column, cell) for column, cell in ours if _counted(column) == counted]
    for heading in dict.fromkeys(column.group.heading for column, _ in ours):
        found = [(column, cell) for column, cell in ours if column.group.heading == heading]
        dataset, _ = task_of(found[0][0].group.benchmark)
        name = stage.dataset_titles.get(dataset, heading)
        shown = heading if name.lower() == heading.lower() else f"{heading} ({name})"
        yield f"{shown} {_spread([cell.num_images for _, cell in found if cell.num_images is not None])}"


def _label_sets(ours: list[tuple[Column, Cell]]) -> list[str]:
    """How many labels the means over a set of them are of: a remark, no reason against a comparison."""
    numbers: dict[str, list[int]] = {}
    for column, cell in ours:
        if column.label.startswith(f"{MACRO}/") and cell.num_labels is not None:
            numbers.setdefault(column.group.heading, []).append(cell.num_labels)
    return [f"{heading} {_spread(found)}" for heading, found in numbers.items()]


def _counted(column: Column) -> str:
    return _COUNTED.get(task_of(column.group.benchmark)[1], _FILMS)


def _ours(panels: tuple[Panel, ...]) -> list[tuple[Column, Cell]]:
    """Our cells that hold a number, each with its column."""
    return [
        (column, cell)
        for panel in panels
        for row in panel.rows
        if row.kind == "ours"
        for column, cell in zip(panel.columns, row.cells, strict=True)
        if cell.value is not None
    ]


def _spread(numbers: Sequence[int]) -> str:
    """``5``, or ``3 to 5`` where the numbers differ."""
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _letter(place: int) -> str:
    return (_letter(place // 26 - 1) if place >= 26 else "") + chr(ord("a") + place % 26)
