"""``predictions.parquet`` of the benchmarks that measure items one by one: queries, phrases with boxes, films.

Columns: item_id, patient_id, label, then ``value_<measure>`` for each measure; rows sorted by item_id. A measure is
named after its metric; ``<metric>/<condition>`` is the same metric under another condition (``miou/tau=0.2``), of which
only the means over all items and over labels are scored. Shapes: N items.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from maskray.errors import InputError
from maskray.files import written_whole

KIND = "measurements"
"""What the metadata of such a file say that it is."""
_KEYS = ("item_id", "patient_id", "label")
_PREFIX = "value_"


@dataclass(frozen=True)
class Measurements:
    """Each measured item of the test part of one run.

    Attributes:
        labels: what an item shows, one each; "" where there is nothing to tell items apart by.
        values: measure -> float32 [N]; NaN = not measured on this item.
        settings: what else belongs to these numbers (number of candidates, temperature); plain JSON values.
    """

    item_ids: Sequence[str]
    patient_ids: Sequence[str]
    labels: Sequence[str]
    values: Mapping[str, NDArray[np.floating]]
    settings: Mapping[str, Any]


def write_measurements(path: str | Path, measurements: Measurements) -> None:
    """Write sorted by item, whole or not at all; equal measurements are equal bytes, whatever their order."""
    _check(path, measurements)
    order = sorted(range(len(measurements.item_ids)), key=lambda row: measurements.item_ids[row])
    lists = (measurements.item_ids, measurements.patient_ids, measurements.labels)
    columns = {key: pa.array([values[i] for i in order], pa.string()) for key, values in zip(_KEYS, lists, strict=True)}
    for name, values_N in measurements.values.items():
        columns[_PREFIX + name] = pa.array(np.asarray(values_N, np.float32)[order], pa.float32())
    notes = json.dumps({"kind": KIND, "settings": dict(measurements.settings)}, sort_keys=True, allow_nan=False)
    table = pa.table(columns).replace_schema_metadata({b"maskray": notes})
    with written_whole(path) as partial:
        parquet.write_table(table, partial, compression="zstd")


def read_measurements(path: str | Path) -> Measurements:
    """Read and check; :class:`InputError` names the file and what is wrong in it."""
    try:
        # A single file: no partition columns from folder names such as seed=0.
        table = parquet.ParquetFile(path).read()
        notes = json.loads((table.schema.metadata or {}).get(b"maskray", b"{}"))
        item_ids, patient_ids, labels = (table[key].cast(pa.string()).to_pylist() for key in _KEYS)
        values = {
            name.removeprefix(_PREFIX): np.array(table[name].cast(pa.float32()).to_pylist(), np.float32)
            for name in table.column_names
            if name not in _KEYS
        }
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; run the benchmark first") from None
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise InputError(f"{path}: not a file of measurements ({type(error).__name__}); make it again") from None
    if notes.get("kind") != KIND:
        raise InputError(f"{path}: not a file of measurements, as its metadata say; make it again")
    measurements = Measurements(item_ids, patient_ids, labels, values, notes["settings"])
    _check(path, measurements)
    return measurements


def holds_measurements(path: str | Path) -> bool:
    """True where the metadata of a file say so; a file that cannot be read is left to its reader to complain about."""
    try:
        metadata = parquet.read_schema(path).metadata or {}
        return json.loads(metadata.get(b"maskray", b"{}")).get("kind") == KIND
    except (OSError, pa.ArrowException, ValueError):
        return False


def _check(path: str | Path, measurements: Measurements) -> None:
    """Refuse what scoring would silently get wrong."""
    ids = measurements.item_ids
    if not len(ids) or not measurements.values:
        raise InputError(f"{path}: nothing was measured; is there any item in the test part?")
    if None in ids or len(set(ids)) != len(ids):
        raise InputError(f"{path}: an item_id is missing or stands twice; make it again")
    for name, column in (("patient_id", measurements.patient_ids), ("label", measurements.labels)):
        if len(column) != len(ids) or None in column:
            raise InputError(f"{path}: column {name}: each of the {len(ids)} items needs one; make it again")
    for name, values_N in measurements.values.items():
        if np.shape(values_N) != (len(ids),) or np.isinf(values_N).any():
            raise InputError(
                f"{path}: column {_PREFIX}{name}: {len(ids)} numbers are needed, finite or missing; make it again"
            )
