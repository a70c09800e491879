"""Many ``metrics.json`` -> one tidy table, one row per number."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from maskray.config.plan import task_of
from maskray.errors import InputError
from maskray.files import read_json, written_whole

# Zero-shot results have no label fraction ("") and no fine-tuning seed (null).
SCHEMA = pa.schema(
    [
        ("paper", pa.string()),
        ("variant", pa.string()),
        ("pretrain_seed", pa.int64()),
        ("benchmark", pa.string()),
        ("fraction", pa.string()),
        ("finetune_seed", pa.int64()),
        ("metric", pa.string()),
        ("label", pa.string()),
        ("value", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("num_images", pa.int64()),
        ("num_positive", pa.int64()),
        ("num_labels", pa.int64()),
        ("predictions", pa.string()),
        ("replicates", pa.list_(pa.float32())),
    ]
)
_UNBOUNDED = {"cnr", "cnr_signed"}
_PATH = re.compile(
    r"(?:^|/)(?P<paper>[^/]+)/(?P<variant>[^/]+)/seed(?P<pretrain_seed>\d+)/(?P<benchmark>[^/]+)"
    r"(?:/(?P<fraction>[\d.]+%)/seed(?P<finetune_seed>\d+))?/metrics\.json$"
)


@dataclass(frozen=True)
class Run:
    """Which run a ``metrics.json`` belongs to, as its path tells."""

    paper: str
    variant: str
    pretrain_seed: int
    benchmark: str
    fraction: str
    finetune_seed: int | None


def run_of(path: str | Path) -> Run:
    """Read ``{root}/<paper>/<variant>/seed<p>/<benchmark>[/<fraction>/seed<f>]/metrics.json``."""
    match = _PATH.search(Path(path).as_posix())
    if match is None:
        raise InputError(
            f"{path}: not the path of a result; expected "
            "<paper>/<variant>/seed<p>/<benchmark>[/<fraction>/seed<f>]/metrics.json"
        )
    task_of(match["benchmark"])
    seed = match["finetune_seed"]
    return Run(
        match["paper"],
        match["variant"],
        int(match["pretrain_seed"]),
        match["benchmark"],
        match["fraction"] or "",
        None if seed is None else int(seed),
    )


def collect(paths: Iterable[str | Path]) -> pa.Table:
    """Read metrics and, beside each, its bootstrap replicates; sorted by run, metric and label.

    :class:`InputError` names the first file that is missing, malformed or given twice.
    """
    rows: list[dict[str, Any]] = []
    runs: dict[Run, str] = {}
    for path in paths:
        run = run_of(path)
        if run in runs:
            raise InputError(f"{path}: the same run as {runs[run]}; give each once")
        runs[run] = str(path)
        rows += _read_run(Path(path), run)
    keys = ("paper", "variant", "pretrain_seed", "benchmark", "fraction", "finetune_seed", "metric", "label")
    rows.sort(key=lambda row: tuple((row[key] is not None, row[key]) for key in keys))
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def write(table: pa.Table, path: str | Path) -> None:
    """Write the table as Parquet; equal tables are equal bytes."""
    with written_whole(path) as partial:
        parquet.write_table(table, partial, compression="zstd", row_group_size=4096)


def read(path: str | Path) -> pa.Table:
    """Read what :func:`write` wrote; :class:`InputError` where the file is missing or another kind of table."""
    try:
        table = parquet.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{path}: cannot be read ({type(error).__name__}); make it with collect_metrics") from None
    if table.schema.names != SCHEMA.names:
        raise InputError(f"{path}: the columns are not those of collect_metrics; make it again")
    return table


def _read_run(path: Path, run: Run) -> list[dict[str, Any]]:
    content = read_json(path)
    entries = content.get("rows") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not entries:
        raise InputError(f"{path}: no rows; delete it and score again")
    replicates = _read_replicates(path.with_name("bootstrap.npz"))
    place = {name: getattr(run, name) for name in Run.__dataclass_fields__}
    predictions = path.with_name("predictions.parquet").as_posix()
    return [place | {"predictions": predictions} | _number(path, entry, replicates) for entry in entries]


def _number(path: Path, entry: Any, replicates: Mapping[str, NDArray[np.float32]]) -> dict[str, Any]:
    """One checked row of a metrics file; a value that is not defined (no positive film) stays null."""
    try:
        name = f"{entry['metric']}/{entry['label']}"
        row = {key: _number_of(entry["metric"], entry[key]) for key in ("value", "low", "high")}
        row |= {key: None if entry[key] is None else int(entry[key]) for key in ("num_images", "num_positive")}
        row["num_labels"] = int(entry["num_labels"]) if "num_labels" in entry else None
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: a row is malformed ({error}); delete it and score again") from None
    if row["value"] is not None and name not in replicates:
        raise InputError(f"{path.with_name('bootstrap.npz')}: no replicates of {name}; delete it and score again")
    return row | {"metric": entry["metric"], "label": entry["label"], "replicates": replicates.get(name, ())}


def _number_of(metric: str, value: Any) -> float | None:
    """A metric, in 0..1 unless it is one without bounds; or None for null and NaN."""
    if value is None or float(value) != float(value):
        return None
    if not (0 <= float(value) <= 1 or (metric in _UNBOUNDED and abs(float(value)) < float("inf"))):
        raise ValueError(f"{value} is not within 0..1")
    return float(value)


def _read_replicates(path: Path) -> dict[str, NDArray[np.float32]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: np.asarray(archive[name], np.float32) for name in archive.files}
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; it stands beside each metrics.json, score again") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: damaged ({type(error).__name__}); delete it and score again") from None
