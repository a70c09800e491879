"""From a cell of a table to everything behind it: predictions, settings, commits, seeds, data; and the way back."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskray.errors import InputError
from maskray.files import hash_of_file, read_json, read_yaml
from maskray.tables.collect import run_of
from maskray.tables.tidy import PRINTED, Line, Table

_HASH_LENGTH = 12
_UNKNOWN = "FILE"


def trace(table: Table, row: str, column: str, configs: str | Path) -> str:
    """Everything behind one cell, as text. ``configs`` is the folder of the overlays, to name the one of this root.

    Raises InputError with the nearest names where row or column are not in the table.
    """
    cell = table.cell(row, column)
    files = [file for file in cell["predictions"].split(";") if file]
    runs = [_read_run(file, cell, table) for file in files]
    lines = [*_head(cell, runs, table)]
    for place, run in enumerate(runs, start=1):
        lines += ["", f"Run {place} of {len(runs)}: {run.name}", *(f"  {line}" for line in run.lines())]
    lines += _again(files, table, Path(configs)) if files else []
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Run:
    """One run behind a cell: its predictions, its number, its record, and those of the pre-training below it."""

    name: str
    predictions: Path
    metric: str
    value: float
    provenance: Path
    record: Mapping[str, Any]
    pretrainings: Sequence[Path]

    def lines(self) -> Iterator[str]:
        """The trace of this run."""
        yield f"predictions   {self.predictions}"
        yield f"metrics       {self.predictions.with_name('metrics.json')}: {self.metric} {self.value:.6f}"
        yield from _recorded(self.provenance, self.record)
        for number, folder in enumerate(self.pretrainings, start=1):
            yield f"pre-training  {folder}"
            name = "weights" if number == 1 else f"weights {number}"
            yield f"  weights     {_weights_state(folder / 'weights.safetensors', self.record['inputs'].get(name))}"
            file = folder / "provenance.json"
            yield from (f"  {line}" for line in _recorded(file, _read_record(file), width=12))


def _head(cell: Line, runs: Sequence[Run], table: Table) -> Iterator[str]:
    yield f"Table         {table.path}"
    yield f"Row           {cell['row']}" + (f" (variant {cell['variant']})" if cell["variant"] else " (printed)")
    yield f"Column        {cell['column']}"
    if cell["kind"] == PRINTED:
        yield f"Value         {cell['value']}, as the paper prints it: config/published/{table.path.parent.name}.csv"
        return
    if cell["value"]:
        yield f"Value         {cell['value']}{_spread(cell)}; {cell['num_images']} test items"
        if not _agree(float(cell["value"]), [run.value for run in runs]):
            yield "CAREFUL       not the mean of the runs below: they were scored after the table; make the table again"
    else:
        yield "Value         none"
    yield from (f"Printed       {value}" for value in table.printed(cell))
    yield from [f"Noted         {cell['flag']}"] if cell["flag"] else []
    yield f"Data          {cell['data']}"


def _spread(cell: Line) -> str:
    interval = f", 95 % interval {cell['low']} to {cell['high']}" if cell["low"] else ""
    return interval + (f", mean of {cell['num_seeds']} runs with s.d. {cell['sd']}" if cell["sd"] else ", one run")


def _agree(value: float, of_runs: Sequence[float]) -> bool:
    """True for the mean of the runs, in per cent or as a plain number, to the four decimals of the csv form."""
    mean = sum(of_runs) / len(of_runs)
    return any(math.isclose(value, mean * scale, abs_tol=1e-4) for scale in (100, 1))


def _again(files: Sequence[str], table: Table, configs: Path) -> Iterator[str]:
    """The commands that make this cell again. They name files as the run did, from its own folder."""
    root = _prefix(files[0])
    overlay = _overlay(root, table, configs)
    snakemake = "snakemake --cores 2" + (f" --configfile {overlay}" if overlay else "")
    target = f"{root}/tables/{table.path.parent.name}/{table.path.name}"
    yield from ("", "Made again, in the folder of the Snakefile, by")
    yield f"  {snakemake} --force -- {shlex.join(files)}"
    yield f"  {snakemake} -- {shlex.quote(target)}"
    if overlay == _UNKNOWN:
        yield f"where {_UNKNOWN} stands for the config file, or files, of that run (results_root: {root})"


def _overlay(root: str, table: Table, configs: Path) -> str:
    """The overlay that has this results root and this table; empty for ``config.yaml``, which needs no flag.

    A file without papers of its own is laid over another one (``demo-all.yaml``): alone it would make something else.
    """
    contents = {file.name: read_yaml(file) for file in sorted(configs.glob("*.yaml"))}
    found = [
        name
        for name, content in contents.items()
        if isinstance(content, dict) and str(content.get("results_root", "")).rstrip("/") == root
    ]
    if len(found) != 1 or not contents[found[0]].get("papers"):
        return _UNKNOWN
    chosen = contents[found[0]].get("tables", {}).get(table.path.parent.name)
    if chosen is not None and table.path.stem not in chosen:
        return _UNKNOWN
    return "" if found[0] == "config.yaml" else f"{configs.name}/{found[0]}"


def _read_run(file: str, cell: Line, table: Table) -> Run:
    run = run_of(Path(file).with_name("metrics.json"))
    relative = file.removeprefix(_prefix(file) + "/")
    predictions = table.root / relative
    benchmark = table.root / run.paper / run.variant / f"seed{run.pretrain_seed}" / run.benchmark
    # Probes of all fractions and seeds are one job, which has one record.
    provenance = next(
        (found for folder in (predictions.parent, benchmark) if (found := folder / "provenance.json").is_file()),
        predictions.with_name("provenance.json"),
    )
    record = _read_record(provenance)
    folders = _flag(record["command"], "--pretrained") or [str(benchmark.parent / "pretrain")]
    return Run(
        str(Path(relative).parent),
        predictions,
        f"{cell['metric']} of {cell['label']}",
        _number(predictions.with_name("metrics.json"), cell),
        provenance,
        record,
        [table.root / folder.removeprefix(_prefix(file) + "/") for folder in folders],
    )


def _prefix(file: str) -> str:
    """The results root as the run named it."""
    run = run_of(Path(file).with_name("metrics.json"))
    return file[: file.rindex(f"{run.paper}/{run.variant}/seed{run.pretrain_seed}/{run.benchmark}")].rstrip("/")


def _number(path: Path, cell: Line) -> float:
    for row in read_json(path).get("rows", ()):
        if (row["metric"], row["label"]) == (cell["metric"], cell["label"]) and row["value"] is not None:
            return float(row["value"])
    return math.nan


def _recorded(path: Path, record: Mapping[str, Any], width: int = 14) -> Iterator[str]:
    """Where the settings of a job stand, and with what it was run."""
    is_changed = " (with local changes that no commit holds)" if record["has_local_changes"] else ""
    told = {
        "settings": f"{path} (key config; hash {_short(record['config_hash'])})",
        "command": f"{path} (key command)",
        "seeds": _pairs(record["seeds"]),
        "commit": (record["commit"] or "unknown") + is_changed,
        "data": _pairs({name: _short(text) for name, text in record["inputs"].items() if "weights" not in name}),
        "versions": _pairs({name: version for name, version in record["versions"].items() if version}),
    }
    yield from (f"{name:<{width}}{text}" for name, text in told.items())


def _read_record(path: Path) -> Mapping[str, Any]:
    record = read_json(path)
    needed = {"command", "config_hash", "seeds", "commit", "has_local_changes", "inputs", "versions"}
    if not isinstance(record, dict) or not needed <= set(record):
        raise InputError(f"{path}: not a provenance file; run the job again")
    return record


def _weights_state(path: Path, recorded: str | None) -> str:
    if not path.is_file():
        return f"{path} is no longer there; this run read {_short(recorded or 'unknown')}"
    if hash_of_file(path) == recorded:
        return f"{_short(recorded)}, the very weights that this run read"
    return f"CHANGED: this run read {_short(recorded or 'unknown')}, now there are others"


def _flag(command: Sequence[str], flag: str) -> list[str]:
    """The values of a flag in a recorded command."""
    if flag not in command:
        return []
    after = command[command.index(flag) + 1 :]
    stop = next((place for place, part in enumerate(after) if part.startswith("--")), len(after))
    return list(after[:stop])


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _short(text: str) -> str:
    return text[:_HASH_LENGTH]
