"""Writing shards: the films of one part of an index, resized, with their ridge responses, in one HDF5 file.

A shard holds, a row a film, ``images`` and ``ridge`` (uint8 [n, S, S], 255 = 1.0; a film is one chunk, uncompressed:
random access costs one read, and no reader needs a plug-in), ``image_id``, ``checksum`` (CRC-32 of the film's bytes),
``content`` (top, left, height, width of the film inside its padded square), ``original`` (height, width of the file)
and ``fingerprint`` (uint8 [n, 32], :mod:`maskray.images.fingerprint`), and the attributes schema_version, settings
(JSON), dataset, part, num_parts.

Shapes: n films of a part, B films of a batch, S side of the square film, H x W the film inside its square.
"""

from __future__ import annotations

import csv
import json
import logging
import time
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from maskray.config.preprocessing import ImagesConfig, RidgeConfig
from maskray.data.shard_store import REJECTED_COLUMNS, SCHEMA_VERSION
from maskray.errors import InputError
from maskray.files import written_whole
from maskray.images.decode import UnreadableImage, read_film
from maskray.images.fingerprint import NUM_BYTES, fingerprint
from maskray.images.resize import Content, resize_to_square
from maskray.images.ridge import ridge_response

_BATCH_SIZE = 64
# Larger batches of the ridge filter leave the processor's cache and take a third longer.
_RIDGE_BATCH_SIZE = 16
_JPEG_OVERSAMPLING = 2

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Film:
    image_id: str
    image_SS: NDArray[np.uint8]
    content: Content
    original: tuple[int, int]
    fingerprint: NDArray[np.uint8]


@dataclass(frozen=True)
class _Rejection:
    image_id: str
    path: str
    reason: str


def _settings(config: ImagesConfig) -> dict:
    """What decides the films: all settings but the tolerance for rejected files, which decides nothing here."""
    return config.model_dump(mode="json", exclude={"max_rejected_fraction"})


def write_shard(
    index: pd.DataFrame,
    site_folder: Path,
    config: ImagesConfig,
    *,
    part: int,
    num_parts: int,
    threads: int,
    shard: Path,
    rejected: Path,
) -> None:
    """Write part ``part`` of ``num_parts`` of the index as an HDF5 file, and the films that cannot be read as a CSV.

    The same films and settings give the same bytes. Only one batch of films is in memory at a time.

    Args:
        index: from :func:`maskray.data.shard_store.read_index_of_films`; the part takes the rows from
            part * n // num_parts up to the next part's.
        site_folder: where the paths of the index begin.
        config: sizes, ridge filter, largest file.
        part: from 0.
        num_parts: parts of the whole index.
        threads: for decoding and for the ridge filter.
        shard: the HDF5 file.
        rejected: CSV with the columns image_id, path, reason.

    Raises:
        InputError: there is no such part, or no site folder.
    """
    if not 0 <= part < num_parts:
        raise InputError(f"there is no part {part} of {num_parts}: parts are counted from 0")
    if not Path(site_folder).is_dir():
        raise InputError(f"{site_folder}: no such folder; set the site folder of the data set")
    rows = index.iloc[part * len(index) // num_parts : (part + 1) * len(index) // num_parts]
    torch.set_num_threads(threads)
    with (
        written_whole(rejected) as partial_rejected,
        written_whole(shard) as partial_shard,
        h5py.File(partial_shard, "w", locking=False) as file,
    ):
        _create(file, rows, config, part, num_parts)
        rejections = _fill(file, _read(rows, Path(site_folder), config, threads), config.ridge)
        _write_rejected(partial_rejected, rejections)


def _create(file: h5py.File, rows: pd.DataFrame, config: ImagesConfig, part: int, num_parts: int) -> None:
    """The attributes, and the two large data sets without a row yet."""
    file.attrs["schema_version"] = SCHEMA_VERSION
    file.attrs["settings"] = json.dumps(_settings(config), sort_keys=True)
    file.attrs["dataset"] = str(rows["dataset"].iloc[0]) if len(rows) else ""
    file.attrs["part"] = part
    file.attrs["num_parts"] = num_parts
    square = (config.size_px, config.size_px)
    for name in ("images", "ridge"):
        file.create_dataset(
            name, (0, *square), np.uint8, maxshape=(None, *square), chunks=(1, *square), track_times=False
        )


def _read(
    rows: pd.DataFrame, site_folder: Path, config: ImagesConfig, threads: int
) -> Iterator[list[_Film | _Rejection]]:
    """Decoded films, a batch at a time, in the order of the rows, with a line in the log every 10 %."""
    started, num_rejected, tenths = time.monotonic(), 0, 0
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(rows), _BATCH_SIZE):
            batch = rows.iloc[start : start + _BATCH_SIZE]
            films = list(
                pool.map(
                    lambda image_id, path: _read_one(image_id, path, site_folder, config),
                    batch["image_id"],
                    batch["path"],
                )
            )
            yield films
            num_done = start + len(batch)
            num_rejected += sum(isinstance(film, _Rejection) for film in films)
            if 10 * num_done // len(rows) > tenths:
                tenths = 10 * num_done // len(rows)
                rate = num_done / max(time.monotonic() - started, 1e-9)
                _log.info(
                    "%d %%: %d of %d films, %.1f films/s, %d rejected",
                    10 * tenths,
                    num_done,
                    len(rows),
                    rate,
                    num_rejected,
                )


