"""Anybody's lists of training and test films, compared without the workflow.

A list is a text file with a name a line, or a CSV with a column of names and, where patients are known, one of
patients. Patients may also come from an index of maskray, pictures from a folder.
"""

from __future__ import annotations

import csv
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskray.config.leakage import LeakageConfig, LeakagePolicies
from maskray.data.index import load_index
from maskray.data.leakage.films import Films, Pictures, identify
from maskray.data.leakage.findings import Finding, compare
from maskray.data.leakage.verdict import describe, named
from maskray.data.tables import read_list, read_table
from maskray.errors import InputError
from maskray.images.decode import UnreadableImage, read_film
from maskray.images.fingerprint import NUM_BYTES, SIDE_PX, fingerprint, shrink
from maskray.images.resize import resize_to_square

NAME_COLUMNS = ("image_id", "imageid", "image index", "dicom_id", "id", "filename", "file", "image", "path", "name")
PATIENT_COLUMNS = ("person", "patient_id", "patientid", "patient id", "subject_id", "patient", "subject")
_SUFFIXES = (".png", ".jpg", ".jpeg", ".dcm", ".dicom")
_ALL_ERRORS = LeakagePolicies(image="error", patient="error", picture="error")
_REMEDY = "Keep each film and each patient in one list, and train and test again."
_SIZE_PX = 224
_MAX_PIXELS = 100_000_000

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Comparison:
    """What was compared, and what was found."""

    num_films: dict[str, int]
    num_known_patients: int
    num_pictures: int
    findings: list[Finding]


def check_lists(arguments: Sequence[str], index: Path | None = None, images: Path | None = None) -> str:
    """What the command line says: compare ``NAME=FILE`` lists and tell; :class:`InputError` where they share anything.

    Args:
        arguments: name and file of each list.
        index: see :func:`compare_lists`; ``images`` likewise.
    """
    lists = dict(argument.partition("=")[::2] for argument in arguments)
    if "" in lists.values() or len(lists) < len(arguments):
        raise InputError("--lists: give each list a name of its own, as train=FILE test=FILE")
    compared = compare_lists({name: Path(file) for name, file in lists.items()}, LeakageConfig(), index, images)
    counts = ", ".join(f"{name} {count:,}" for name, count in compared.num_films.items())
    told = [
        f"Films: {counts}. Patients known of {compared.num_known_patients:,}, pictures of {compared.num_pictures:,}."
    ]
    for finding in compared.findings:
        told += [f"LEAK: {describe(finding, finding.trained)}: {named(finding)}"]
    if compared.findings:
        raise InputError("\n  ".join(["the lists leak", *told, _REMEDY]))
    return "\n".join(
        [*told, "No leak: the lists share no film and no known patient, and no picture that was compared."]
    )


def compare_lists(
    lists: Mapping[str, Path], config: LeakageConfig, index: Path | None = None, images: Path | None = None
) -> Comparison:
    """Compare each list with each later one; whatever they share is an error.

    Args:
        lists: name -> file.
        config: how near pictures must be.
        index: an ``index.parquet``, for patients and films of other data sets.
        images: folder with the films, at any depth, for their pictures.
    """
    if len(lists) < 2:
        raise InputError("--lists: give two lists at least, as train=FILE test=FILE")
    read = {name: _read(path) for name, path in lists.items()}
    _shorten(read)
    known = [] if index is None else [_known(index)]
    if known:
        read = {name: _with_people(table, known[0]) for name, table in read.items()}
    tables = identify([*read.values(), *known])
    paths = {} if images is None else _paths(images)
    all_films = [
        Films(name, table, None if images is None else _pictures(table["image_id"], paths))
        for name, table in zip(read, tables, strict=False)
    ]
    return Comparison(
        num_films={films.name: len(films) for films in all_films},
        num_known_patients=sum(int((~table["person"].str.startswith("film ")).sum()) for table in read.values()),
        num_pictures=sum(int(films.pictures.is_there_N.sum()) for films in all_films if films.pictures),
        findings=[f for a, b in combinations(all_films, 2) for f in compare(a, b, config, _ALL_ERRORS)],
    )


