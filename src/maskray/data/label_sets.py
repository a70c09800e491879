"""Seen and unseen labels of a data set with many, as MMCLIP sorts PadChest's 193 (Sec. 5.1, Tables 1 and 2).

Seen: what CheXpert's labels, and so MIMIC-CXR's, name in the same words; the paper counts 8. Set aside: 12 that "cannot
be strictly matched", yet are not unseen either, or that no test image has. Unseen: the other 173, of which the most
frequent 10 and 20 are sets of their own. The paper prints no list; the rules here give its numbers on the full table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from maskray.data.readers.chexpert import LABELS as CHEXPERT_LABELS
from maskray.reports.vocabulary import phrase

NO_FINDINGS = ("exclude", "normal", "suboptimal study", "unchanged")
# PadChest's nearest general words for the labels of CheXpert's that it has no exact word for.
NEAR_SEEN = {
    "Enlarged Cardiomediastinum": ("mediastinal enlargement",),
    "Lung Opacity": ("increased density", "infiltrates"),
    "Lung Lesion": ("mass", "nodule", "pulmonary mass"),
    "Pleural Other": ("pleural plaques",),
    "Support Devices": ("catheter",),
}
SET_ASIDE = frozenset([*NO_FINDINGS, *(name for names in NEAR_SEEN.values() for name in names)])
UNSEEN_SIZES = (10, 20)


def by_frequency(counts: Mapping[str, int]) -> list[str]:
    """The names, the most frequent first, those of one frequency in the order of the alphabet."""
    return sorted(counts, key=lambda name: (-counts[name], name))


def matching_labels(names: Iterable[str]) -> dict[str, str]:
    """CheXpert label -> the name that says the same in the same words, in CheXpert's order."""
    spelt = {name.lower(): name for name in sorted(names, reverse=True)}
    words = {label: (label.lower(), phrase(label)) for label in CHEXPERT_LABELS}
    found = {label: [spelt[word] for word in of_label if word in spelt] for label, of_label in words.items()}
    return {label: of_label[0] for label, of_label in found.items() if of_label}


def label_sets(counts: Mapping[str, int]) -> dict[str, list[str]]:
    """The paper's label sets: ``seen``, ``unseen_10``, ``unseen_20`` and ``unseen_all``.

    Args:
        counts: label -> its positive images in the test part. A label that has none is in no set.

    Returns:
        the sets; the unseen labels by falling frequency, the seen ones in CheXpert's order. A set has fewer labels than
        its name says where there are no more.
    """
    present = {name: count for name, count in counts.items() if count > 0}
    seen = list(matching_labels(present).values())
    unseen = [name for name in by_frequency(present) if name not in seen and name.lower() not in SET_ASIDE]
    tops = {f"unseen_{size}": unseen[:size] for size in UNSEEN_SIZES}
    return {"seen": seen, **tops, "unseen_all": unseen}
