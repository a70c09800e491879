"""Painting what makes the lung whiter or darker from within: opacities, nodules, scars, emphysema."""

from __future__ import annotations

from functools import partial

import numpy as np

from maskray.data.made.anatomy import SIGNS
from maskray.data.made.canvas import Point, Strokes, ramp
from maskray.data.made.film import Scene
from maskray.data.made.marks import Mark
from maskray.data.made.studies import Finding

_DOWN = {"upper": 0.27, "mid": 0.52, "lower": 0.78}


def sides_of(finding: Finding) -> tuple[str, ...]:
    """The lungs that a finding is in."""
    return ("right", "left") if finding.side == "bilateral" else (finding.side,)


def _site(scene: Scene, side: str, zone: str, rng: np.random.Generator, out: Point = (0.4, 0.7)) -> Point:
    return scene.anatomy.site(side, _DOWN[zone] + rng.uniform(-0.06, 0.06), rng.uniform(*out))


def nodule(scene: Scene, finding: Finding, rng: np.random.Generator) -> Mark:
    """One to three round spots, each smaller than 3 cm."""
    spots = np.zeros_like(scene.density)
    for _ in range(finding.count):
        centre = _site(scene, finding.side, finding.zone, rng, (0.3, 0.8))
        radius = 0.025 + 0.013 * finding.size
        spots = np.maximum(spots, scene.canvas.disc(centre, (radius, radius * rng.uniform(0.85, 1)), 0, 0.5))
    return Mark(0.66 * spots)


def mass(scene: Scene, finding: Finding, rng: np.random.Generator) -> Mark:
    """One large lobed body with a clear border."""
    centre = _site(scene, finding.side, finding.zone, rng)
    radius = 0.07 + 0.045 * finding.size
    lobes = scene.canvas.disc(centre, (radius, radius * rng.uniform(0.75, 1)), rng.uniform(0, 180), 0.22)
    for angle in rng.uniform(0, 2 * np.pi, 3):
        beside = (centre[0] + 0.6 * radius * np.cos(angle), centre[1] + 0.6 * radius * np.sin(angle))
        lobes = np.maximum(lobes, scene.canvas.disc(beside, (0.55 * radius, 0.5 * radius), 0, 0.3))
    return Mark(0.68 * lobes * scene.fields[finding.side])


def consolidation(scene: Scene, finding: Finding, rng: np.random.Generator) -> Mark:
    """A dense lobe with a straight fissure and dark air bronchograms in it."""
    canvas, anatomy, side = scene.canvas, scene.anatomy, finding.side
    top, dome = anatomy.apex_y, anatomy.dome_y(side)
    slope = rng.uniform(-0.15, 0.15)
    if finding.zone == "upper":
        fissure = top + (0.40 + 0.14 * finding.size) * (dome - top)
        band = ramp(fissure + slope * np.abs(canvas.X) - canvas.Y, 0.012)
    else:
        fissure = top + (0.62 - 0.14 * finding.size) * (dome - top)
        band = ramp(canvas.Y - fissure - slope * np.abs(canvas.X), 0.05)
    bronchi = Strokes(canvas)
    root = anatomy.site(side, 0.45, 0.05)
    for _ in range(7):
        end = _site(scene, side, finding.zone, rng, (0.2, 0.95))
        bronchi.line([root, ((root[0] + end[0]) / 2, root[1] * 0.4 + end[1] * 0.6), end], 0.011)
    solid = band * scene.fields[side]
    grain = 1 + 0.07 * canvas.texture(rng, 0.04)
    return Mark(solid * (0.72 * grain - 0.32 * bronchi.array(0.003)))


def pneumonia(scene: Scene, finding: Finding, rng: np.random.Generator) -> Mark:
    """A fluffy patch with a vague border, and smaller ones around it."""
    canvas, side = scene.canvas, finding.side
    centre = _site(scene, side, finding.zone, rng, (0.35, 0.6))
    radius = 0.085 + 0.035 * finding.size
    patch = canvas.cloud(centre, (radius, radius * rng.uniform(0.75, 1.0)), rng.uniform(0, 180))
    for _ in range(4):
        angle, reach = rng.uniform(0, 2 * np.pi), radius * rng.uniform(0.7, 1.2)
        beside = (centre[0] + reach * np.cos(angle), centre[1] + reach * np.sin(angle))
        patch = np.maximum(patch, 0.85 * canvas.cloud(beside, (0.4 * radius, 0.35 * radius)))
    fluff = 1 + 0.22 * canvas.texture(rng, 0.03)
    return Mark(0.72 * patch * fluff * scene.fields[side])


