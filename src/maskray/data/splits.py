"""Splits: which image of a data set is for training, validation and test, and the nested label fractions.

A split belongs to a (data set, protocol) pair. It is drawn by patient, seeded, stratified by label, and does not depend
on the order of the index.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from maskray.config.dataset import SplitConfig
from maskray.data.index import FRONTAL_VIEWS, label_column
from maskray.data.strata import Room, apportion, deal, nested_sizes, spread
from maskray.errors import InputError
from maskray.files import written_whole

PARTS = ("train", "validation", "test")
MAX_VALIDATION_FRACTION = 0.2  # Of the training patients, where a number of images is asked for and the data are few.


def split(index: pd.DataFrame, config: SplitConfig, labels: Sequence[str]) -> pd.DataFrame:
    """Draw a split.

    Returns:
        image_id, part (train, validation, test) and fraction, sorted by image_id; ``fraction`` is the smallest label
        fraction that has the training image, NaN for the other parts. Films that the protocol does not use (lateral
        ones, official parts without a use) are not in it.
    """
    return draw(index, config, labels)[0]


def draw(index: pd.DataFrame, config: SplitConfig, labels: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """Draw a split, and say in words what did not come out as asked."""
    if missing := [label for label in labels if label_column(label) not in index]:
        raise InputError(f"the index has no label {', '.join(missing)}")
    images = index[index["view"].isin(FRONTAL_VIEWS)] if config.frontal_only else index
    if images.empty:
        raise InputError("the index has no image of a frontal view (PA, AP); set frontal_only: false")
    images = images.sort_values("image_id", ignore_index=True)
    notes: list[str] = []
    part = _parts(images, config, labels, notes)
    images = images.assign(part=part, fraction=np.nan)
    images = images[images["part"] != ""]
    is_train = images["part"] == "train"
    if is_train.any():
        images.loc[is_train, "fraction"] = _fractions(images[is_train], config, labels, notes)
    notes += _gaps(images, labels)
    return images[["image_id", "part", "fraction"]].reset_index(drop=True), notes


def summarise(
    split: pd.DataFrame, index: pd.DataFrame, config: SplitConfig, labels: Sequence[str], notes: Sequence[str]
) -> dict[str, Any]:
    """``summary.json``: seed, counts and hash of ids of each part and each label fraction, and the notes."""
    images = split.merge(index, on="image_id", validate="one_to_one")
    fractions = sorted(images["fraction"].dropna().unique())
    return {
        "seed": config.seed,
        "parts": {part: _counts(images[images["part"] == part], labels) for part in PARTS},
        "fractions": {f"{share:g}": _counts(images[images["fraction"] <= share], labels) for share in fractions},
        "num_images_left_out": len(index) - len(split),
        "note": " ".join(filter(None, [config.note, *notes])),
    }


def write_split(split: pd.DataFrame, path: Path) -> None:
    """Write ``split.csv``."""
    shares = split["fraction"].map(lambda share: "" if np.isnan(share) else f"{share:g}")
    with written_whole(path) as partial:
        split.assign(fraction=shares).to_csv(partial, index=False, lineterminator="\n")


def read_split(path: Path) -> pd.DataFrame:
    """Read ``split.csv``: image_id, part, and fraction as float64 (NaN outside the training part)."""
    try:
        types = {"image_id": "str", "part": "str", "fraction": "float64"}
        split = pd.read_csv(path, dtype=types, keep_default_na=False, na_values={"fraction": [""]})
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: not a readable split ({error}); delete it and run again") from None
    if list(split.columns) != ["image_id", "part", "fraction"]:
        raise InputError(f"{path}: expected the columns image_id, part and fraction")
    is_bad = ~split["part"].isin(PARTS) | (split["part"] == "train").ne(split["fraction"].notna())
    is_bad |= split["image_id"].duplicated()
    if is_bad.any():
        raise InputError(f"{path}, line {int(np.argmax(is_bad)) + 2}: not a valid row of a split")
    return split


def _labels(images: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    return images[[label_column(label) for label in labels]]


def _parts(images: pd.DataFrame, config: SplitConfig, labels: Sequence[str], notes: list[str]) -> np.ndarray:
    if config.whole_test:
        return np.full(len(images), "test", dtype=object)
    return _official(images, config, labels, notes) if config.official_test else _drawn(images, config, labels)


def _drawn(images: pd.DataFrame, config: SplitConfig, labels: Sequence[str]) -> np.ndarray:
    """Part of each image, by shares of the patients."""
    patients = spread(images["patient_id"], _labels(images, labels), f"{config.seed}/parts")
    if len(patients) < len(PARTS):
        raise InputError(f"the index has {len(patients)} patient(s): too few for train, validation and test")
    # Scarce patients go to training first, then to the test part.
    names = ("train", "test", "validation")
    shares = [config.train or 0.0, config.test or 0.0, config.validation]
    rooms = [Room(count) for count in apportion(len(patients), shares)]
    part_of = dict(zip(patients.ids_P, np.array(names)[deal(patients, rooms)], strict=True))
    return images["patient_id"].map(part_of).to_numpy(dtype=object)


def _official(images: pd.DataFrame, config: SplitConfig, labels: Sequence[str], notes: list[str]) -> np.ndarray:
    """Part of each image where the owners' lists decide; "" where the protocol does not use it."""
    theirs = images["official_part"]
    part = pd.Series("", index=images.index, dtype="object")
    part[theirs.isin(["train", "validation"])] = "train"
    if config.official_validation:
        part[theirs == "validation"] = "validation"
    part[theirs == config.official_test_part] = "test"
    for name in ("train", "test", *(["validation"] if config.official_validation else [])):
        if not (part == name).any():
            raise InputError(
                f"the index has no image for the {name} part, which the owners' lists decide: are their files in the"
                f" site folder? Found: {theirs.value_counts().to_dict()}"
            )
    _refuse_shared_patients(images["patient_id"], part)
    if not config.official_validation:
        is_rest = part == "train"
        part[is_rest] = _validation_drawn(images[is_rest], config, labels, notes)
    if num_unused := int((part == "").sum()):
        notes.append(f"{num_unused} images are of an official part, or of none, that the protocol does not use.")
    return part.to_numpy(dtype=object)


