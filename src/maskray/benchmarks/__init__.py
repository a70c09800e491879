"""How fast maskray is beside what people use today: measured on made films and reports, so that it runs anywhere."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from maskray.benchmarks.films import measure_reading, measure_ridge, measure_shards
from maskray.benchmarks.machine import load_now, machine, versions
from maskray.benchmarks.measure import Row, Sizes
from maskray.benchmarks.reports import measure_reports
from maskray.benchmarks.steps import measure_steps
from maskray.benchmarks.training import measure_training

_log = logging.getLogger(__name__)


def run_all(top: Path, seconds_per_part: float, sizes: Sizes | None = None) -> dict[str, Any]:
    """Measure everything on one thread; see :func:`maskray.benchmarks.table.render` for the answer as text.

    Args:
        top: the repository, for the settings of the demo.
        seconds_per_part: a comparison is repeated until this time is over, and a few times at least.
        sizes: how much work each repeat is; made smaller in tests.

    Returns:
        date (UTC), seconds, load before the start, machine, versions, rows: all plain values.
    """
    sizes = sizes or Sizes()
    started, load_before = time.time(), load_now()
    parts: dict[str, Callable[[Path], list[Row]]] = {
        "ridge filter": lambda _: measure_ridge(sizes, seconds_per_part),
        "films to shards": lambda folder: measure_shards(folder, sizes, seconds_per_part),
        "reading": lambda folder: measure_reading(folder, sizes, seconds_per_part),
        "reports": lambda _: measure_reports(sizes, seconds_per_part),
        "steps": lambda _: measure_steps(top, sizes, seconds_per_part),
        # Last: it makes torch deterministic for the rest of the process.
        "training": lambda folder: measure_training(folder, top, sizes),
    }
    rows: list[Row] = []
    torch.set_num_threads(1)
    with threadpool_limits(1):
        for name, measure in parts.items():
            _log.info("measuring: %s", name)
            with tempfile.TemporaryDirectory(prefix="maskray-benchmark-") as folder:
                rows += measure(Path(folder))
    return {
        "schema_version": 1,
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(started)),
        "seconds": round(time.time() - started),
        "load_before": load_before,
        "machine": machine(),
        "versions": versions(),
        "rows": [row.as_values() for row in rows],
    }
