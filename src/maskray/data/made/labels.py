"""What the labels of the public data sets mean to each other, and how often and where each is painted."""

from __future__ import annotations

from collections.abc import Iterable

NIH_LABELS = (
    "Atelectasis",
    "Cardiomegaly",
    "Effusion",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pneumonia",
    "Pneumothorax",
    "Consolidation",
    "Edema",
    "Emphysema",
    "Fibrosis",
    "Pleural_Thickening",
    "Hernia",
)
"""In the order of the ChestX-ray14 paper."""

CHEXPERT_LABELS = (
    "No Finding",
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Opacity",
    "Lung Lesion",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    "Support Devices",
)
"""In the order of CheXpert's csv files."""

CHEXPERT_OF = {
    "Atelectasis": ("Atelectasis", "Lung Opacity"),
    "Cardiomegaly": ("Cardiomegaly", "Enlarged Cardiomediastinum"),
    "Effusion": ("Pleural Effusion",),
    "Infiltration": ("Lung Opacity",),
    "Mass": ("Lung Lesion", "Lung Opacity"),
    "Nodule": ("Lung Lesion", "Lung Opacity"),
    "Pneumonia": ("Pneumonia", "Consolidation", "Lung Opacity"),
    "Pneumothorax": ("Pneumothorax",),
    "Consolidation": ("Consolidation", "Lung Opacity"),
    "Edema": ("Edema", "Lung Opacity"),
    "Emphysema": (),
    "Fibrosis": ("Lung Opacity",),
    "Pleural_Thickening": ("Pleural Other",),
    "Hernia": (),
    "Fracture": ("Fracture",),
    "Enlarged Cardiomediastinum": ("Enlarged Cardiomediastinum",),
    "Support Devices": ("Support Devices",),
}
"""What each painted finding means in CheXpert's labels, parents included (Irvin et al. 2019, figure 1)."""

OPACITIES_OF_PNEUMONIA = ("Pneumonia", "Consolidation", "Infiltration")
"""What RSNA's readers would box as a lung opacity that may be pneumonia."""

BOXED_BY_NIH = (
    "Atelectasis",
    "Cardiomegaly",
    "Effusion",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pneumonia",
    "Pneumothorax",
)
"""The eight classes of BBox_List_2017.csv."""

SHARES = {
    "Atelectasis": 0.13,
    "Cardiomegaly": 0.11,
    "Effusion": 0.14,
    "Infiltration": 0.13,
    "Mass": 0.09,
    "Nodule": 0.105,
    "Pneumonia": 0.10,
    "Pneumothorax": 0.10,
    "Consolidation": 0.10,
    "Edema": 0.125,
    "Emphysema": 0.105,
    "Fibrosis": 0.09,
    "Pleural_Thickening": 0.09,
    "Hernia": 0.085,
}
"""Relative frequencies; rare diseases are painted far more often than they are, so that small sets can teach them."""

COMPANIONS = {
    "Cardiomegaly": {"Edema": 2.5, "Effusion": 1.8},
    "Edema": {"Cardiomegaly": 2.5, "Effusion": 2.0},
    "Effusion": {"Atelectasis": 2.0, "Cardiomegaly": 1.5, "Edema": 1.5},
    "Atelectasis": {"Effusion": 2.0},
    "Pneumonia": {"Consolidation": 1.6, "Infiltration": 1.6, "Effusion": 1.4},
    "Emphysema": {"Pneumothorax": 1.8, "Nodule": 1.5},
    "Fibrosis": {"Pleural_Thickening": 1.8},
}
"""How many times likelier the second becomes where the first is there."""

CONFLICTS = {
    "Emphysema": {"Fibrosis", "Cardiomegaly", "Edema", "Atelectasis"},
    "Fibrosis": {"Emphysema", "Edema"},
    "Edema": {"Emphysema", "Fibrosis", "Infiltration"},
    "Infiltration": {"Edema"},
    "Cardiomegaly": {"Emphysema", "Hernia"},
    "Hernia": {"Cardiomegaly"},
    "Atelectasis": {"Emphysema"},
}
"""Pairs that would hide each other on the film."""

_ONE, _ANY, _LOWER = ("right", "left"), ("upper", "mid", "lower"), ("lower",)
SITES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Atelectasis": (_ONE, _LOWER),
    "Cardiomegaly": ((), ()),
    "Effusion": (("right", "left", "right", "left", "bilateral"), _LOWER),
    "Infiltration": (("right", "left", "bilateral"), _ANY),
    "Mass": (_ONE, _ANY),
    "Nodule": (_ONE, _ANY),
    "Pneumonia": (_ONE, ("mid", "lower", "lower")),
    "Pneumothorax": (_ONE, ("upper",)),
    "Consolidation": (_ONE, ("upper", "upper", "lower")),
    "Edema": (("bilateral",), ()),
    "Emphysema": (("bilateral",), ()),
    "Fibrosis": (("bilateral",), _LOWER),
    "Pleural_Thickening": (("right", "left", "bilateral"), ("upper", "mid")),
    "Hernia": ((), ()),
    "Fracture": (_ONE, ("mid", "lower")),
    "Enlarged Cardiomediastinum": ((), ()),
}
"""Sides and zones that a finding is drawn from; repeated ones are likelier."""


def chexpert_truth(findings: Iterable[str]) -> set[str]:
    """CheXpert's positive labels of a film on which these findings are painted; devices are no finding."""
    painted = set(findings)
    positive = {label for finding in painted for label in CHEXPERT_OF[finding]}
    return positive if painted - {"Support Devices"} else positive | {"No Finding"}
