"""Painting what lies around the lungs: pleura, heart, mediastinum, hernia, ribs, devices."""

from __future__ import annotations

from functools import partial

import numpy as np

from maskray.data.made.anatomy import SIGNS
from maskray.data.made.canvas import Strokes, ramp
from maskray.data.made.film import Scene, heart_box
from maskray.data.made.marks import Mark
from maskray.data.made.opacities import sides_of
from maskray.data.made.studies import Finding


def effusion(scene: Scene, finding: Finding, rng: np.random.Generator) -> Mark:
    """Fluid at the base: even, dense, its upper edge rising towards the chest wall."""
    canvas, anatomy = scene.canvas, scene.anatomy
    delta = np.zeros_like(scene.density)
    for side in sides_of(finding):
        level = anatomy.angle_y(side) - 0.12 - 0.24 * finding.size
        width = anatomy.lung_width

        def meniscus(u: np.ndarray, level: float = level, width: float = width) -> np.ndarray:
            climb = np.clip(u / width, 0, 1.1)
            return level + 0.03 - 0.11 * climb**3

        fluid = ramp(canvas.Y - canvas.along_u(meniscus, SIGNS[side]), 0.025)
        delta += fluid * scene.fields[side]
    return Mark(delta * 0.95, by_side=True)


def pneumothorax(scene: Scene, finding: Finding, rng: np.random.Generator) -> Mark:
    """Air without vessels between the chest wall and the line of the collapsed lung."""
    canvas, anatomy, side = scene.canvas, scene.anatomy, finding.side
    u = canvas.X * SIGNS[side]
    share = 0.30 + 0.35 * finding.size

    def edge(y: np.ndarray) -> np.ndarray:
        inner, outer = anatomy.inner_u(y, side), anatomy.outer_u(y, side)
        # The gap is widest at the apex, where air gathers in somebody who sits.
        gap = share * np.clip(1.45 - 0.8 * np.clip(anatomy.depth(y, side), 0, 1), 0, 1.4)
        return inner + (outer - inner) * np.clip(1 - gap, 0.05, 1)

    border = canvas.along_y(edge)
    cap = ramp(canvas.Y - anatomy.site(side, 0.03 + 0.16 * finding.size, 0.5)[1], 0.03)
    inside = ramp(border - u, 0.008) * cap
    lung = scene.lungs[side]
    air = lung * (1 - inside)
    line = np.exp(-(((u - border) / 0.006) ** 2)) * cap * lung
    delta = 0.35 * line - air * (scene.vessels + 0.75 * anatomy.lung_density) + 0.16 * inside * lung
    return Mark(delta, region=air > 0.5)


def pleural_thickening(scene: Scene, finding: Finding, rng: np.random.Generator) -> Mark:
    """A bright, uneven rim along the chest wall."""
    canvas, anatomy = scene.canvas, scene.anatomy
    delta = np.zeros_like(scene.density)
    for side in sides_of(finding):
        phase, width = rng.uniform(0, 6), 0.03 + 0.02 * finding.size
        reach = (-0.05, 0.62) if finding.zone == "upper" else (0.3, 0.95)

        def rim(y: np.ndarray, side: str = side, phase: float = phase, width: float = width) -> np.ndarray:
            waves = width * (1 + 0.18 * np.sin(37 * y + phase) + 0.15 * np.sin(83 * y + 2 * phase))
            return anatomy.outer_u(y, side) - waves

        depth = canvas.along_y(partial(anatomy.depth, side=side))
        along = ramp(depth - reach[0], 0.08) * ramp(reach[1] - depth, 0.1)
        delta += ramp(canvas.X * SIGNS[side] - canvas.along_y(rim), 0.012) * along * scene.lungs[side]
    return Mark(0.75 * delta, by_side=True)


def cardiomegaly(scene: Scene, finding: Finding, rng: np.random.Generator) -> Mark:
    """The heart that the anatomy has made wide: nothing is added, its outline is the region."""
    return Mark(np.zeros_like(scene.density), region=heart_box(scene))