def _refuse_shared_patients(patients: pd.Series, part: pd.Series) -> None:
    used = part[part != ""]
    shared = used.groupby(patients).nunique()
    names = sorted(shared.index[shared > 1])
    if names:
        raise InputError(
            f"the official lists put {len(names)} patient(s) into two parts, e.g. {', '.join(map(str, names[:5]))};"
            " correct the lists, or use a protocol with shares"
        )


def _validation_drawn(images: pd.DataFrame, config: SplitConfig, labels: Sequence[str], notes: list[str]) -> np.ndarray:
    patients = spread(images["patient_id"], _labels(images, labels), f"{config.seed}/validation")
    if len(patients) < 2:
        raise InputError("the training part has one patient: too few to draw a validation part")
    if config.validation < 1:
        rooms = [Room(n) for n in apportion(len(patients), [1 - config.validation, config.validation])]
    else:
        most = max(1, int(MAX_VALIDATION_FRACTION * len(patients)))
        rooms = [Room(len(patients) - most), Room(most, config.validation)]
        if patients.num_images_P[:most].sum() < config.validation:
            rooms[1] = Room(most)
            notes.append(
                f"{config.validation:g} validation images are more than these data allow: {most} patients"
                f" ({MAX_VALIDATION_FRACTION:.0%} of the training patients) are held out instead."
            )
    part_of = dict(zip(patients.ids_P, np.array(["train", "validation"])[deal(patients, rooms)], strict=True))
    return images["patient_id"].map(part_of).to_numpy(dtype=object)


def _fractions(images: pd.DataFrame, config: SplitConfig, labels: Sequence[str], notes: list[str]) -> np.ndarray:
    """Smallest label fraction of each training image."""
    shares = sorted({*config.fractions, 1.0})
    patients = spread(images["patient_id"], _labels(images, labels), f"{config.seed}/fractions")
    order_P, sizes = nested_sizes(patients, shares)
    asked = int(shares[0] * len(patients) + 0.5)
    if sizes[0] > asked:
        notes.append(
            f"The {shares[0]:.0%} subset has {sizes[0]} of {len(patients)} training patients, more than its share,"
            " so that it has positive and negative images of each label."
        )
    smallest: dict[str, float] = {}
    for share, size in zip(reversed(shares), reversed(sizes), strict=True):
        smallest |= dict.fromkeys(patients.ids_P[order_P[:size]], share)
    return images["patient_id"].map(smallest).to_numpy(dtype="float64")


def _gaps(images: pd.DataFrame, labels: Sequence[str]) -> list[str]:
    """What a part has none of, in words."""
    gaps = []
    for part in PARTS:
        values = _labels(images[images["part"] == part], labels)
        if values.empty:
            continue  # only where the protocol leaves the part empty
        for value, word in ((1, "positive"), (0, "negative")):
            absent = [label for label in labels if not (values[label_column(label)] == value).any()]
            if absent:
                gaps.append(f"The {part} part has no {word} image of {', '.join(absent)}.")
    return gaps


def _counts(images: pd.DataFrame, labels: Sequence[str]) -> dict[str, Any]:
    values = _labels(images, labels)
    return {
        "images": len(images),
        "patients": int(images["patient_id"].nunique()),
        "positives": {label: int((values[label_column(label)] == 1).sum()) for label in labels},
        "negatives": {label: int((values[label_column(label)] == 0).sum()) for label in labels},
        "sha256": hash_of_ids(images["image_id"]),
    }


def hash_of_ids(ids: Iterable[str]) -> str:
    """SHA-256 of the sorted ids, one a line."""
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()