def _read(path: Path) -> pd.DataFrame:
    """image_id, and patient ("" where unknown), each film once."""
    lines = read_list(path)
    if lines.empty:
        raise InputError(f"{path}: lists no films")
    header = [name.strip() for name in next(csv.reader([lines.iloc[0]]))]
    names = [name for name in header if name.lower() in NAME_COLUMNS]
    patients = [name for name in header if name.lower() in PATIENT_COLUMNS]
    if not names:
        if len(header) > 1:
            raise InputError(
                f"{path}, line 1: no column with the films' names; call it one of {', '.join(NAME_COLUMNS)}"
            )
        return pd.DataFrame({"image_id": lines.drop_duplicates().to_list(), "patient": ""})
    table = read_table(path, [names[0], *patients[:1]])
    table.refuse_blank(names[0])
    patient = table[patients[0]] if patients else ""
    films = pd.DataFrame({"image_id": table[names[0]], "patient": patient})
    return films.drop_duplicates("image_id", ignore_index=True)


def _shorten(lists: dict[str, pd.DataFrame]) -> None:
    """Add the key by which films are equal: their names without folders and suffix where these tell them apart."""
    short = {name: table["image_id"].map(short_name) for name, table in lists.items()}
    tells_apart = not any(names.duplicated().any() for names in short.values())
    if not tells_apart:
        log.info("file names without their folders are not unique: whole paths are compared")
    for name, table in lists.items():
        key = short[name] if tells_apart else table["image_id"]
        # A film of an unknown patient is a patient of its own.
        person = table["patient"].where(table["patient"] != "", "film " + key)
        lists[name] = table.assign(key=key, same_as="", person=person)


def short_name(name: str) -> str:
    """``train/abc.png`` -> ``abc``; dots that are part of an id stay."""
    last = PurePosixPath(name.replace("\\", "/")).name
    stem, dot, suffix = last.rpartition(".")
    return stem if dot and f".{suffix.lower()}" in _SUFFIXES else last


def _known(index: Path) -> pd.DataFrame:
    table = load_index(index)
    return table[["image_id", "same_as", "person"]].assign(key=table["image_id"].map(short_name))


def _with_people(table: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The index's name of each person, where it knows the film by its whole or its short name."""
    person_of = dict(zip(known["key"], known["person"], strict=True))
    person_of |= dict(zip(known["image_id"], known["person"], strict=True))
    found = table["image_id"].map(person_of).fillna(table["key"].map(person_of))
    return table.assign(person=found.fillna(table["person"]))


def _paths(folder: Path) -> dict[str, Path]:
    """Whole relative path and short name -> file."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; name the one with the films")
    paths: dict[str, Path] = {}
    for top, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            path = Path(top) / name
            paths.setdefault(short_name(name), path)
            paths[path.relative_to(folder).as_posix()] = path
    return paths


def _pictures(image_ids: pd.Series, paths: Mapping[str, Path]) -> Pictures:
    """Fingerprints of the films that are there and can be read; how many are not is logged."""
    files = [paths.get(image_id) or paths.get(short_name(image_id)) for image_id in image_ids]
    fingerprints = np.zeros((len(files), NUM_BYTES), np.uint8)
    is_there = np.zeros(len(files), bool)
    for row, file in enumerate(files):
        if file is None:
            continue
        try:
            fingerprints[row] = fingerprint(*_stored(file))
            is_there[row] = True
        except UnreadableImage as error:
            log.warning("%s: left out: %s", file, error)
    if not is_there.all():
        log.warning("%d of %d films have no readable picture in the folder", (~is_there).sum(), len(files))

    def shrunk(rows: NDArray[np.int64]) -> NDArray[np.float32]:
        chosen = [files[row] for row in rows]
        return np.array([shrink(*_stored(file)) for file in chosen if file]).reshape(-1, SIDE_PX, SIDE_PX)

    return Pictures(fingerprints, is_there, shrunk)


def _stored(path: Path) -> tuple[NDArray[np.uint8], tuple[int, int, int, int]]:
    """The film as shards would hold it."""
    return resize_to_square(read_film(path, _MAX_PIXELS, 2 * _SIZE_PX).pixels_HW, _SIZE_PX)
