"""The site folder of a data set: which files are there, and which are not."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from maskray.config.dataset import DatasetConfig
from maskray.errors import InputError

Site = Mapping[str, Path | None]
LISTING_THREADS = 16  # Listing waits for the file server, not for the processor.

log = logging.getLogger(__name__)


def site_folder(site: Site, dataset: DatasetConfig, key: str = "folder") -> Path:
    """The folder that the user named; :class:`InputError` where it is not named or not there."""
    folder = site.get(key)
    if folder is None:
        raise InputError(f"{dataset.name}: no {key} is given; {dataset.title}: {dataset.access}")
    if not Path(folder).is_dir():
        raise InputError(f"{folder}: no such folder; {dataset.title}: {dataset.access}")
    return Path(folder)


def require(folder: Path, names: Sequence[str], what: str, dataset: DatasetConfig) -> Path:
    """The first of ``names`` that lies in ``folder``; :class:`InputError` says what is missing and where to get it."""
    for name in names:
        if (folder / name).exists():
            return folder / name
    raise InputError(f"{folder / names[0]}: missing: {what}. {dataset.title}: {dataset.access}")


def files_under(root: Path, suffixes: Sequence[str], start: Path) -> list[str]:
    """Paths, relative to ``root``, of the files below ``start`` with one of ``suffixes``, sorted."""
    found = []
    for folder, _, names in os.walk(start):
        below = "" if Path(folder) == Path(root) else os.path.relpath(folder, root)
        found += [os.path.join(below, name) for name in names if name.lower().endswith(tuple(suffixes))]
    return sorted(found)


def files_by_name(root: Path, suffixes: Sequence[str], starts: Iterable[Path]) -> dict[str, str]:
    """Name -> path relative to ``root`` of the files below ``starts``; a name in two places is an InputError."""
    files: dict[str, str] = {}
    for path in (path for start in starts for path in files_under(root, suffixes, start)):
        name = os.path.basename(path)
        if name in files:
            raise InputError(f"{root / path}: this image lies in {root / files[name]} too; delete one")
        files[name] = path
    return files


def rows_with_files(rows: pd.DataFrame, folder: Path, dataset: DatasetConfig) -> pd.DataFrame:
    """The rows whose ``path`` lies in ``folder``; the number left out is logged, with up to five examples."""
    places = [os.path.split(path) for path in rows["path"]]
    listed = names_in(folder, (parent for parent, _ in places))
    is_there = [name in listed[parent] for parent, name in places]
    return left_out(rows, pd.Series(is_there, index=rows.index, dtype=bool), folder, dataset)


def names_in(root: Path, folders: Iterable[str]) -> dict[str, set[str]]:
    """Folder -> the names in it, for each distinct one of ``folders`` below ``root``; none where it is not there."""
    distinct = sorted(set(folders))
    # A task a thread: one a folder costs more than the listing itself.
    shares = [distinct[thread::LISTING_THREADS] for thread in range(LISTING_THREADS)]
    with ThreadPoolExecutor(LISTING_THREADS) as pool:
        listed = pool.map(lambda share: {folder: _names_in(os.path.join(root, folder)) for folder in share}, shares)
        return {folder: names for of_share in listed for folder, names in of_share.items()}


def left_out(rows: pd.DataFrame, is_there: pd.Series, folder: Path, dataset: DatasetConfig) -> pd.DataFrame:
    """The rows that have a file; none at all is an :class:`InputError`."""
    missing = rows.loc[~is_there, "image_id"]
    if len(missing):
        log.warning(
            "%s: %d of %d rows have no image file in %s and are left out, e.g. %s",
            dataset.name, len(missing), len(rows), folder, examples(missing),
        )  # fmt: skip
    if len(rows) and len(missing) == len(rows):
        raise InputError(
            f"{folder}: none of the {len(rows)} images of the tables is there, e.g. {examples(missing)}."
            f" {dataset.title}: {dataset.access}"
        )
    return rows[is_there]


def report_unlisted(files: Iterable[str], listed: Iterable[str], table: Path, dataset: DatasetConfig) -> None:
    """Log how many image files no row of ``table`` speaks of, with up to five examples."""
    unlisted = sorted(set(files) - set(listed))
    if unlisted:
        log.warning(
            "%s: %d image file(s) have no row in %s and are not used, e.g. %s",
            dataset.name, len(unlisted), table, examples(unlisted),
        )  # fmt: skip


def examples(names: Iterable[str]) -> str:
    """Up to five of the names, for a log line."""
    return ", ".join(sorted(names)[:5])


def _names_in(folder: str) -> set[str]:
    try:
        return set(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return set()
