"""Who decides which part an image has: shares of the patients, the owners' lists, or the user's own.

Images come with ``patient``, whom no part separates (:func:`maskray.data.strata.people_of`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from maskray.config.dataset import SplitConfig
from maskray.data.index import FRONTAL_VIEWS, label_column
from maskray.data.split_lists import Lists
from maskray.data.strata import Room, apportion, deal, spread
from maskray.errors import InputError

# Of the patients, where a number is asked for and the data are few.
MAX_VALIDATION_FRACTION = 0.2
MAX_TEST_FRACTION = 0.8


def used_images(index: pd.DataFrame, config: SplitConfig, labels: Sequence[str]) -> pd.DataFrame:
    """The images that the protocol uses."""
    wanted = [*labels, *([config.positive_only] if config.positive_only else [])]
    if missing := [label for label in wanted if label_column(label) not in index]:
        raise InputError(f"the index has no label {', '.join(missing)}")
    images = index
    if config.frontal_only:
        images = images[images["view"].isin(FRONTAL_VIEWS)]
        if images.empty:
            raise InputError("the index has no image of a frontal view (PA, AP); set frontal_only: false")
    if config.positive_only:
        images = images[images[label_column(config.positive_only)] == 1]
        if images.empty:
            raise InputError(f"the index has no image that is positive for {config.positive_only}")
    if config.official_parts and not config.lists:
        images = images[images["official_part"].isin(config.official_parts)]
        if images.empty:
            raise InputError(f"the index has no image of the owners' part {' or '.join(config.official_parts)}")
    return images


def labels_of(images: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """The label columns."""
    return images[[label_column(label) for label in labels]]


def part_of_images(
    images: pd.DataFrame, config: SplitConfig, labels: Sequence[str], lists: Lists | None, notes: list[str]
) -> pd.Series:
    """train, validation, test, or "" for an image that the protocol does not use; what is amiss goes to ``notes``."""
    if lists:
        return _listed(images, config, lists, notes)
    if config.whole_test:
        return pd.Series("test", index=images.index, dtype="str")
    return _official(images, config, labels, notes) if config.official_test else _drawn(images, config, labels)


def _drawn(images: pd.DataFrame, config: SplitConfig, labels: Sequence[str]) -> pd.Series:
    """Part of each image, by shares of the patients."""
    patients = spread(images["patient"], labels_of(images, labels), f"{config.seed}/parts")
    # Scarce patients go to training first, then to the test part.
    shares = {"train": config.train or 0.0, "test": config.test or 0.0, "validation": config.validation}
    shares = {name: share for name, share in shares.items() if share > 0}
    if len(patients) < len(shares):
        raise InputError(f"the index has {len(patients)} patient(s): too few for {', '.join(shares)}")
    rooms = [Room(count) for count in apportion(len(patients), list(shares.values()))]
    part_of = dict(zip(patients.ids_P, np.array(list(shares))[deal(patients, rooms)], strict=True))
    return images["patient"].map(part_of)


def _listed(images: pd.DataFrame, config: SplitConfig, lists: Lists, notes: list[str]) -> pd.Series:
    """Part of each image where the user's lists decide; "" where they do not name it."""
    part = images[f"{config.lists_of}_id"].map(lists.part_of).fillna("").astype("object")
    if num_unlisted := int((part == "").sum()):
        notes.append(f"{num_unlisted} images that the protocol could use stand in no list.")
    return _settle_shared_patients(images, part, config, notes)


