"""One frontal film with its findings: the picture, and where each finding is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from maskray.data.made import opacities, surroundings
from maskray.data.made.anatomy import adapt, draw_anatomy
from maskray.data.made.film import Scene, develop, paint_normal
from maskray.data.made.marks import Box, Mark
from maskray.data.made.studies import Finding, Study

Painter = Callable[[Scene, Finding, np.random.Generator], Mark]

PAINTERS: dict[str, Painter] = {
    "Cardiomegaly": surroundings.cardiomegaly,
    "Enlarged Cardiomediastinum": surroundings.widened_mediastinum,
    "Emphysema": opacities.emphysema,
    "Fibrosis": opacities.fibrosis,
    "Edema": opacities.edema,
    "Infiltration": opacities.infiltration,
    "Pneumonia": opacities.pneumonia,
    "Consolidation": opacities.consolidation,
    "Atelectasis": opacities.atelectasis,
    "Nodule": opacities.nodule,
    "Mass": opacities.mass,
    "Pleural_Thickening": surroundings.pleural_thickening,
    "Pneumothorax": surroundings.pneumothorax,
    "Effusion": surroundings.effusion,
    "Hernia": surroundings.hernia,
    "Fracture": surroundings.fracture,
    "Support Devices": surroundings.devices,
}
"""In the order of painting: what lies in the lung first, what covers it after."""


@dataclass(frozen=True)
class FrontalFilm:
    """``pixels`` uint8 [S, S]; boxes on the 1024 grid and extents, bool [S, S], by label."""

    pixels: np.ndarray
    boxes: dict[str, list[Box]]
    extents: dict[str, np.ndarray]

    def mask(self, labels: Iterable[str]) -> np.ndarray:
        """Where any of ``labels`` is painted, bool [S, S]."""
        painted = [self.extents[label] for label in labels if label in self.extents]
        return np.logical_or.reduce([np.zeros(self.pixels.shape, dtype=bool), *painted])


def paint_frontal(study: Study, image_px: int) -> FrontalFilm:
    """Paint a study's frontal film; the same study gives the same pixels."""
    person = draw_anatomy(study.person_rng(), study.sex, study.view)
    scene = paint_normal(image_px, adapt(person, study.findings), study.rng("film"))
    boxes: dict[str, list[Box]] = {}
    extents: dict[str, np.ndarray] = {}
    for label, paint in PAINTERS.items():
        for finding in (f for f in study.findings if f.label == label):
            mark = paint(scene, finding, study.rng(label))
            scene.density += mark.delta
            boxes[label] = mark.boxes(scene.canvas.X)
            extents[label] = mark.extent()
    return FrontalFilm(develop(scene, study.rng("detector")), boxes, extents)
