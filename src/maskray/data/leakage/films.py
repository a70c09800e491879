"""Films and the people on them, under names that hold across data sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from maskray.data.shard_store import ImageStore
from maskray.images.fingerprint import SIDE_PX, shrink


@dataclass(frozen=True)
class Pictures:
    """How films look. Shapes: N films, B of them.

    Attributes:
        fingerprints_N: uint8 [N, 32]; zeros where there is no picture.
        is_there_N: bool [N]; False where a film could not be read or found.
        shrunk: rows [B] -> the films at 64 px, float32 [B, 64, 64].
    """

    fingerprints_N: NDArray[np.uint8]
    is_there_N: NDArray[np.bool_]
    shrunk: Callable[[NDArray[np.int64]], NDArray[np.float32]]

    def at(self, rows: NDArray[np.int64]) -> Pictures:
        """Those of some rows."""
        return Pictures(
            self.fingerprints_N[rows], self.is_there_N[rows], lambda chosen: self.shrunk(np.asarray(rows)[chosen])
        )


@dataclass(frozen=True)
class Films:
    """Films of one list, part or data set.

    Attributes:
        name: as messages call them.
        table: image_id, film and person, a row a film; ``film`` and ``person`` are numbers, equal for equal films and
            people in all tables that were identified together.
        pictures: in the order of the rows; None where pictures are not compared.
    """

    name: str
    table: pd.DataFrame
    pictures: Pictures | None = None

    def __len__(self) -> int:
        return len(self.table)

    def where(self, is_kept: pd.Series | NDArray[np.bool_], name: str | None = None) -> Films:
        """Some of the films."""
        rows = np.flatnonzero(np.asarray(is_kept))
        pictures = None if self.pictures is None else self.pictures.at(rows)
        return replace(self, name=name or self.name, table=self.table.iloc[rows], pictures=pictures)


def identify(tables: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """Number films and people so that equal ones have equal numbers, in all tables.

    A film is equal to the film that it is ``same_as``, along chains of any length; people are equal where they have one
    name or are on one film.

    Args:
        tables: with the columns key (of the film, "<data set>/<image>"), same_as (such a key, or "") and person.

    Returns:
        The same tables with the columns film and person as numbers.
    """
    rows = pd.concat([table[["key", "same_as", "person"]] for table in tables], ignore_index=True)
    num_rows = len(rows)
    other = rows["same_as"].where(rows["same_as"] != "", rows["key"])
    nodes, _ = pd.factorize(pd.concat([rows["key"], other, "person " + rows["person"]], ignore_index=True))
    keys, others, people = nodes[:num_rows], nodes[num_rows : 2 * num_rows], nodes[2 * num_rows :]
    films = _components(keys, others)
    persons = _components(np.concatenate([keys, keys]), np.concatenate([others, people]))
    numbered = rows.assign(film=films[keys], person=persons[keys])
    ends = np.cumsum([len(table) for table in tables])
    return [
        table.assign(
            film=numbered["film"].to_numpy()[end - len(table) : end],
            person=numbered["person"].to_numpy()[end - len(table) : end],
        )
        for table, end in zip(tables, ends, strict=True)
    ]


def pictures_of(store: ImageStore, image_ids: Sequence[str]) -> Pictures:
    """The pictures of the films as the shards have them."""
    ids = np.asarray(image_ids, dtype=object)
    is_there = np.array([image_id in store for image_id in ids], dtype=bool)
    fingerprints = np.zeros((len(ids), 32), np.uint8)
    fingerprints[is_there] = store.read_fingerprints(ids[is_there])

    def shrunk(rows: NDArray[np.int64]) -> NDArray[np.float32]:
        chosen = ids[rows].tolist()
        films = zip(store.read_images(chosen), store.read_contents(chosen), strict=True)
        return np.array([shrink(image, content) for image, content in films]).reshape(-1, SIDE_PX, SIDE_PX)

    return Pictures(fingerprints, is_there, shrunk)


def _components(left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int32]:
    """Number of the connected component of each node; ``left`` and ``right`` are the ends of the edges."""
    num_nodes = int(max(left.max(initial=-1), right.max(initial=-1))) + 1
    edges = coo_matrix((np.ones(len(left), np.int8), (left, right)), shape=(num_nodes, num_nodes))
    return connected_components(edges, directed=False)[1]
