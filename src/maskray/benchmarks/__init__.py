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

from maskray.benchmarks.films import measure_ridge, measure_shards
from maskray.benchmarks.machine import load_now, machine, versions
from maskray.benchmarks.measure import FOR_GPU, Row, Sizes
from maskray.benchmarks.memory import Peak, measure_memory
from maskray.benchmarks.probes import measure_probes
from maskray.benchmarks.projection import project
from maskray.benchmarks.reading import measure_reading
from maskray.benchmarks.reports import measure_reports
from maskray.benchmarks.starts import measure_starts
from maskray.benchmarks.steps import measure_steps
from maskray.benchmarks.training import demo_trainings, full_trainings, measure_training
from maskray.errors import InputError

_log = logging.getLogger(__name__)
Parts = dict[str, Callable[[Path], list[Row]]]


def run_all(top: Path, seconds_per_part: float, sizes: Sizes | None = None, on_gpu: bool = False) -> dict[str, Any]:
    """Measure everything, on one thread but for the steps at the papers' size.

    :func:`maskray.benchmarks.table.render` gives the answer as text.

    Args:
        top: the repository, for the settings of the demo.
        seconds_per_part: a comparison is repeated until this time is over, and a few times at least.
        sizes: how much work each repeat is; made smaller in tests.
        on_gpu: measure what a GPU does instead, beside the same peers.

    Returns:
        date (UTC), seconds, load before the start, machine, versions, rows, projections, memory: all plain values.

    Raises:
        InputError: ``on_gpu`` without one.
    """
    if on_gpu and not torch.cuda.is_available():
        raise InputError("no GPU that torch can use; make bench measures the CPU")
    started, load_before = time.time(), load_now()
    parts = _parts_on_gpu(top, seconds_per_part, sizes) if on_gpu else _parts(top, seconds_per_part, sizes or Sizes())
    rows: list[Row] = []
    peaks: list[Peak] = []
    torch.set_num_threads(1)
    with threadpool_limits(1):
        for name, measure in parts.items():
            _log.info("measuring: %s", name)
            with tempfile.TemporaryDirectory(prefix="maskray-benchmark-") as folder:
                rows += measure(Path(folder))
        if not on_gpu:
            _log.info("measuring: memory")
            with tempfile.TemporaryDirectory(prefix="maskray-benchmark-") as folder:
                peaks = measure_memory(Path(folder), top, sizes or Sizes())
    return {
        "schema_version": 2,
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(started)),
        "seconds": round(time.time() - started),
        "load_before": load_before,
        "machine": machine(),
        "versions": versions(),
        "rows": [row.as_values() for row in rows],
        "projections": [each.as_values() for each in project(rows, top)],
        "memory": [peak.as_values() for peak in peaks],
    }


def _parts(top: Path, seconds: float, sizes: Sizes) -> Parts:
    cpu = torch.device("cpu")
    return {
        "ridge filter": lambda _: measure_ridge(sizes, seconds, cpu),
        "films to shards": lambda folder: measure_shards(folder, sizes, seconds),
        "reading": lambda folder: measure_reading(folder, sizes, seconds),
        "reports": lambda _: measure_reports(sizes, seconds),
        "starts": lambda folder: measure_starts(folder, top, seconds) if sizes.measures_starts else [],
        "probes": lambda folder: measure_probes(folder, sizes, seconds),
        "steps": lambda _: measure_steps(top, sizes, seconds, cpu),
        # From the probes on torch is deterministic for the rest of the process.
        "training": lambda folder: measure_training(folder, demo_trainings(top, sizes)),
    }


def _parts_on_gpu(top: Path, seconds: float, sizes: Sizes | None) -> Parts:
    sizes, gpu = sizes or FOR_GPU, torch.device("cuda")
    return {
        "ridge filter": lambda _: measure_ridge(sizes, seconds, gpu),
        "steps": lambda _: measure_steps(top, sizes, seconds, gpu),
        "training": lambda folder: measure_training(folder, full_trainings(top, sizes)),
    }
