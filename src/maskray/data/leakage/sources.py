"""The splits in use, as the workflow has them: index, split, shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from maskray.config.leakage import CheckedSplit
from maskray.data.index import load_index
from maskray.data.leakage.films import Films, pictures_of
from maskray.data.shard_store import ImageStore
from maskray.data.splits import read_split
from maskray.errors import InputError


@dataclass(frozen=True)
class SplitFiles:
    """The files of one data set under one protocol; no split: the whole index; no manifest: names alone."""

    index: Path
    split: Path | None = None
    manifest: Path | None = None


def read_films(files: SplitFiles, split: CheckedSplit) -> pd.DataFrame:
    """image_id, part, key, same_as and person of the films of a split; of the whole index the part is ""."""
    index = load_index(files.index)
    table = _keyed(index[["image_id", "same_as", "person"]], split.owner)
    if files.split is None:
        return table.assign(part="")
    parts = read_split(files.split)[["image_id", "part"]]
    strangers = ~parts["image_id"].isin(table["image_id"])
    if strangers.any():
        raise InputError(f"{files.split}: {strangers.sum()} images are not in {files.index}; split the data set again")
    return table.merge(parts, on="image_id")


def read_bridges(paths: Sequence[Path], owners: Sequence[str]) -> list[pd.DataFrame]:
    """Indexes that lead from films of one data set to films of another."""
    return [_keyed(load_index(path), owner) for path, owner in zip(paths, owners, strict=True)]


def with_pictures(name: str, table: pd.DataFrame, files: SplitFiles) -> Films:
    """The films of a table, with their pictures where there are shards."""
    if files.manifest is None:
        return Films(name, table)
    return Films(name, table, pictures_of(ImageStore(files.manifest.parent), table["image_id"]))


def _keyed(index: pd.DataFrame, owner: str) -> pd.DataFrame:
    return index.assign(key=f"{owner}/" + index["image_id"])
