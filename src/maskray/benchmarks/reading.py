"""Reading a shuffled batch beside a folder of JPEGs behind torch's DataLoader, and beside webdataset.

Shapes: B films, S side of the square film.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import webdataset
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from maskray.benchmarks.machine import copy_rate
from maskray.benchmarks.made import MadeFilms, make_films, store_films
from maskray.benchmarks.measure import Row, Sizes, compare
from maskray.config.preprocessing import ImagesConfig
from maskray.data.shard_store import ImageStore

Films = NDArray[np.uint8]
Read = Callable[[Sequence[int]], Films]


def measure_reading(folder: Path, sizes: Sizes, seconds: float) -> list[Row]:
    """Ours reads films and ridge responses and checks the films' checksums; the peers read the films alone.

    All of them in the process itself, without workers, as one thread is measured.
    """
    films = make_films(folder / "films", sizes.num_stored_films, sizes.film_px)
    store = ImageStore(store_films(films, ImagesConfig(size_px=sizes.film_px), folder / "shards"))
    image_ids = films.index["image_id"].tolist()

    def ours(rows: Sequence[int]) -> Films:
        return store.read([image_ids[row] for row in rows])[0]

    peers = {
        "torch DataLoader on a folder of JPEGs": _folder_reader(films, sizes.batch_size),
        "webdataset": _tar_reader(films, folder / "films.tar", sizes.batch_size),
    }
    return [_measure(ours, peer, name, sizes, seconds) for name, peer in peers.items()]


def _measure(ours: Read, peer: Read, name: str, sizes: Sizes, seconds: float) -> Row:
    def rows(repeat: int) -> list[int]:
        return np.random.default_rng(repeat).permutation(sizes.num_stored_films)[: sizes.batch_size].tolist()

    # In no order of the epoch: webdataset keeps that of its file, but for what its buffer shuffles.
    means = [np.sort(read(range(sizes.batch_size)).mean((1, 2))) for read in (ours, peer)]
    row = compare(
        f"reading a shuffled batch, {sizes.film_px} px",
        "films/s",
        lambda repeat: partial(ours, rows(repeat)),
        lambda repeat: partial(peer, rows(repeat)),
        peer_name=name,
        num_items=sizes.batch_size,
        seconds=seconds,
        agreement={"largest difference of a film's mean, of 255": float(np.abs(means[0] - means[1]).max())},
    )
    bytes_per_film = 2 * sizes.film_px**2  # with its ridge response
    return row.with_limit("the rate of a copy in memory", row.ours.median * bytes_per_film / copy_rate())


class _Folder(Dataset[Films]):
    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths

    def __getitem__(self, row: int) -> Films:
        return np.array(Image.open(self._paths[row]).convert("L"))  # torch wants what it may write to


def _folder_reader(films: MadeFilms, batch_size: int) -> Read:
    dataset = _Folder(films.paths())

    def read(rows: Sequence[int]) -> Films:
        (batch,) = DataLoader(dataset, batch_size, sampler=rows)
        return batch.numpy()

    return read


def _tar_reader(films: MadeFilms, tar: Path, batch_size: int) -> Read:
    """Reads the file's first films, whatever rows are asked for: webdataset has no access at random."""
    with webdataset.TarWriter(str(tar)) as writer:
        for image_id, path in zip(films.index["image_id"], films.paths(), strict=True):
            writer.write({"__key__": image_id, "jpg": path.read_bytes()})
    pipeline = webdataset.WebDataset(str(tar), shardshuffle=False).decode("l8").to_tuple("jpg")

    def read(_: Sequence[int]) -> Films:
        (batch,) = next(iter(pipeline.batched(batch_size)))
        return np.asarray(batch)

    return read
