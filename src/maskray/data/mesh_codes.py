"""Open-i's coding of reports in MeSH headings, in the names of the one vocabulary of findings.

A code is a heading with qualifiers, "Opacity/lung/base/left". The owners coded each report by hand with all that it
calls abnormal, or with ``normal`` alone; so what is not coded is absent. ``No Indexing`` marks a report that nobody
coded: nothing is known of it. A finding brings its parents with it, as everywhere (``reports/findings.yaml``).
"""

from __future__ import annotations

from collections.abc import Iterable

from maskray.data.readers.chexpert import LABELS as CHEXPERT
from maskray.reports.vocabulary import FINDINGS, ancestors

LABELS = (*CHEXPERT, "Infiltration", "Mass", "Nodule", "Emphysema", "Fibrosis", "Pleural Thickening", "Hernia")
"""CheXpert's, then those that NIH has besides."""

NOT_CODED = "no indexing"

# Finding -> heading -> qualifiers of which the code must have one; none: the heading says it all.
_HEADINGS: dict[str, dict[str, set[str]]] = {
    "No Finding": {"normal": set()},
    "Enlarged Cardiomediastinum": {"mediastinum": {"enlarged", "prominent"}},
    "Cardiomegaly": {"cardiomegaly": set(), "cardiac shadow": {"enlarged"}},
    "Pericardial Effusion": {"pericardial effusion": set()},
    "Lung Opacity": {
        "opacity": {"lung", "pulmonary alveoli"},
        "density": {"lung"},
        "airspace disease": set(),
    },
    "Interstitial Disease": {"lung diseases, interstitial": set()},
    "Infiltration": {"infiltrate": set()},
    "Edema": {"pulmonary edema": set()},
    "Consolidation": {"consolidation": set()},
    "Pneumonia": {"pneumonia": set()},
    "Atelectasis": {"pulmonary atelectasis": set()},
    "Cavitation": {"cavitation": set()},
    "Nodule": {"nodule": set()},
    "Mass": {"mass": {"lung", "thorax"}},  # not those of breast or mediastinum
    "Pneumothorax": {"pneumothorax": set(), "hydropneumothorax": set(), "hemopneumothorax": set()},
    "Pleural Effusion": {
        "pleural effusion": set(),
        "hydropneumothorax": set(),
        "hemopneumothorax": set(),
        "hemothorax": set(),
    },
    "Pleural Thickening": {"thickening": {"pleura"}},
    "Pleural Other": {"calcinosis": {"pleura"}, "cicatrix": {"pleura"}},
    "Fracture": {"fractures, bone": set()},
    "Emphysema": {"emphysema": set(), "pulmonary emphysema": set(), "bullous emphysema": set(), "blister": {"lung"}},
    "Fibrosis": {"pulmonary fibrosis": set(), "fibrosis": set()},
    "Hernia": {"hernia, hiatal": set(), "hernia, diaphragmatic": set()},
    "Support Devices": {
        "catheters, indwelling": set(),
        "implanted medical device": set(),
        "medical device": set(),
        "surgical instruments": set(),
        "tube, inserted": set(),
        "stents": set(),
        "spinal fusion": set(),
        "sutures": set(),
    },
}


def labels_of(codes: Iterable[str]) -> dict[str, float]:
    """Each of ``LABELS`` as 1 or 0 by the codes of one report; NaN where nobody coded it."""
    split = [[word.strip().lower() for word in code.split("/")] for code in codes if code.strip()]
    split = [words for words in split if words[0] != NOT_CODED]
    if not split:
        return dict.fromkeys(LABELS, float("nan"))
    named = {
        finding
        for heading, *qualifiers in split
        for finding, headings in _HEADINGS.items()
        if heading in headings and (not headings[heading] or headings[heading] & set(qualifiers))
    }
    named |= {parent.name for finding in named for parent in ancestors(FINDINGS[finding])}
    return {label: float(label in named) for label in LABELS}
