"""Reading shards (films by image id, in any order) and the lists that they are made from.

Shapes: B films asked for, S side of the square film.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskray.config.preprocessing import ImagesConfig
from maskray.errors import InputError
from maskray.files import read_json

SCHEMA_VERSION = 2
MANIFEST_NAME = "manifest.json"
REJECTED_COLUMNS = ("image_id", "path", "reason")


@dataclass(frozen=True)
class _OpenShard:
    """An open file, with what every read needs looked up once."""

    file: h5py.File
    images: h5py.h5d.DatasetID
    ridge: h5py.h5d.DatasetID
    checksums: NDArray[np.uint32]


class ImageStore:
    """The films and ridge responses of one data set, as its manifest lists them.

    May be copied to other processes, by fork or by pickle: every process opens its own files, when it first needs
    them.

    Attributes:
        image_ids: all ids, in the order of the shards.
        settings: how the shards were made.
        size_px: side of the films.
        manifest_hash: equal for equal ids, films and settings, however many shards hold them.
    """

    def __init__(self, folder: Path):
        """Read the manifest and the ids; :class:`InputError` if a shard is missing, damaged or not the listed one."""
        self._folder = Path(folder)
        path = self._folder / MANIFEST_NAME
        manifest = read_manifest(path)
        self.settings = ImagesConfig.parse(manifest["settings"], path)
        self.size_px = self.settings.size_px
        self.manifest_hash: str = manifest["hash"]
        self.image_ids: list[str] = []
        self._paths = [self._folder / part["file"] for part in manifest["parts"]]
        for shard, part in zip(self._paths, manifest["parts"], strict=True):
            ids, checksums = read_ids_and_checksums(shard)
            if digest_of(ids, checksums) != part["sha256_of_checksums"]:
                raise InputError(f"{shard}: not the shard that {path} lists; delete {path} and run again")
            self.image_ids += ids
        self._ends = list(accumulate(part["num_images"] for part in manifest["parts"]))
        self._positions = {image_id: position for position, image_id in enumerate(self.image_ids)}
        self._forget_files()

    def __contains__(self, image_id: object) -> bool:
        return image_id in self._positions

    def __len__(self) -> int:
        return len(self.image_ids)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_open": {}, "_process": 0}

    def read(self, image_ids: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Films and ridge responses, uint8 [B, S, S] each, 255 = 1.0, in the order of ``image_ids``.

        Raises:
            InputError: an id is not in the shards, or a film does not match its checksum.
        """
        shape = (len(image_ids), self.size_px, self.size_px)
        images_BSS, ridge_BSS = np.empty(shape, np.uint8), np.empty(shape, np.uint8)
        self._fill(image_ids, images_BSS, ridge_BSS)
        return images_BSS, ridge_BSS

    def read_images(self, image_ids: Sequence[str]) -> NDArray[np.uint8]:
        """The films alone, half the reading; as :meth:`read`."""
        images_BSS = np.empty((len(image_ids), self.size_px, self.size_px), np.uint8)
        self._fill(image_ids, images_BSS, None)
        return images_BSS

    def read_fingerprints(self, image_ids: Sequence[str]) -> NDArray[np.uint8]:
        """Fingerprints, uint8 [B, 32], in the order of ``image_ids``; as :meth:`read`."""
        return self._read_column("fingerprint", image_ids)

    def read_contents(self, image_ids: Sequence[str]) -> NDArray[np.int32]:
        """Where the films lie in their squares, int32 [B, 4]: top, left, height, width; as :meth:`read`."""
        return self._read_column("content", image_ids)

    def _read_column(self, name: str, image_ids: Sequence[str]) -> NDArray:
        parts = []
        for path in self._paths:
            with opened_shard(path) as file:
                parts.append(file[name][:])
        starts = [0, *self._ends]
        places = [self._place(image_id) for image_id in image_ids]
        return np.concatenate(parts)[[starts[part] + row for part, row in places]]

    def _fill(
        self, image_ids: Sequence[str], images_BSS: NDArray[np.uint8], ridge_BSS: NDArray[np.uint8] | None
    ) -> None:
        """Read into the arrays, in the order of the files; the ridge responses only where there is an array."""
        places = sorted((*self._place(image_id), row) for row, image_id in enumerate(image_ids))
        for part, row_in_part, row in places:
            try:
                shard = self._shard(part)
                # Of one uncompressed chunk, its bytes are the film: ten times faster than a selection.
                shard.images.read_direct_chunk((row_in_part, 0, 0), out=images_BSS[row].reshape(-1))
                if ridge_BSS is not None:
                    shard.ridge.read_direct_chunk((row_in_part, 0, 0), out=ridge_BSS[row].reshape(-1))
            except (OSError, KeyError, RuntimeError) as error:
                raise self._damaged(part, image_ids[row], type(error).__name__) from None
            if zlib.crc32(images_BSS[row].data) != shard.checksums[row_in_part]:
                raise self._damaged(part, image_ids[row], "its checksum differs")

    def _place(self, image_id: str) -> tuple[int, int]:
        """Part and row in the part."""
        position = self._positions.get(image_id)
        if position is None:
            raise InputError(f"{self._folder}: no film {image_id}; if it is in rejected.csv, it could not be read")
        part = bisect_right(self._ends, position)
        return part, position - (self._ends[part - 1] if part else 0)

    def _shard(self, part: int) -> _OpenShard:
        # After a fork the parent's files are dropped: two processes must not share one HDF5 handle.
        if self._process != os.getpid():
            self._forget_files()
        if part not in self._open:
            file = open_shard(self._paths[part])
            self._open[part] = _OpenShard(file, file["images"].id, file["ridge"].id, file["checksum"][:])
        return self._open[part]

    def _forget_files(self) -> None:
        self._open: dict[int, _OpenShard] = {}
        self._process = os.getpid()

    def _damaged(self, part: int, image_id: str, reason: str) -> InputError:
        return InputError(f"{self._paths[part]}: film {image_id} is damaged ({reason}); delete the file and run again")


