"""Splits: which image of a data set is for training, validation and test, and the nested label fractions.

A split belongs to a (data set, protocol) pair. It is drawn by patient, seeded, stratified by label, and does not depend
on the order of the index; or lists decide, the owners' or the user's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from maskray.config.dataset import SplitConfig
from maskray.data.index import label_column
from maskray.data.parts import labels_of, part_of_images, used_images
from maskray.data.split_lists import PARTS, Lists, read_lists
from maskray.data.strata import nested_sizes, people_of, spread
from maskray.errors import InputError
from maskray.files import written_whole


class Drawn(NamedTuple):
    """A split; what did not come out as asked, in words; and what ``summary.json`` says of the user's lists, if any."""

    split: pd.DataFrame
    notes: list[str]
    lists: dict[str, Any] | None = None


def split(index: pd.DataFrame, config: SplitConfig, labels: Sequence[str]) -> pd.DataFrame:
    """Draw a split.

    Returns:
        image_id, part (train, validation, test) and fraction, sorted by image_id; ``fraction`` is the smallest label
        fraction that has the training image, NaN for the other parts. Films that the protocol does not use (lateral
        ones, official parts without a use, ids that a user's lists leave out) are not in it.
    """
    return draw(index, config, labels).split


def draw(index: pd.DataFrame, config: SplitConfig, labels: Sequence[str]) -> Drawn:
    """Draw a split, and say in words what did not come out as asked."""
    images = used_images(index, config, labels).sort_values("image_id", ignore_index=True)
    images["patient"] = people_of(images["patient_id"], images["person"])
    notes: list[str] = []
    lists = read_lists(Path(config.lists), index, images, config) if config.lists else None
    notes += lists.notes() if lists else []
    images["part"] = part_of_images(images, config, labels, lists, notes)
    images = images[images["part"] != ""].assign(fraction=np.nan)
    is_train = images["part"] == "train"
    if is_train.any():
        images.loc[is_train, "fraction"] = _fractions(images[is_train], config, labels, lists, notes)
    notes += _gaps(images, config, labels)
    drawn = images[["image_id", "part", "fraction"]].reset_index(drop=True)
    return Drawn(drawn, notes, lists.facts if lists else None)


def summarise(drawn: Drawn, index: pd.DataFrame, config: SplitConfig, labels: Sequence[str]) -> dict[str, Any]:
    """``summary.json``: seed, counts and hash of ids of each part and each label fraction, the lists and the notes."""
    images = drawn.split.merge(index, on="image_id", validate="one_to_one")
    fractions = sorted(images["fraction"].dropna().unique())
    return {
        "seed": config.seed,
        "parts": {part: _counts(images[images["part"] == part], labels) for part in PARTS},
        "fractions": {f"{share:g}": _counts(images[images["fraction"] <= share], labels) for share in fractions},
        "num_images_left_out": len(index) - len(images),
        "lists": drawn.lists,
        "note": " ".join(filter(None, [config.note, *drawn.notes])),
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


def _fractions(
    images: pd.DataFrame, config: SplitConfig, labels: Sequence[str], lists: Lists | None, notes: list[str]
) -> np.ndarray:
    """Smallest label fraction of each training image."""
    if lists and lists.fraction_of is not None:
        return images[f"{config.lists_of}_id"].map(lists.fraction_of).to_numpy(dtype="float64")
    shares = sorted({*config.fractions, 1.0})
    patients = spread(images["patient"], labels_of(images, labels), f"{config.seed}/fractions")
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
    return images["patient"].map(smallest).to_numpy(dtype="float64")


def _gaps(images: pd.DataFrame, config: SplitConfig, labels: Sequence[str]) -> list[str]:
    """What a part has none of, in words."""
    gaps = []
    for part in filter(set(images["part"]).__contains__, PARTS):
        values = labels_of(images[images["part"] == part], labels)
        for value, word in ((1, "positive"), (0, "negative")):
            asked = [label for label in labels if value or label != config.positive_only]
            absent = [label for label in asked if not (values[label_column(label)] == value).any()]
            if absent:
                gaps.append(f"The {part} part has no {word} image of {', '.join(absent)}.")
    return gaps


def _counts(images: pd.DataFrame, labels: Sequence[str]) -> dict[str, Any]:
    values = labels_of(images, labels)
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
