"""The reports of a data set, whichever reader knows its layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from maskray.config.dataset import DatasetConfig
from maskray.data.registry import reader_of
from maskray.errors import InputError


def reports_of(dataset: DatasetConfig, site: Mapping[str, Path | None]) -> Callable[[], Iterator[tuple[str, str]]]:
    """A function that gives (study id, text) of every report anew; :class:`InputError` where the data set has none."""
    reader = reader_of(dataset)
    if not dataset.has_reports or not hasattr(reader, "read_reports"):
        raise InputError(f"{dataset.name} has no reports: its settings or its reader say so (has_reports, reader)")
    return partial(reader.read_reports, site, dataset)


def report_of(dataset: DatasetConfig, site: Mapping[str, Path | None], study: str) -> str:
    """The report of one study; :class:`InputError` where there is none."""
    found = next((text for each, text in reports_of(dataset, site)() if each == study), None)
    if found is None:
        raise InputError(f"{dataset.name}: no report of a study '{study}' (--study); index.parquet lists the studies")
    return found
