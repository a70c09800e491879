"""Collecting shards: is everything there, how much could not be read, and what exactly do the shards hold?"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from maskray.data.shard_store import (
    REJECTED_COLUMNS,
    SCHEMA_VERSION,
    digest_of,
    opened_shard,
    read_ids_and_checksums,
)
from maskray.errors import InputError
from maskray.files import hash_of, write_json, written_whole

_NUM_NAMED = 10


def collect_shards(
    shards: Sequence[Path],
    rejected: Sequence[Path],
    index: pd.DataFrame,
    max_rejected_fraction: float,
    manifest: Path,
    all_rejected: Path,
) -> None:
    """Write the manifest of all parts and the list of all films that could not be read.

    Args:
        shards: all parts, in any order.
        rejected: the list of each part, in any order.
        index: from :func:`maskray.data.shard_store.read_index_of_films`.
        max_rejected_fraction: of the films of the index.
        manifest: the JSON to write; the names of the parts in it are relative to its folder.
        all_rejected: the CSV to write.

    Raises:
        InputError: a part is missing, damaged or made with other settings; a film is in no part; or more films than
            tolerated could not be read. Nothing is written then.
    """
    parts = sorted((_read_part(path) for path in shards), key=lambda part: part["part"])
    _check_parts(parts)
    rejections = pd.concat([_read_rejected(path) for path in rejected], ignore_index=True)
    ids = [image_id for part in parts for image_id in part["ids"]]
    _check_nothing_is_lost(index, ids, rejections, parts[0]["path"].parent)
    _check_rejected(rejections, index, max_rejected_fraction, rejected)
    value = _manifest(parts, ids, len(rejections), manifest.parent)
    with written_whole(all_rejected) as partial:
        rejections.to_csv(partial, index=False, lineterminator="\n")
    write_json(manifest, value)


def _read_part(path: Path) -> dict[str, Any]:
    ids, checksums = read_ids_and_checksums(path)
    with opened_shard(path) as file:
        attributes = {name: file.attrs[name] for name in ("settings", "dataset", "part", "num_parts")}
    return attributes | {"path": path, "ids": ids, "checksums": checksums.tolist()}


def _check_parts(parts: Sequence[dict[str, Any]]) -> None:
    first = parts[0]
    for part in parts:
        for name in ("settings", "num_parts"):
            if part[name] != first[name]:
                raise InputError(
                    f"{part['path']}: made with other {name} than {first['path']}; delete the older and run again"
                )
    found, expected = [int(part["part"]) for part in parts], list(range(first["num_parts"]))
    if found != expected:
        raise InputError(f"{first['path'].parent}: expected the parts {expected}, got {found}")


def _read_rejected(path: Path) -> pd.DataFrame:
    try:
        rejections = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; run shard_images") from None
    except ValueError as error:
        raise InputError(f"{path}: damaged ({type(error).__name__}); delete it and run again") from None
    if tuple(rejections.columns) != REJECTED_COLUMNS:
        raise InputError(f"{path}: expected the columns {', '.join(REJECTED_COLUMNS)}; delete it and run again")
    return rejections


def _check_nothing_is_lost(index: pd.DataFrame, ids: Sequence[str], rejections: pd.DataFrame, folder: Path) -> None:
    """Every film of the index is in exactly one shard or rejected, and no other film is."""
    found = pd.Series([*ids, *rejections["image_id"]], dtype=object)
    problems = {
        "in no shard": set(index["image_id"]) - set(found),
        "not in the index": set(found) - set(index["image_id"]),
        "there twice": set(found[found.duplicated()]),
    }
    for problem, films in problems.items():
        if films:
            named = ", ".join(sorted(films)[:_NUM_NAMED])
            raise InputError(
                f"{folder}: {len(films)} films are {problem}, e.g. {named}; the index has changed since the shards "
                "were made: delete them and run again"
            )


def _check_rejected(
    rejections: pd.DataFrame, index: pd.DataFrame, max_rejected_fraction: float, lists: Sequence[Path]
) -> None:
    num_films, num_rejected = len(index), len(rejections)
    if not num_rejected or (num_rejected <= max_rejected_fraction * num_films and num_rejected < num_films):
        return
    named = "; ".join(f"{row.path}: {row.reason}" for row in rejections.head(_NUM_NAMED).itertuples())
    lists_of_parts = lists[0] if len(lists) == 1 else f"{lists[0]} and its {len(lists) - 1} siblings"
    if num_rejected == num_films:
        raise InputError(
            f"none of the {num_films} films could be read: the site folder of the data set is probably wrong, or the "
            f"index belongs to another copy of it ({named})"
        )
    raise InputError(
        f"{num_rejected} of {num_films} films could not be read, more than images.max_rejected_fraction = "
        f"{max_rejected_fraction:g} allows ({named}{'; …' if num_rejected > _NUM_NAMED else ''}). All are listed in "
        f"{lists_of_parts}. Mend the files, delete their parts and run again; or, to go on without them, set "
        f"images.max_rejected_fraction to at least {num_rejected / num_films:.4g}"
    )


def _manifest(parts: Sequence[dict[str, Any]], ids: Sequence[str], num_rejected: int, folder: Path) -> dict[str, Any]:
    settings, dataset = json.loads(parts[0]["settings"]), max(part["dataset"] for part in parts)
    checksums = [checksum for part in parts for checksum in part["checksums"]]
    return {
        "schema_version": SCHEMA_VERSION,
        "dataset": dataset,
        "settings": settings,
        "parts": [
            {
                "file": os.path.relpath(part["path"], folder),
                "num_images": len(part["ids"]),
                "sha256_of_checksums": digest_of(part["ids"], part["checksums"]),
            }
            for part in parts
        ],
        "num_images": len(ids),
        "num_rejected": num_rejected,
        "hash": hash_of({"dataset": dataset, "settings": settings, "films": digest_of(ids, checksums)}),
    }