def _read_one(image_id: str, path: str, site_folder: Path, config: ImagesConfig) -> _Film | _Rejection:
    try:
        film = read_film(site_folder / path, config.max_pixels, _JPEG_OVERSAMPLING * config.size_px)
        image_SS, content = resize_to_square(film.pixels_HW, config.size_px)
        top, left, height, width = content
        if np.ptp(image_SS[top : top + height, left : left + width]) == 0:
            raise UnreadableImage("all pixels have the same value after resizing")
    except UnreadableImage as error:
        return _Rejection(image_id, path, str(error))
    return _Film(image_id, image_SS, content, (film.height, film.width), fingerprint(image_SS, content))


def _fill(file: h5py.File, batches: Iterator[list[_Film | _Rejection]], config: RidgeConfig) -> list[_Rejection]:
    """Append all films; return what was rejected."""
    rejections: list[_Rejection] = []
    kept: list[tuple[str, int, Content, tuple[int, int], NDArray[np.uint8]]] = []
    for batch in batches:
        films = [film for film in batch if isinstance(film, _Film)]
        rejections += [film for film in batch if isinstance(film, _Rejection)]
        if films:
            images_BSS = np.stack([film.image_SS for film in films])
            _append(file["images"], images_BSS)
            _append(file["ridge"], _ridge_of(images_BSS, [film.content for film in films], config))
            kept += [
                (film.image_id, zlib.crc32(film.image_SS.data), film.content, film.original, film.fingerprint)
                for film in films
            ]
    ids = [image_id.encode() for image_id, *_ in kept]
    # Strings of fixed length: those of variable length leave bytes of unused memory in the file.
    kind_of_id = h5py.string_dtype("utf-8", max(map(len, ids), default=1))
    columns = {
        "image_id": np.array(ids, dtype=kind_of_id),
        "checksum": np.array([checksum for _, checksum, *_ in kept], np.uint32),
        "content": np.array([content for _, _, content, *_ in kept], np.int32).reshape(-1, 4),
        "original": np.array([original for *_, original, _ in kept], np.int32).reshape(-1, 2),
        "fingerprint": np.array([bits for *_, bits in kept], np.uint8).reshape(-1, NUM_BYTES),
    }
    for name, values in columns.items():
        file.create_dataset(name, data=values, track_times=False)
    return rejections


def _append(dataset: h5py.Dataset, values: NDArray) -> None:
    num_before = len(dataset)
    dataset.resize(num_before + len(values), axis=0)
    dataset[num_before:] = values


def _ridge_of(images_BSS: NDArray[np.uint8], contents: Sequence[Content], config: RidgeConfig) -> NDArray[np.uint8]:
    """Ridge responses of the films as they are stored, 255 = 1.0; only inside the film, and 0 in the padding.

    Films of one shape go through the filter together.
    """
    ridge_BSS = np.zeros_like(images_BSS)
    order = sorted(range(len(contents)), key=lambda row: contents[row])
    for content, rows_of_shape in groupby(order, key=lambda row: contents[row]):
        top, left, height, width = content
        rows = list(rows_of_shape)
        for start in range(0, len(rows), _RIDGE_BATCH_SIZE):
            some = rows[start : start + _RIDGE_BATCH_SIZE]
            films_BHW = images_BSS[some, top : top + height, left : left + width]
            response_BHW = ridge_response(torch.from_numpy(films_BHW).float() / 255, config)
            grey_BHW = (response_BHW * 255).round_().to(torch.uint8).numpy()
            ridge_BSS[some, top : top + height, left : left + width] = grey_BHW
    return ridge_BSS


def _write_rejected(path: Path, rejections: Sequence[_Rejection]) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(REJECTED_COLUMNS)
        writer.writerows((item.image_id, item.path, item.reason) for item in rejections)