def read_index_of_films(path: Path) -> pd.DataFrame:
    """The columns image_id, path and dataset of an index; :class:`InputError` if they are not there."""
    try:
        index = pd.read_parquet(path, columns=["image_id", "path", "dataset"])
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; run index_dataset") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not an index of films ({type(error).__name__}); delete it and run again") from None
    if index.empty:
        raise InputError(f"{path}: lists no films; is the site folder of the data set complete?")
    if not index["image_id"].is_unique:
        repeated = index.loc[index["image_id"].duplicated(), "image_id"].iloc[0]
        raise InputError(f"{path}: image_id {repeated} stands in more than one row; delete it and run again")
    return index


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a folder of shards; :class:`InputError` if it is missing, damaged or of another version."""
    manifest = read_json(path)
    if not isinstance(manifest, dict) or manifest.get("schema_version") != SCHEMA_VERSION:
        raise InputError(f"{path}: not a manifest of version {SCHEMA_VERSION}; delete it and run again")
    return manifest


def open_shard(path: Path) -> h5py.File:
    """Open a shard for reading; :class:`InputError` names the file and the remedy.

    Without file locks, which many cluster file systems lack: a finished shard is never written again.
    """
    try:
        file = h5py.File(path, "r", locking=False)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; run shard_images") from None
    except OSError:
        raise InputError(f"{path}: damaged or cut short; delete it and run again") from None
    if file.attrs.get("schema_version") != SCHEMA_VERSION:
        file.close()
        raise InputError(f"{path}: not a shard of version {SCHEMA_VERSION}; delete it and run again")
    return file


@contextmanager
def opened_shard(path: Path) -> Iterator[h5py.File]:
    """Like :func:`open_shard`, closed at the end; damage inside the file is an :class:`InputError` too."""
    with open_shard(path) as file:
        try:
            yield file
        except (OSError, KeyError, RuntimeError) as error:
            raise InputError(f"{path}: damaged ({type(error).__name__}); delete it and run again") from None


def read_ids_and_checksums(path: Path) -> tuple[list[str], NDArray[np.uint32]]:
    """Image ids and CRC-32 checksums of a shard, in its order."""
    with opened_shard(path) as file:
        ids, checksums = list(file["image_id"].asstr()[:]), file["checksum"][:]
        if not len(ids) == len(checksums) == len(file["images"]) == len(file["ridge"]):
            raise InputError(f"{path}: its lists of ids and films differ in length; delete it and run again")
    return ids, checksums


def digest_of(image_ids: Sequence[str], checksums: Sequence[int] | NDArray[np.uint32]) -> str:
    """SHA-256 over a line ``<id> <checksum>`` for each film: it changes with any film, id, or their order."""
    digest = hashlib.sha256()
    for image_id, checksum in zip(image_ids, checksums, strict=True):
        digest.update(f"{image_id} {int(checksum):08x}\n".encode())
    return digest.hexdigest()
