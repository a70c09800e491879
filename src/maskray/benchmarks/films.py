"""Films: the ridge filter, films to shards; each beside scikit-image, Pillow and h5py used plainly.

Shapes: B films, S side of the square film.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import psutil
import torch
from numpy.typing import NDArray
from PIL import Image
from skimage.filters import meijering
from skimage.transform import resize
from torch.utils.flop_counter import FlopCounterMode

from maskray.benchmarks.machine import matrix_rate
from maskray.benchmarks.made import MadeFilms, make_films, paint
from maskray.benchmarks.measure import ON, Row, Sizes, compare
from maskray.config.preprocessing import ImagesConfig, RidgeConfig
from maskray.data.shards import write_shard
from maskray.images.ridge import ridge_response

# The peer's formula, so that both compute the same.
_RIDGE = RidgeConfig(formula="skimage")
_NUM_COMPARED = 4
_MOST_PROCESSES = 8

Shrink = Callable[[NDArray[np.float32], int], NDArray[np.float32]]


def measure_ridge(sizes: Sizes, seconds: float, device: torch.device) -> list[Row]:
    """Ours on the batch, scikit-image film by film; float32. On a GPU the films are there, and responses stay there."""
    painted_BSS = np.stack([paint(number, sizes.film_px) for number in range(sizes.num_ridge_films)])
    films_BSS = painted_BSS.astype(np.float32) / np.float32(255)
    tensor_BSS = torch.from_numpy(films_BSS).to(device)

    def peer() -> NDArray[np.float32]:
        return np.stack([_peer_ridge(film_SS) for film_SS in films_BSS])

    def ours() -> float:
        return float(ridge_response(tensor_BSS, _RIDGE)[-1, -1, -1])  # waits for the device

    with FlopCounterMode(display=False) as counter:
        ours_BSS = ridge_response(tensor_BSS, _RIDGE).cpu().numpy()
    row = compare(
        f"ridge filter, {sizes.film_px} px, float32, {ON[device.type]}",
        "films/s",
        lambda _: ours,
        lambda _: peer,
        peer_name="skimage.filters.meijering",
        num_items=len(films_BSS),
        seconds=seconds,
        agreement={"largest difference": float(np.abs(ours_BSS - peer()).max())},
    )
    of_matrices = counter.get_total_flops() / len(films_BSS) / matrix_rate(device, torch.float32)
    return [row.with_limit("the float32 matrix rate", of_matrices * row.ours.median)]


def measure_shards(folder: Path, sizes: Sizes, seconds: float) -> list[Row]:
    """Decode, resize, ridge, HDF5; beside two plain scripts, libjpeg's decoding alone, and itself in more processes."""
    films = make_films(folder / "films", sizes.num_files, sizes.file_px, sizes.painted_px)
    config = ImagesConfig(size_px=sizes.film_px, ridge=_RIDGE)
    few, third = (MadeFilms(films.folder, films.index.head(num)) for num in (_NUM_COMPARED, -(-sizes.num_files // 3)))
    peer_file = folder / "peer.h5"
    ours = partial(_our_shard, config=config, folder=folder)

    def beside(films: MadeFilms, peer: Callable[[], object], name: str, agreement: dict[str, float]) -> Row:
        return compare(
            f"films to shards, {sizes.file_px} px JPEG to {sizes.film_px} px",
            "films/s",
            lambda _: partial(ours, films),
            lambda _: peer,
            peer_name=name,
            num_items=len(films.index),
            seconds=seconds,
            agreement=agreement,
        )

    rows = []
    for name, shrink in {"skimage resize": _by_skimage, "Pillow resize": _by_pillow}.items():
        peer = partial(_peer_shard, size_px=sizes.film_px, shrink=shrink, target=peer_file)
        ours(few)
        peer(few.paths())
        agreement = _difference(folder / "part-0.h5", peer_file)
        rows.append(beside(third, partial(peer, third.paths()), f"Pillow, {name}, meijering, h5py", agreement))
    rows.append(beside(films, partial(_decode, films.paths()), "libjpeg's full decoding alone", {}))
    return [*rows, _over_processes(films, ours, sizes, seconds)]


def _our_shard(films: MadeFilms, config: ImagesConfig, folder: Path, part: int = 0, num_parts: int = 1) -> None:
    torch.set_num_threads(1)  # in a process of its own, too
    shard, rejected = folder / f"part-{part}.h5", folder / f"rejected-{part}.csv"
    write_shard(
        films.index, films.folder, config, part=part, num_parts=num_parts, threads=1, shard=shard, rejected=rejected
    )


def _decode(paths: Sequence[Path]) -> None:
    for path in paths:
        Image.open(path).load()


def _over_processes(films: MadeFilms, ours: Callable[..., None], sizes: Sizes, seconds: float) -> Row:
    """Parts side by side, as the workflow's jobs, beside one process; processes are started before."""
    num = max(2, min(_MOST_PROCESSES, psutil.cpu_count(logical=False) or 1))
    with ProcessPoolExecutor(num, multiprocessing.get_context("spawn")) as processes:

        def side_by_side() -> None:
            waited = [processes.submit(ours, films, part=part, num_parts=num) for part in range(num)]
            for each in waited:
                each.result()

        side_by_side()
        row = compare(
            f"films to shards, {num} processes",
            "films/s",
            lambda _: side_by_side,
            lambda _: partial(ours, films),
            peer_name="ours in one process",
            num_items=sizes.num_files,
            seconds=seconds,
            agreement={},
        )
    assert row.ratio is not None
    return row.with_limit("so many times one process", row.ratio.median / num)


def _peer_ridge(film_SS: NDArray[np.float32]) -> NDArray[np.float32]:
    return meijering(film_SS, sigmas=_RIDGE.sigmas, black_ridges=False)


def _by_skimage(film: NDArray[np.float32], size_px: int) -> NDArray[np.float32]:
    return resize(film, (size_px, size_px), anti_aliasing=True)


def _by_pillow(film: NDArray[np.float32], size_px: int) -> NDArray[np.float32]:
    return np.asarray(Image.fromarray(film).resize((size_px, size_px), Image.Resampling.BILINEAR))


def _peer_shard(paths: Sequence[Path], size_px: int, shrink: Shrink, target: Path) -> None:
    """What a plain script does with square films."""
    images, ridges = [], []
    for path in paths:
        film = np.asarray(Image.open(path).convert("L"), np.float32) / np.float32(255)
        small_SS = shrink(film, size_px)
        images.append((small_SS * 255).round().astype(np.uint8))
        ridges.append((_peer_ridge(small_SS) * 255).round().astype(np.uint8))
    with h5py.File(target, "w") as file:
        file.create_dataset("images", data=np.stack(images))
        file.create_dataset("ridge", data=np.stack(ridges))


def _difference(one: Path, other: Path) -> dict[str, float]:
    """Mean differences of the stored films and ridge responses, of 255."""
    with h5py.File(one) as ours, h5py.File(other) as peer:
        return {
            f"mean difference of 255 ({name})": float(np.abs(ours[name][:].astype(int) - peer[name][:]).mean())
            for name in ("images", "ridge")
        }
