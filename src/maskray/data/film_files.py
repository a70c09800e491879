"""The film files of a data set: whether each begins as a film should, how large they are, and whether some decode.

Reading headers waits for the file server, so it is done in many threads; decoding needs processors.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from maskray.data.site import LISTING_THREADS, names_in
from maskray.images.decode import UnreadableImage, film_kind, read_film

KINDS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".dcm": "DICOM"}
_BATCH_SIZE = 256
# Fewer films than this are done before anybody wonders.
_MIN_FOR_PROGRESS = 1000

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FilmFiles:
    """What was found. Paths are relative to the site folder, in the order of the index.

    Attributes:
        num_files: files whose headers were read.
        num_bytes: their size on disk.
        unreadable: (path, reason) of each that cannot be a film: empty, not there, or no known beginning.
        misnamed: (path, kind) of each that holds another format than its name says; harmless, content decides.
        num_decoded: films that were decoded whole.
        damaged: (path, reason) of each of those that failed.
        unused: film files in the same folders that the index does not use.
    """

    num_files: int
    num_bytes: int
    unreadable: tuple[tuple[str, str], ...]
    misnamed: tuple[tuple[str, str], ...]
    num_decoded: int
    damaged: tuple[tuple[str, str], ...]
    unused: tuple[str, ...]


@dataclass(frozen=True)
class _Look:
    """One file: its size, and its kind or why it has none."""

    num_bytes: int
    kind: str = ""
    reason: str = ""


def check_films(
    folder: Path,
    films: Sequence[str],
    masks: Sequence[str],
    *,
    decode: int | Literal["all"],
    seed: int,
    max_pixels: int,
    threads: int,
) -> FilmFiles:
    """Read the headers of all films and masks, and decode some of the films.

    Args:
        folder: where the paths begin.
        films: paths of the index.
        masks: mask pictures of the index; their headers are read too.
        decode: how many films to decode whole. The same seed draws the same ones, whatever their order.
        seed: of the draw.
        max_pixels: a film that declares more counts as damaged.
        threads: for decoding.
    """
    paths = list(dict.fromkeys([*films, *masks]))
    looks = dict(
        zip(paths, _in_order(lambda path: _look(folder / path), paths, LISTING_THREADS, "headers read"), strict=True)
    )
    readable = [path for path in dict.fromkeys(films) if looks[path].kind]
    chosen = readable if decode == "all" else _drawn(readable, decode, seed)
    reasons = _in_order(lambda path: _damage(folder / path, max_pixels), chosen, threads, "films decoded")
    return FilmFiles(
        num_files=len(paths),
        num_bytes=sum(look.num_bytes for look in looks.values()),
        unreadable=tuple((path, look.reason) for path, look in looks.items() if look.reason),
        misnamed=tuple(
            (path, look.kind) for path, look in looks.items() if look.kind and _named(path) not in ("", look.kind)
        ),
        num_decoded=len(chosen),
        damaged=tuple((path, reason) for path, reason in zip(chosen, reasons, strict=True) if reason),
        unused=_unused(folder, paths),
    )


def _look(path: Path) -> _Look:
    try:
        num_bytes = path.stat().st_size
    except OSError:
        num_bytes = 0
    try:
        return _Look(num_bytes, film_kind(path))
    except UnreadableImage as error:
        return _Look(num_bytes, reason=str(error))


def _named(path: str) -> str:
    """The kind that a file's ending promises; of an unknown ending nothing can be said."""
    return KINDS.get(os.path.splitext(path)[1].lower(), "")


def _damage(path: Path, max_pixels: int) -> str:
    """Why a film cannot be used; "" where it can."""
    try:
        read_film(path, max_pixels)
    except UnreadableImage as error:
        return str(error)
    return ""


def _drawn(paths: Sequence[str], num: int, seed: int) -> list[str]:
    """``num`` of the paths, in their order: those whose hashes with the seed are smallest."""
    by_hash = sorted(paths, key=lambda path: hashlib.sha256(f"{seed}/{path}".encode()).digest())
    chosen = set(by_hash[:num])
    return [path for path in paths if path in chosen]


def _unused(folder: Path, paths: Sequence[str]) -> tuple[str, ...]:
    """Film files beside the listed ones that are not listed, sorted."""
    used = set(paths)
    listed = names_in(folder, (os.path.dirname(path) for path in paths))
    found = (os.path.join(parent, name) for parent, names in listed.items() for name in names)
    return tuple(sorted(path for path in found if _named(path) and path not in used))


def _in_order(check: Callable[[str], T], paths: Sequence[str], threads: int, done: str) -> Iterator[T]:
    """``check`` of each path, in order; says every tenth of long work."""
    size = max(1, min(_BATCH_SIZE, len(paths) // (4 * threads)))
    batches = [paths[start : start + size] for start in range(0, len(paths), size)]
    num_done = 0
    with ThreadPoolExecutor(threads) as pool:
        for results in pool.map(lambda batch: [check(path) for path in batch], batches):
            before, num_done = num_done, num_done + len(results)
            if len(paths) >= _MIN_FOR_PROGRESS and num_done * 10 // len(paths) > before * 10 // len(paths):
                log.info("%d of %d %s", num_done, len(paths), done)
            yield from results