def infiltration(scene: Scene, finding: Finding, rng: np.random.Generator) -> Mark:
    """Many small faint flecks over a zone, the lung between them left clear."""
    canvas = scene.canvas
    delta = np.zeros_like(scene.density)
    mottle = 0.7 * (canvas.texture(rng, 0.015) + canvas.texture(rng, 0.024))
    flecks = ramp(mottle - 0.4, 1.9)
    for side in sides_of(finding):
        centre = _site(scene, side, finding.zone, rng, (0.45, 0.6))
        zone = canvas.radius(centre, (0.13 + 0.03 * finding.size, 0.15 + 0.04 * finding.size))
        delta += ramp(1 - zone, 0.5) * scene.fields[side]
    return Mark(delta * (0.06 + (0.42 + 0.1 * finding.size) * flecks), by_side=True)


def edema(scene: Scene, finding: Finding, rng: np.random.Generator) -> Mark:
    """A butterfly of haze around both hila; with rising grade denser, wider, and with septal lines at the bases."""
    canvas, anatomy, grade = scene.canvas, scene.anatomy, finding.grade
    delta = np.zeros_like(scene.density)
    haze = 1 + 0.2 * canvas.texture(rng, 0.03)
    lines = Strokes(canvas)
    for side in SIGNS:
        hilum = anatomy.site(side, 0.5, 0.28)
        wing = canvas.cloud(hilum, (0.09 + 0.014 * grade, 0.155 + 0.02 * grade))
        delta += (0.22 + 0.11 * grade) * wing * haze * scene.fields[side]
        for down in np.linspace(0.68, 0.98, 7):
            outer = anatomy.site(side, down, 0.99)
            lines.line([outer, (outer[0] - SIGNS[side] * 0.05, outer[1] + 0.004)], 0.004)
    septa = lines.array(0.001) * (scene.fields["right"] + scene.fields["left"])
    return Mark(delta + 0.3 * septa + 0.35 * scene.vessels, by_side=True)


def atelectasis(scene: Scene, finding: Finding, rng: np.random.Generator) -> Mark:
    """Plates of collapsed lung above a hemidiaphragm that the loss of volume has pulled up."""
    canvas, anatomy, side = scene.canvas, scene.anatomy, finding.side
    rise = 0.035 + 0.035 * finding.size
    plates = Strokes(canvas)
    for index in range(2 + int(finding.size > 0.5)):
        down = 0.62 + 0.12 * index - 0.05 * finding.size + rng.uniform(-0.03, 0.03)
        inner = anatomy.site(side, down, rng.uniform(0.05, 0.25))
        outer = anatomy.site(side, down + rng.uniform(-0.08, 0.08), rng.uniform(0.8, 1.0))
        sag = ((inner[0] + outer[0]) / 2, (inner[1] + outer[1]) / 2 + rng.uniform(-0.015, 0.025))
        width = rng.uniform(0.013, 0.02)
        plates.line([inner, sag], width, 0.85)
        plates.line([sag, outer], width * 1.3, 1.0)
    dome = canvas.along_u(partial(anatomy.diaphragm_y, side=side), SIGNS[side])
    raised = ramp(canvas.Y - dome + rise, 0.014)
    crowding = canvas.cloud(anatomy.site(side, 0.85, 0.4), (0.13, 0.05))
    return Mark((0.72 * plates.array(0.004) * (1 - raised) + 0.25 * crowding + 1.2 * raised) * scene.fields[side])


def fibrosis(scene: Scene, finding: Finding, rng: np.random.Generator) -> Mark:
    """A net of fine lines (honeycombing), densest at both bases and along the chest wall."""
    anatomy, canvas = scene.anatomy, scene.canvas
    # Where smooth noise crosses zero is a net of closed loops.
    net = np.exp(-((canvas.texture(rng, 0.019) / 0.3) ** 2)) + 0.6 * np.exp(-((canvas.texture(rng, 0.027) / 0.2) ** 2))
    delta = np.zeros_like(scene.density)
    for side, sign in SIGNS.items():
        depth = canvas.along_y(partial(anatomy.depth, side=side))
        base = ramp(depth - 0.62, 0.4)
        wall = ramp(canvas.X * sign - canvas.along_y(partial(anatomy.outer_u, side=side)) + 0.06, 0.08)
        wall *= ramp(depth - 0.3, 0.4)
        delta += np.maximum(base, 0.7 * wall) * scene.fields[side]
    return Mark(delta * (0.1 + (0.42 + 0.14 * finding.size) * net), by_side=True)


def emphysema(scene: Scene, finding: Finding, rng: np.random.Generator) -> Mark:
    """Bullae in lungs that the anatomy has made large, dark and flat-based."""
    canvas = scene.canvas
    delta = np.zeros_like(scene.density)
    for side in SIGNS:
        for _ in range(2 + int(3 * finding.size)):
            centre = _site(scene, side, "upper", rng, (0.3, 0.9))
            radius = rng.uniform(0.025, 0.05)
            r = canvas.radius(centre, (radius, radius))
            wall = np.exp(-(((r - 1) / 0.1) ** 2))
            delta += (0.1 * wall - 0.05 * (r < 1)) * scene.fields[side]
    lungs = (scene.lungs["right"] > 0.5) | (scene.lungs["left"] > 0.5)
    return Mark(delta, region=lungs, by_side=True)
