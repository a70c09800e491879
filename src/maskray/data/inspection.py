"""What there is of a data set in its site folder, before anything is computed from it.

Everything is found by the shipped reader, so that what is said here is what a run would meet. Nothing is guessed: a
partial copy is called one because the counts of a complete copy are known.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from maskray.config.dataset import DatasetConfig
from maskray.config.stages import CheckDataStage
from maskray.config.workflow import SiteConfig, SiteFolders
from maskray.data import index as index_module
from maskray.data.film_files import FilmFiles, check_films
from maskray.data.index import label_column, labels_in
from maskray.data.registry import reader_of
from maskray.data.site import Site
from maskray.errors import InputError

State = Literal[
    "complete", "partial", "differs", "found", "made", "not configured", "cannot be read", "too many bad films"
]
BAD_STATES = ("cannot be read", "too many bad films")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Count:
    """How many there are, and how many a complete copy has (None where nobody says)."""

    what: str
    found: int
    expected: int | None


@dataclass(frozen=True)
class LabelCount:
    """Images by what is stated of one label."""

    label: str
    positive: int
    negative: int
    not_stated: int


@dataclass(frozen=True)
class ReportCount:
    """Reports, and studies of the index that have none; or the problem for which they cannot be read."""

    reports: int = 0
    studies: int = 0
    studies_without: int = 0
    problem: str = ""


@dataclass(frozen=True)
class Inspection:
    """One data set of a run. What comes after ``notes`` is empty where the data set is not there or cannot be read.

    Attributes:
        folder: the site folder, "" where none is named.
        problem: why it cannot be used, with the remedy.
        notes: what the reader warned of.
        views: view -> images, "" where it is not stated; likewise ``parts``.
        marks: boxes, run-length masks, mask pictures -> images that have them.
    """

    dataset: DatasetConfig
    state: State
    folder: str = ""
    problem: str = ""
    notes: tuple[str, ...] = ()
    counts: tuple[Count, ...] = ()
    labels: tuple[LabelCount, ...] = ()
    views: dict[str, int] | None = None
    parts: dict[str, int] | None = None
    marks: dict[str, int] | None = None
    films: FilmFiles | None = None
    reports: ReportCount | None = None

    @property
    def is_bad(self) -> bool:
        """True where a folder is named and a run would stop at it."""
        return self.state in BAD_STATES


def inspect_all(stage: CheckDataStage, sites: SiteConfig) -> list[Inspection]:
    """Look at each data set of a run, in its order."""
    found = []
    for name, dataset in stage.datasets.items():
        folders = sites.site.get(name, SiteFolders()).model_dump()
        found.append(inspect(dataset, {key: Path(path) if path else None for key, path in folders.items()}, stage))
        log.info("%s: %s", name, found[-1].state)
    return found


def inspect(dataset: DatasetConfig, site: Site, stage: CheckDataStage) -> Inspection:
    """Look at one data set; whatever is wrong with it is part of the answer and stops nothing."""
    if empty := _not_named(dataset, site):
        return Inspection(dataset, "not configured", problem=f"no folder is named in {' and '.join(empty)}")
    folder = Path(str(site["folder"]))
    log.info("%s: reading its tables", dataset.name)
    with _warnings_of(dataset) as notes:
        try:
            index = reader_of(dataset).read_index(site, dataset)
        except (InputError, OSError) as error:
            return Inspection(dataset, "cannot be read", str(folder), str(error), tuple(dict.fromkeys(notes)))
        reports = _reports(dataset, site, index)
    log.info("%s: reading the headers of %d films", dataset.name, len(index))
    films = check_films(
        folder,
        index["path"].tolist(),
        [mask for mask in index["mask"] if mask],
        decode=stage.check_data.decode,
        seed=stage.check_data.seed,
        max_pixels=stage.images.max_pixels,
        threads=stage.threads,
    )
    counts = _counts(index, dataset)
    state, problem = _state(dataset, site, counts, films, reports, stage)
    return Inspection(
        dataset,
        state,
        str(folder),
        problem,
        tuple(dict.fromkeys(notes)),
        counts,
        tuple(_label_count(index, label) for label in labels_in(index)),
        _tally(index["view"]),
        _tally(index["official_part"]),
        {what: int((index[what] != "").sum()) for what in ("boxes", "rle", "mask")},
        films,
        reports,
    )


def _not_named(dataset: DatasetConfig, site: Site) -> list[str]:
    """The keys of the site section that are empty and must not be."""
    wanted = {f"site.{dataset.images_of or dataset.name}.folder": "folder"}
    if dataset.images_of is not None:
        wanted[f"site.{dataset.name}.annotations"] = "annotations"
    return [key for key, name in wanted.items() if site.get(name) is None]


@contextmanager
def _warnings_of(dataset: DatasetConfig) -> Iterator[list[str]]:
    """Collect what a reader warns of while it goes on logging it. Completeness is counted here, not quoted."""
    messages: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.name != index_module.__name__:
                messages.append(record.getMessage().removeprefix(f"{dataset.name}: "))

    collector = Collector(logging.WARNING)
    logger = logging.getLogger("maskray")
    logger.addHandler(collector)
    try:
        yield messages
    finally:
        logger.removeHandler(collector)


def _counts(index: pd.DataFrame, dataset: DatasetConfig) -> tuple[Count, ...]:
    columns = {"images": "image_id", "patients": "patient_id", "studies": "study_id"}
    expected = None if dataset.made else dataset.expected
    return tuple(
        Count(what, index[column].nunique(), getattr(expected, what) if expected else None)
        for what, column in columns.items()
    )


def _label_count(index: pd.DataFrame, label: str) -> LabelCount:
    values = index[label_column(label)]
    return LabelCount(label, int((values == 1).sum()), int((values == 0).sum()), int(values.isna().sum()))


def _tally(values: pd.Series) -> dict[str, int]:
    """Value -> rows, the most frequent first."""
    counts = values.value_counts()
    return {str(value): int(counts[value]) for value in sorted(counts.index, key=lambda v: (-counts[v], v))}


def _reports(dataset: DatasetConfig, site: Site, index: pd.DataFrame) -> ReportCount | None:
    """Count the reports, and the studies that have none; None where the data set has no reports."""
    reader = reader_of(dataset)
    if not dataset.has_reports or not hasattr(reader, "read_reports"):
        return None
    log.info("%s: counting its reports", dataset.name)
    try:
        studies = {study for study, _ in reader.read_reports(site, dataset)}
    except (InputError, OSError) as error:
        return ReportCount(problem=str(error))
    wanted = set(index["study_id"])
    return ReportCount(len(studies), len(wanted), len(wanted - studies))


def _state(
    dataset: DatasetConfig,
    site: Site,
    counts: tuple[Count, ...],
    films: FilmFiles,
    reports: ReportCount | None,
    stage: CheckDataStage,
) -> tuple[State, str]:
    """The state of a data set that could be read, and the problem where it is a bad one."""
    if reports is not None and reports.problem and site.get("reports") is not None:
        return "cannot be read", reports.problem
    num_bad = len({path for path, _ in (*films.unreadable, *films.damaged)})
    limit = stage.images.max_rejected_fraction
    if num_bad > limit * films.num_files:
        return "too many bad films", (
            f"{num_bad} of {films.num_files} film files cannot be used, more than images.max_rejected_fraction ="
            f" {limit:g} allows; fetch them again"
        )
    if dataset.made:
        return "made", ""
    known = [(count.found, count.expected) for count in counts if count.expected is not None]
    if not known:
        return "found", ""
    if any(found < expected for found, expected in known):
        return "partial", ""
    return ("complete" if all(found == expected for found, expected in known) else "differs"), ""
