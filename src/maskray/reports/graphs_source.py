"""Triplets looked up in the published graphs of RadGraph 1.0.0 (PhysioNet), without running a model.

``MIMIC-CXR_graphs.json``: "p10/p…/s….txt" -> one graph over the words of the whole report, hundreds of megabytes in
all. The file is read once, entry by entry, to learn where each study's graph lies; a graph is loaded when asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from maskray.errors import InputError
from maskray.reports.radgraph_source import Graph, triplets_of_graph
from maskray.reports.triplets import Triplet, Unread

_CHUNK = 1 << 22
# No graph is larger; what does not end within it is damaged.
_MAX_ENTRY = 1 << 26
_OPEN = re.compile(r"\s*\{")
_KEY = re.compile(r'\s*,?\s*"((?:[^"\\]|\\.)*)"\s*:\s*')
_CLOSE = re.compile(r"\s*\}\s*\Z")
# The end of a key that names a study as the readers of MIMIC-CXR and CheXpert name it.
_STUDY = re.compile(r"(?:^|/)(s\d+|patient\d+/study\d+)(?:\.\w+|/[^/]*)?$")

Place = tuple[int, int]


class GraphsSource:
    """Finds each study's graph in the file and maps its word indices onto the report."""

    def __init__(self, path: str | None) -> None:
        if path is None:
            raise InputError(
                "reports.graphs is not set: name MIMIC-CXR_graphs.json of RadGraph 1.0.0 "
                "(https://physionet.org/content/radgraph/1.0.0/), or use reports.triplets: rules"
            )
        self._path = Path(path)
        self._places: dict[str, Place | None] = {}
        for key, place in _entries(self._path):
            study = study_of(key)
            self._places[study] = None if study in self._places else place

    def extract(self, texts: Sequence[str], studies: Sequence[str] = ()) -> list[list[Triplet] | Unread]:
        """The triplets of each text by its study; :class:`InputError` where the studies are not given."""
        if len(studies) != len(texts):
            raise InputError("reports.triplets: graphs finds a report by its study: name it (--study)")
        with self._path.open("rb") as handle:
            return [self._read(handle, text, study) for text, study in zip(texts, studies, strict=True)]

    def _read(self, handle: BinaryIO, text: str, study: str) -> list[Triplet] | Unread:
        place = self._places.get(study, (0, 0))
        if place is None:
            return Unread("has two graphs of this study")
        if place == (0, 0):
            return Unread("has no graph of this study")
        try:
            return triplets_of_graph(_load(handle, place), text)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            return Unread("has a damaged graph of this study")


def study_of(key: str) -> str:
    """ "p10/p10000032/s50414267.txt" -> "s50414267", "train/patient00001/study1" -> "patient00001/study1"."""
    match = _STUDY.search(key)
    return match[1] if match else key


def _load(handle: BinaryIO, place: Place) -> Graph:
    start, end = place
    handle.seek(start)
    return json.loads(handle.read(end - start))


def _entries(path: Path) -> Iterator[tuple[str, Place]]:
    """Each key of the file's one object with the bytes ``[start, end)`` of its value; memory stays flat.

    Bytes are read as Latin-1, whose characters are single bytes: JSON's own marks look the same, and offsets count.
    """
    decode = json.JSONDecoder().raw_decode
    try:
        handle = path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or 'cannot be read'} (reports.graphs)") from None
    with handle:
        text, base = handle.read(_CHUNK).decode("latin-1"), 0
        opening = _OPEN.match(text)
        position = opening.end() if opening else 0
        while True:
            key = _KEY.match(text, position) if opening else None
            try:
                end = decode(text, key.end())[1] if key else 0
            except (ValueError, RecursionError):
                end = 0
            if key and end:
                yield json.loads(f'"{key[1]}"'), (base + key.end(), base + end)
                position = end
                continue
            chunk = handle.read(_CHUNK) if opening and len(text) - position < _MAX_ENTRY else b""
            if not chunk:
                break
            base, text, position = base + position, text[position:] + chunk.decode("latin-1"), 0
    if not _CLOSE.match(text, position):
        raise InputError(
            f"{path}: not a whole JSON file of graphs (byte {base + position}): fetch it again from PhysioNet"
        )