def widened_mediastinum(scene: Scene, finding: Finding, rng: np.random.Generator) -> Mark:
    """The upper mediastinum that the anatomy has made wide."""
    anatomy, canvas = scene.anatomy, scene.canvas
    half = 1.9 * anatomy.mediastinum_half_width
    depth = (canvas.Y - anatomy.apex_y) / (anatomy.dome_right_y - anatomy.apex_y)
    tall = np.abs(depth - 0.5) < 0.5
    return Mark(np.zeros_like(scene.density), region=tall & (np.abs(canvas.X) < half))


def hernia(scene: Scene, finding: Finding, rng: np.random.Generator) -> Mark:
    """A round pouch behind the heart, with air above a level of fluid."""
    canvas, anatomy = scene.canvas, scene.anatomy
    radius = 0.075 + 0.03 * finding.size
    centre = (rng.uniform(-0.01, 0.06), anatomy.dome_left_y - 0.35 * radius)
    r = canvas.radius(centre, (radius, radius))
    wall = np.exp(-(((r - 0.97) / 0.1) ** 2))
    level = centre[1] + rng.uniform(-0.05, 0.25) * radius
    inside = ramp(0.95 - r, 0.12)
    air = inside * ramp(level - canvas.Y, 0.012)
    fluid = inside - air
    # Air replaces most of what the beam meets there, so that the pouch shows through the heart.
    return Mark(0.3 * wall + 0.35 * fluid - 0.55 * air * scene.density)


def fracture(scene: Scene, finding: Finding, rng: np.random.Generator) -> Mark:
    """Two neighbouring ribs broken at the side: a step, a dark gap, a bright knot of callus."""
    anatomy, strokes, gaps = scene.anatomy, Strokes(scene.canvas), Strokes(scene.canvas)
    down = {"mid": 0.5, "lower": 0.75}[finding.zone]
    for index in range(2):
        x, y = anatomy.site(finding.side, down + index * 0.12, 0.97)
        sign = SIGNS[finding.side]
        strokes.line([(x - sign * 0.05, y - 0.02), (x, y)], 0.016)
        strokes.line([(x + sign * 0.008, y + 0.018), (x + sign * 0.03, y + 0.045)], 0.016)
        strokes.disc((x, y + 0.008), 0.014)
        gaps.line([(x - 0.012, y + 0.02), (x + 0.012, y - 0.006)], 0.005)
    return Mark(0.45 * strokes.array(0.003) - 0.4 * gaps.array(0.001))


def devices(scene: Scene, finding: Finding, rng: np.random.Generator) -> Mark:
    """Tubes, lines, wires and the like, of metal or marked with it."""
    top, dome = scene.anatomy.apex_y, scene.anatomy.dome_left_y
    strokes = Strokes(scene.canvas)
    wobble = float(rng.uniform(-0.01, 0.01))
    if finding.kind == "endotracheal tube":
        strokes.line([(wobble, -0.1), (wobble, top + 0.13)], 0.016, 0.75)
        strokes.line([(wobble - 0.006, -0.1), (wobble - 0.006, top + 0.13)], 0.005)
    elif finding.kind == "nasogastric tube":
        points = [(wobble, -0.1), (0.01, top + 0.2), (0.0, dome), (0.06, dome + 0.08), (0.16, dome + 0.11)]
        strokes.line(points, 0.01, 0.9)
    elif finding.kind == "left pectoral pacemaker":
        x, y = 0.25 + wobble, top + 0.10
        strokes.disc((x, y), 0.042)
        strokes.line([(x, y), (0.12, top + 0.07), (-0.03, top + 0.14), (-0.045, dome - 0.12)], 0.007)
        strokes.line([(-0.045, dome - 0.12), (0.06, dome - 0.03)], 0.007)
    elif finding.kind == "median sternotomy wires":
        for y in np.linspace(top + 0.14, dome - 0.06, 6):
            strokes.line([(-0.018, y), (0, y - 0.01), (0.018, y), (0, y + 0.01), (-0.018, y)], 0.005)
    elif finding.kind == "right chest port":
        strokes.disc((-0.22, top + 0.12), 0.028)
        strokes.line([(-0.22, top + 0.12), (-0.15, top), (-0.06, top + 0.06), (-0.035, top + 0.3)], 0.009, 0.9)
    else:
        strokes.line([(-0.09, -0.05), (-0.07, top), (-0.04, top + 0.1), (-0.035, top + 0.3)], 0.01, 0.9)
    return Mark(1.1 * strokes.array())
