"""The body that a frontal film shows, as a few numbers; and what findings do to its shape.

Body coordinates: X runs from the midline towards the *patient's left*, which is the right of the image; Y runs
down from 0 (top of the film) to 1 (bottom). One unit is the width of the film at zoom 1. ``u`` is the distance
from the midline on one side, always positive there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from maskray.data.made.studies import Finding

SIGNS = {"right": -1, "left": 1}


@dataclass(frozen=True)
class Anatomy:
    """One person in front of the detector; lengths in body coordinates, density in units of the film curve."""

    midline_x: float
    rotation_degrees: float
    zoom: float
    apex_y: float
    dome_right_y: float
    dome_left_y: float
    lung_width: float
    mediastinum_half_width: float
    heart_ratio: float
    rib_spacing: float
    rib_contrast: float
    dome_flatness: float
    lung_density: float
    vessel_contrast: float
    torso_half_width: float
    has_breasts: bool
    bubble_size: float
    exposure: float
    noise: float

    def dome_y(self, side: str) -> float:
        """Height of the top of the hemidiaphragm."""
        return self.dome_right_y if side == "right" else self.dome_left_y

    def angle_y(self, side: str) -> float:
        """Height of the costophrenic angle."""
        return self.dome_y(side) + 0.12 * (1 - 0.75 * self.dome_flatness)

    def depth(self, y: np.ndarray, side: str) -> np.ndarray:
        """0 at the apex of the lung, 1 at its costophrenic angle, not clipped."""
        return (y - self.apex_y) / (self.angle_y(side) - self.apex_y)

    def inner_u(self, y: np.ndarray, side: str) -> np.ndarray:
        """Medial border of the lung."""
        near_apex = np.clip(1 - self.depth(y, side) / 0.17, 0, 1)
        half = self.mediastinum_half_width
        return half + (0.12 - half) * near_apex**2

    def outer_u(self, y: np.ndarray, side: str) -> np.ndarray:
        """Lateral border of the lung; equals the medial one at the apex."""
        rise = 1 - np.clip(self.depth(y, side) / 0.72, 0, 1)
        return 0.12 + (self.lung_width - 0.12) * np.maximum(1 - rise**2.2, 0) ** 0.6

    def diaphragm_y(self, u: np.ndarray, side: str) -> np.ndarray:
        """Height of the diaphragm below each point of one side."""
        top_u, round_fraction = 0.5 * self.lung_width, 1 - 0.75 * self.dome_flatness
        lateral = np.clip((u - top_u) / (self.lung_width - top_u), 0, 1.3) ** 2.3
        medial = np.clip((top_u - u) / top_u, 0, 1.3) ** 2
        return self.dome_y(side) + round_fraction * (0.12 * lateral + 0.04 * medial)

    def site(self, side: str, down_fraction: float, out_fraction: float) -> tuple[float, float]:
        """Body coordinates of a point in a lung, by how far down and how far out it lies."""
        x, y = self.sites(side, np.array([down_fraction]), np.array([out_fraction]))
        return float(x[0]), float(y[0])

    def sites(self, side: str, down_fractions: np.ndarray, out_fractions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same for many points at once."""
        y = self.apex_y + down_fractions * (self.dome_y(side) - self.apex_y)
        inner, outer = self.inner_u(y, side), self.outer_u(y, side)
        return SIGNS[side] * (inner + out_fractions * (outer - inner)), y


def draw_anatomy(rng: np.random.Generator, sex: str, view: str) -> Anatomy:
    """A person drawn at random; AP films (lying, portable) have higher domes and a wider heart than PA ones."""
    lies = view == "AP"
    dome = rng.uniform(0.66, 0.73) - 0.03 * lies
    return Anatomy(
        midline_x=rng.uniform(0.475, 0.525),
        rotation_degrees=float(np.clip(rng.normal(0, 1.8), -5, 5)),
        zoom=rng.uniform(0.92, 1.08),
        apex_y=rng.uniform(0.09, 0.14),
        dome_right_y=dome,
        dome_left_y=dome + rng.uniform(0.0, 0.03),
        lung_width=rng.uniform(0.31, 0.36) - 0.012 * (sex == "F"),
        mediastinum_half_width=rng.uniform(0.042, 0.056) + 0.006 * lies,
        heart_ratio=rng.uniform(0.41, 0.48) + 0.02 * lies,
        rib_spacing=rng.uniform(0.058, 0.07),
        rib_contrast=rng.uniform(0.08, 0.2),
        dome_flatness=rng.uniform(0.0, 0.2),
        lung_density=rng.uniform(0.16, 0.26) + 0.03 * lies,
        vessel_contrast=rng.uniform(0.22, 0.36),
        torso_half_width=rng.uniform(0.40, 0.56),
        has_breasts=bool(sex == "F" and rng.random() < 0.7),
        bubble_size=rng.uniform(0.005, 0.035),
        exposure=rng.uniform(0.95, 1.35),
        noise=rng.uniform(0.008, 0.02),
    )


def adapt(anatomy: Anatomy, findings: Iterable[Finding]) -> Anatomy:
    """The same person with the findings that change the shape of the chest rather than add a shadow to it."""
    for finding in findings:
        size = finding.size
        if finding.label == "Cardiomegaly":
            anatomy = replace(anatomy, heart_ratio=0.61 + 0.13 * size)
        elif finding.label == "Enlarged Cardiomediastinum":
            widened = anatomy.mediastinum_half_width + 0.035 + 0.03 * size
            anatomy = replace(anatomy, mediastinum_half_width=widened)
        elif finding.label == "Emphysema":
            anatomy = _inflated(anatomy, size)
        elif finding.label == "Fibrosis":
            rise = 0.02 + 0.03 * size
            anatomy = replace(anatomy, dome_right_y=anatomy.dome_right_y - rise, dome_left_y=anatomy.dome_left_y - rise)
    return anatomy


def _inflated(anatomy: Anatomy, size: float) -> Anatomy:
    drop = 0.06 + 0.05 * size
    return replace(
        anatomy,
        apex_y=anatomy.apex_y - 0.02,
        dome_right_y=anatomy.dome_right_y + drop,
        dome_left_y=anatomy.dome_left_y + drop,
        lung_width=anatomy.lung_width * 1.05,
        heart_ratio=min(anatomy.heart_ratio, 0.42) - 0.05,
        dome_flatness=0.75 + 0.25 * size,
        lung_density=anatomy.lung_density * (0.55 - 0.2 * size),
        vessel_contrast=anatomy.vessel_contrast * 0.6,
        rib_spacing=anatomy.rib_spacing * 1.12,
    )
