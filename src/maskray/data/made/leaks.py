"""Leaks planted in made data on request, each as it happened to others; the leakage guard must find them.

- ``nih_copy``: a training film is a test film too, under another name and patient, made smaller and saved as JPEG once.
- ``nih_parted_patient``: one film of a patient is in the official training list, another one in the test list.
- ``mimic_parted_patient``: a patient of the official training part, so of the pre-training data, has a test film.
- ``rsna_from_nih``: one in five of RSNA's films are NIH's, under RSNA's names; the mappings file says which.
- ``siim_from_nih``: one in five of SIIM's films are NIH's, and nothing but the pictures says so.
- ``covidx_from_rsna``: one in five of COVIDx's films are RSNA's, under RSNA's names; together with ``rsna_from_nih``
  they are NIH's, which no file of COVIDx tells.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from maskray.config.preprocessing import MadeConfig
from maskray.data.made import formats
from maskray.errors import InputError
from maskray.files import write_text

_EVERY = 5
_NOBODY = 30001
_JPEG_QUALITY = 75


def painter_of(name: str, number: int, config: MadeConfig) -> str:
    """The data set whose film a study shows: ``name``, or where that is planted the one it is borrowed from."""
    lender = next((lender for one, lender in _loans(config) if one == name), None)
    if lender is None or number % _EVERY:
        return name
    if number >= config.num_studies.get(lender, 0):
        raise InputError(f"leaks: {name}_from_{lender} needs as many studies of {lender} as of {name} (num_studies)")
    return painter_of(lender, number, config)


def _loans(config: MadeConfig) -> list[tuple[str, str]]:
    """(who borrows, from whom)"""
    return [(name, lender) for name, parted, lender in (leak.partition("_from_") for leak in config.leaks) if parted]


def plant(name: str, owner: str, folder: Path, config: MadeConfig) -> list[str]:
    """Plant what the settings ask of one data set into its written folder; return the names of its leaks.

    ``owner`` is the data set whose studies it shows, and whose borrowed films it has.
    """
    borrowed = {f"{one}_from_{lender}" for one, lender in _loans(config) if one == owner}
    mine: list[str] = sorted({leak for leak in config.leaks if leak.split("_")[0] == name} | borrowed)
    for leak in mine:
        if leak in _PLANTERS:
            _PLANTERS[leak](folder)
    return mine


def _copy_nih_film(folder: Path) -> None:
    name = _lines(folder / "train_val_list.txt")[0]
    copy = f"{_NOBODY:08d}_000.png"
    film = Image.open(folder / "images" / name)
    smaller = film.resize((film.width * 3 // 4, film.height * 3 // 4), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    smaller.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    Image.open(buffer).save(folder / "images" / copy, "PNG", compress_level=3)
    table = folder / "Data_Entry_2017_v2020.csv"
    entry = next(line for line in _lines(table) if line.startswith(name)).split(",")
    entry[0], entry[2], entry[3] = copy, "0", str(_NOBODY)
    _append(table, ",".join(entry))
    _append(folder / "test_list.txt", copy)


def _part_nih_patient(folder: Path) -> None:
    names = _lines(folder / "train_val_list.txt")
    moved = next(name for name in names if not name.endswith("_000.png"))
    write_text(folder / "train_val_list.txt", "".join(f"{name}\n" for name in names if name != moved))
    _append(folder / "test_list.txt", moved)


def _part_mimic_patient(folder: Path) -> None:
    path = folder / "mimic-cxr-2.0.0-split.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as handle:
        header, *rows = csv.reader(handle)
    subject, part = header.index("subject_id"), header.index("split")
    num_films = Counter(row[subject] for row in rows if row[part] == "train")
    next(row for row in rows if num_films[row[subject]] > 1)[part] = "test"
    formats.write_gzip(path, formats.table(header, rows))


_PLANTERS: dict[str, Callable[[Path], None]] = {
    "nih_copy": _copy_nih_film,
    "nih_parted_patient": _part_nih_patient,
    "mimic_parted_patient": _part_mimic_patient,
}


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _append(path: Path, line: str) -> None:
    write_text(path, path.read_text(encoding="utf-8") + line + "\n")