def _official(images: pd.DataFrame, config: SplitConfig, labels: Sequence[str], notes: list[str]) -> pd.Series:
    """Part of each image where the owners' lists decide; "" where the protocol does not use it."""
    theirs = images["official_part"]
    part = pd.Series("", index=images.index, dtype="object")
    part[theirs.isin(["train", "validation"])] = "train"
    if config.official_validation:
        part[theirs == "validation"] = "validation"
    part[theirs.isin(config.official_test_part.split("_and_"))] = "test"
    for name in ("train", "test", *(["validation"] if config.official_validation else [])):
        if not (part == name).any():
            raise InputError(
                f"the index has no image for the {name} part, which the owners' lists decide: are their files in the"
                f" site folder? Found: {theirs.value_counts().to_dict()}"
            )
    part = _settle_shared_patients(images, part, config, notes)
    if config.test_studies:
        is_there = part == "test"
        # One image a study: the further ones have no part.
        is_first = is_there & ~images["study_id"].where(is_there).duplicated()
        part[is_there & ~is_first] = ""
        share = MAX_TEST_FRACTION
        part[is_first] = _held_out("test", config.test_studies, share, images[is_first], config, labels, notes)
    elif not config.official_validation:
        is_rest = part == "train"
        share = MAX_VALIDATION_FRACTION
        part[is_rest] = _held_out("validation", config.validation, share, images[is_rest], config, labels, notes)
    if num_unused := int((part == "").sum()):
        notes.append(f"{num_unused} images are of an official part, or of none, that the protocol does not use.")
    return part


def _settle_shared_patients(images: pd.DataFrame, part: pd.Series, config: SplitConfig, notes: list[str]) -> pd.Series:
    """``part`` after what the protocol says of patients whom the lists put into two parts."""
    used = images.assign(part=part)[part != ""]
    shared = used[used["part"].groupby(used["patient"]).transform("nunique") > 1]
    if shared.empty:
        return part
    num_patients = shared["patient"].nunique()
    if config.shared_patients == "refuse":
        raise InputError(
            f"the lists put {num_patients} patient(s) into two parts, e.g. {_pairs(shared)}; correct the lists, or set"
            " shared_patients: drop (their images leave training and validation) or declare"
        )
    if config.shared_patients == "declare":
        notes.append(f"{num_patients} patients stand in two parts, as the lists have it (declared).")
        return part
    rank = part.map({"": -1, "train": 0, "validation": 1, "test": 2})
    is_dropped = (rank >= 0) & (rank < rank.groupby(images["patient"]).transform("max"))
    notes.append(f"{is_dropped.sum()} images are left out: their {num_patients} patients stand in a later part too.")
    return part.where(~is_dropped, "")


def _pairs(shared: pd.DataFrame) -> str:
    """Up to five patients, with an image in each of two parts."""
    images = shared.drop_duplicates(["patient", "part"]).groupby("patient")
    pairs = [(patient, of_patient.iloc[:2]) for patient, of_patient in list(images)[:5]]
    return "; ".join(f"{patient} ({' and '.join(pair['image_id'] + ' in ' + pair['part'])})" for patient, pair in pairs)


def _held_out(
    name: str,
    wanted: float,
    max_fraction: float,
    images: pd.DataFrame,
    config: SplitConfig,
    labels: Sequence[str],
    notes: list[str],
) -> np.ndarray:
    """``name`` for the images of the patients held out for that part, what the rest is for the others."""
    rest = {"validation": "train", "test": "validation"}[name]
    patients = spread(images["patient"], labels_of(images, labels), f"{config.seed}/{name}")
    if len(patients) < 2:
        raise InputError(f"only one patient is there for {rest} and {name}: too few to draw the {name} part")
    if wanted < 1:
        rooms = [Room(n) for n in apportion(len(patients), [1 - wanted, wanted])]
    else:
        most = max(1, int(max_fraction * len(patients)))
        rooms = [Room(len(patients) - most), Room(most, wanted)]
        if patients.num_images_P[:most].sum() < wanted:
            rooms[1] = Room(most)
            notes.append(
                f"{wanted:g} {name} images are more than these data allow: {most} patients ({max_fraction:.0%} of those"
                f" for {rest} and {name}) are held out instead."
            )
    part_of = dict(zip(patients.ids_P, np.array([rest, name])[deal(patients, rooms)], strict=True))
    return images["patient"].map(part_of).to_numpy(dtype=object)
