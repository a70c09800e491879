"""Drawing patients so that each part looks like the whole.

Shapes: P patients, N needs (for each label: has a positive image, has a negative image).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Patients:
    """Patients in an order of which every stretch has about the labels and the images per patient of the whole.

    Attributes:
        ids_P: patient ids.
        num_images_P: images of each patient.
        meets_PN: bool; True where the patient has an image that meets the need.
    """

    ids_P: np.ndarray
    num_images_P: np.ndarray
    meets_PN: np.ndarray

    def __len__(self) -> int:
        return len(self.ids_P)


@dataclass(frozen=True)
class Room:
    """How much a part may take."""

    num_patients: int
    num_images: float = math.inf


def people_of(patient_ids: pd.Series, persons: pd.Series) -> pd.Series:
    """Whom no part may separate: the first patient id of each image's person, and of all whom ids or persons join.

    One patient may have two ids in a data set, and one id may be of two persons where a data set joins others.
    """
    # Here: jobs that only read a split do without them.
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    patients, ids = pd.factorize(patient_ids)
    people, names = pd.factorize(persons)
    num_nodes = len(ids) + len(names)
    joined = coo_matrix((np.ones(len(patients)), (patients, len(ids) + people)), shape=(num_nodes, num_nodes))
    _, group = connected_components(joined, directed=False)
    return patient_ids.groupby(group[patients]).transform("min")


def spread(patient_ids: pd.Series, labels: pd.DataFrame, seed: str) -> Patients:
    """Put the patients of the images in spread order; it depends on ``seed`` and the set of images, not on their order.

    Strata are the rarest positive label of a patient, within it the number of images by powers of two. Member j of n
    of a stratum goes to place (j + offset) / n, where the offset is the stratum's own. Chance comes from SHA-256, and
    so stays the same with every version of every library.

    Args:
        patient_ids: patient of each image.
        labels: 1, 0 or NaN; one row per image, one column per label.
        seed: text that decides the draw.
    """
    groups = pd.concat([labels == 1, labels == 0], axis=1).groupby(patient_ids.to_numpy(), sort=True)
    sizes = groups.size()
    ids_P, num_images_P = sizes.index.to_numpy(dtype=object), sizes.to_numpy()
    meets_PN = groups.any().to_numpy(dtype=bool).reshape(len(ids_P), -1)
    is_positive_PL = meets_PN[:, : labels.shape[1]]
    by_rarity_L = np.argsort(is_positive_PL.sum(axis=0), kind="stable")
    has_none_P1 = ~is_positive_PL.any(axis=1, keepdims=True)
    rarest_P = np.argmax(np.hstack([is_positive_PL[:, by_rarity_L], has_none_P1]), axis=1)
    stratum_P = rarest_P * 64 + np.floor(np.log2(num_images_P)).astype(int)

    chance_P = np.array([_chance(f"{seed}/patient/{patient}") for patient in ids_P])
    order_P = np.lexsort((chance_P, stratum_P))
    _, first, inverse, size = np.unique(stratum_P[order_P], return_index=True, return_counts=True, return_inverse=True)
    offsets = np.array([_chance(f"{seed}/stratum/{stratum}") for stratum in stratum_P[order_P][first]])
    place_P = (np.arange(len(ids_P)) - first[inverse] + offsets[inverse]) / size[inverse]
    order_P = order_P[np.lexsort((chance_P[order_P], place_P))]
    return Patients(ids_P[order_P], num_images_P[order_P], meets_PN[order_P])


def apportion(num_patients: int, shares: Sequence[float]) -> list[int]:
    """Whole numbers nearest to the shares (largest remainders) that add up; none is 0 if there are patients enough."""
    exact = [num_patients * share for share in shares]
    counts = [math.floor(value + 1e-9) for value in exact]
    by_remainder = sorted(range(len(shares)), key=lambda i: (counts[i] - exact[i], i))
    for i in by_remainder[: num_patients - sum(counts)]:
        counts[i] += 1
    while 0 in counts and max(counts) > 1:
        counts[counts.index(max(counts))] -= 1
        counts[counts.index(0)] += 1
    return counts


def deal(patients: Patients, rooms: Sequence[Room]) -> np.ndarray:
    """Part (number of its room) of each patient; what no other room takes goes to the first.

    Each part first gets, rarest need first and in the order of the rooms, a patient for each need it lacks, as far as
    there are patients; then rooms 1, 2, … are filled in spread order.
    """
    part_P = np.full(len(patients), -1)
    for need in _rarest_first(patients.meets_PN):
        for part, room in enumerate(rooms):
            _seat(patients, part_P, part, room, need)
    for part, room in enumerate(rooms[1:], start=1):
        num_left, images_left = _left(patients, part_P, part, room)
        for patient in np.flatnonzero(part_P < 0):
            if num_left == 0:
                break
            if patients.num_images_P[patient] <= images_left:
                part_P[patient] = part
                num_left -= 1
                images_left -= patients.num_images_P[patient]
    part_P[part_P < 0] = 0
    return part_P


def nested_sizes(patients: Patients, fractions: Sequence[float]) -> tuple[np.ndarray, list[int]]:
    """Order of the patients whose beginnings are the label fractions, and the size of each beginning.

    The smallest fraction meets every need that any patient meets; where its share of the patients is too few for that,
    it is as large as it must be.

    Returns:
        order_P: numbers of patients.
        sizes: patients in each of ``fractions``, which rise.
    """
    smallest = max(1, math.floor(fractions[0] * len(patients) + 0.5))
    front: list[int] = []
    meets_PN = patients.meets_PN
    is_attainable_N = np.asarray(meets_PN.any(axis=0))
    while True:
        order = [*front, *np.setdiff1d(np.arange(len(patients)), front)]
        beginning = order[: max(smallest, len(front))]
        is_missing_N = np.asarray(is_attainable_N & ~meets_PN[beginning].any(axis=0))
        if not is_missing_N.any():
            break
        need = next(need for need in _rarest_first(meets_PN) if is_missing_N[need])
        worth_P = meets_PN[:, is_missing_N].sum(axis=1) * meets_PN[:, need]
        front.append(int(np.argmax(worth_P)))
    sizes = [max(len(beginning), math.floor(share * len(patients) + 0.5)) for share in fractions]
    return np.array(order), sizes


def _chance(text: str) -> float:
    """A number in 0..1 that ``text`` decides."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64


def _rarest_first(meets_PN: np.ndarray) -> list[int]:
    num_patients_N = meets_PN.sum(axis=0)
    return [int(need) for need in np.argsort(num_patients_N, kind="stable") if num_patients_N[need] > 0]


def _left(patients: Patients, part_P: np.ndarray, part: int, room: Room) -> tuple[int, float]:
    is_member_P = part_P == part
    return (
        room.num_patients - int(is_member_P.sum()),
        room.num_images - patients.num_images_P[is_member_P].sum(),
    )


def _seat(patients: Patients, part_P: np.ndarray, part: int, room: Room, need: int) -> None:
    """Give ``part`` a patient who meets ``need``, if it has none; one who meets most of what it lacks."""
    is_missing_N = ~patients.meets_PN[part_P == part].any(axis=0)
    num_left, images_left = _left(patients, part_P, part, room)
    if not is_missing_N[need] or num_left <= 0:
        return
    is_free_P = (part_P < 0) & patients.meets_PN[:, need] & (patients.num_images_P <= images_left)
    if is_free_P.any():
        worth_P = patients.meets_PN[:, is_missing_N].sum(axis=1) * is_free_P
        part_P[int(np.argmax(worth_P))] = part
