"""Painting the normal frontal film: body, lungs, bones, heart, vessels; and the film curve."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from maskray.data.made.anatomy import SIGNS, Anatomy
from maskray.data.made.canvas import Canvas, Point, Strokes, ramp


@dataclass
class Scene:
    """A film in the making: what findings need to know about what lies beneath them."""

    canvas: Canvas
    anatomy: Anatomy
    density: np.ndarray
    lungs: dict[str, np.ndarray]  # how much of each pixel is lung, 0 to 1
    fields: dict[str, np.ndarray]  # the same, less where the heart covers it
    vessels: np.ndarray


def paint_normal(size_px: int, anatomy: Anatomy, rng: np.random.Generator) -> Scene:
    """A chest without findings, as density."""
    canvas = Canvas(size_px, anatomy.midline_x, anatomy.rotation_degrees, anatomy.zoom)
    lungs = {side: _lung(canvas, anatomy, side) for side in SIGNS}
    body = _body(canvas, anatomy)
    heart = _heart(canvas, anatomy)
    both_lungs = lungs["right"] + lungs["left"]
    density = 0.72 + 0.25 * ramp(np.abs(canvas.X) - anatomy.lung_width, 0.2)
    density = density + _belly(canvas, anatomy)
    density += _mediastinum(canvas, anatomy) * (1 - both_lungs)
    # The lung replaces the tissue in front of and behind it only in part: walls remain.
    density = density * (1 - both_lungs) + anatomy.lung_density * both_lungs
    density = np.maximum(density, heart * (0.95 + 0.3 * ramp(canvas.Y - anatomy.dome_y("left") + 0.1, 0.3)))
    vessels = _vessels(canvas, anatomy, rng) * both_lungs * (1 - heart) * anatomy.vessel_contrast
    density += vessels
    density += _ribs(canvas, anatomy) * anatomy.rib_contrast
    density += _girdle(canvas, anatomy, rng)
    if anatomy.has_breasts:
        density += _breasts(canvas, anatomy)
    density = density * body
    density *= 1 + 0.03 * canvas.texture(rng, 0.12)
    fields = {side: lung * (1 - 0.75 * heart) for side, lung in lungs.items()}
    return Scene(canvas, anatomy, density.astype(np.float32), lungs, fields, vessels)


def develop(scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """The film, uint8 [S, S]: dense is bright and saturates, as on a real one; then noise and the side marker."""
    anatomy = scene.anatomy
    film = 0.02 + 0.97 * (1 - np.exp(-anatomy.exposure * np.maximum(scene.density, 0)))
    film += anatomy.noise * rng.standard_normal(film.shape, dtype=np.float32)
    film += 0.5 * anatomy.noise * scene.canvas.texture(rng, 0.012)
    image = Image.fromarray((film.clip(0, 1) * 255).astype(np.uint8))
    _mark_side(image, rng)
    return np.asarray(image)


def _mark_side(image: Image.Image, rng: np.random.Generator) -> None:
    size = image.width
    x, y = rng.uniform(0.92, 0.95) * size, rng.uniform(0.03, 0.08) * size
    ImageDraw.Draw(image).text((x, y), "L", fill=235, font=ImageFont.load_default(max(8, size // 24)))


def _lung(canvas: Canvas, a: Anatomy, side: str) -> np.ndarray:
    sign = SIGNS[side]
    u = canvas.X * sign
    mask = ramp(u - canvas.along_y(partial(a.inner_u, side=side)), 0.02)
    mask *= ramp(canvas.along_y(partial(a.outer_u, side=side)) - u, 0.016)
    mask *= ramp(canvas.along_u(partial(a.diaphragm_y, side=side), sign) - canvas.Y, 0.014)
    return mask * ramp(canvas.Y - np.float32(a.apex_y), 0.01)


def _body(canvas: Canvas, a: Anatomy) -> np.ndarray:
    shoulder_y = a.apex_y - 0.05

    def half_width(y: np.ndarray) -> np.ndarray:
        slope = np.clip((y - shoulder_y) / 0.11, 0, 1) ** 0.7
        return 0.10 + 0.5 * slope

    trunk = ramp(canvas.along_y(half_width) - np.abs(canvas.X), 0.02)
    # Below the armpit there is air between trunk and arm, unless the arm lies outside the film.
    armpit = ramp(canvas.Y - (a.apex_y + 0.27), 0.1)
    beside = ramp(np.abs(canvas.X) - a.torso_half_width, 0.025) * armpit
    return trunk * (1 - 0.96 * beside)


def _belly(canvas: Canvas, a: Anatomy) -> np.ndarray:
    below = np.zeros_like(canvas.X)
    for side, sign in SIGNS.items():
        dome = canvas.along_u(partial(a.diaphragm_y, side=side), sign)
        below += ramp(canvas.Y - dome, 0.02) * ramp(canvas.X * sign, 0.06)
    outside = ramp(np.abs(canvas.X) - a.lung_width, 0.03)
    below += (0.55 * ramp(canvas.Y - a.dome_right_y - 0.05, 0.5) - below) * outside
    bubble = canvas.disc((0.15, a.dome_left_y + 0.05 + a.bubble_size), (2 * a.bubble_size, a.bubble_size), -10, 0.5)
    return below * (0.75 - 0.45 * bubble)


def _mediastinum(canvas: Canvas, a: Anatomy) -> np.ndarray:
    half = a.mediastinum_half_width
    column = ramp(half + 0.012 - np.abs(canvas.X), 0.03) * ramp(canvas.Y - 0.02, 0.1)
    bones = ramp(0.036 - np.abs(canvas.X), 0.014)
    discs = 0.75 + 0.25 * np.cos(2 * np.pi * canvas.Y / 0.052)
    trachea = ramp(0.017 - np.abs(canvas.X + 0.004), 0.014) * ramp(a.apex_y + 0.22 - canvas.Y, 0.05)
    return column * 0.4 + bones * 0.4 * discs - 0.42 * trachea


def _heart_outline(a: Anatomy) -> tuple[Point, Point, float]:
    half_width = a.heart_ratio * a.lung_width
    centre = (0.22 * half_width + 0.012, a.dome_left_y - 0.5 * half_width)
    return centre, (half_width * 1.06, half_width * 0.8), 36


def _heart(canvas: Canvas, a: Anatomy) -> np.ndarray:
    centre, radii, degrees = _heart_outline(a)
    heart = canvas.disc(centre, radii, degrees, 0.12)
    half, top = a.mediastinum_half_width, a.apex_y + 0.15
    knob = canvas.disc((0.6 * half + 0.008, top), (half * 0.75, half * 0.75), 0, 0.3)
    # From the pulmonary trunk down to the ventricle, and from the great veins down to the atrium.
    middle = (top + centre[1] - 0.4 * radii[1]) / 2 + 0.03
    trunk = canvas.disc((0.4 * half, middle), (half * 1.25, centre[1] - middle), -8, 0.3)
    cava = canvas.disc((-0.5 * half, middle - 0.02), (half * 0.75, 0.17), 4, 0.3)
    return np.maximum.reduce([heart, 0.92 * knob, 0.95 * trunk, 0.85 * cava])


def heart_box(scene: Scene) -> np.ndarray:
    """Pixels of the heart below the great vessels, bool [S, S]."""
    return scene.canvas.radius(*_heart_outline(scene.anatomy)) < 1.02


def _vessels(canvas: Canvas, a: Anatomy, rng: np.random.Generator) -> np.ndarray:
    strokes = Strokes(canvas)
    for side, sign in SIGNS.items():
        hilum = (sign * 0.06, a.apex_y + 0.45 * (a.dome_y(side) - a.apex_y))
        num_branches = 8
        angles = np.linspace(-1.3, 1.4, num_branches) + rng.normal(0, 0.15, num_branches)
        for angle in angles:
            _branch(strokes, hilum, sign, angle, rng.uniform(0.18, 0.32), 0.011, rng, depth=2)
    hila = sum(
        canvas.cloud((s * 0.075, a.apex_y + 0.45 * (a.dome_y(side) - a.apex_y)), (0.035, 0.07))
        for side, s in SIGNS.items()
    )
    return strokes.array(0.002) + 0.9 * hila


def _branch(
    strokes: Strokes,
    start: Point,
    sign: int,
    angle: float,
    length: float,
    width: float,
    rng: np.random.Generator,
    depth: int,
) -> None:
    num_steps = 3
    turns = rng.normal(0, 0.13, num_steps)
    points = [start]
    for step in range(num_steps):
        angle += turns[step]
        x, y = points[-1]
        reach = length / num_steps
        points.append((x + sign * reach * math.cos(angle), y + reach * math.sin(angle)))
        thickness = width * (1 - 0.75 * step / num_steps)
        strokes.line(points[-2:], thickness, 0.35 + 0.3 * (1 - step / num_steps))
        if depth and step in (1, 2):
            side_angle = angle + (0.55 if turns[step] > 0 else -0.55)
            _branch(strokes, points[-1], sign, side_angle, length * 0.5, thickness * 0.6, rng, depth - 1)


def _ribs(canvas: Canvas, a: Anatomy) -> np.ndarray:
    axis = np.arange(256) / 256
    shaft = np.clip(1.6 * np.cos(2 * np.pi * (axis - 0.5)) + 0.5, 0, 1)
    edge = np.exp(-(((np.abs(axis - 0.5) - 0.27) / 0.05) ** 2))
    profile = (0.75 * shaft + 0.5 * edge).astype(np.float32)
    ribs = np.zeros_like(canvas.X)
    for sign in SIGNS.values():
        u = canvas.X * sign
        here = ramp(u - 0.03, 0.02) * ramp(a.lung_width * 1.05 - u, 0.02)

        def behind(v: np.ndarray) -> np.ndarray:
            out = np.clip(v / a.lung_width, 0, 1.2)
            return 0.11 * out**2.6 - 0.03 * np.sin(np.pi * np.clip(out, 0, 1))

        def before(v: np.ndarray) -> np.ndarray:
            return -0.17 * np.clip(v / a.lung_width, 0, 1.2) ** 0.9

        back = (canvas.Y - canvas.along_u(behind, sign)) * np.float32(1 / a.rib_spacing)
        front = (canvas.Y - canvas.along_u(before, sign)) * np.float32(0.85 / a.rib_spacing)
        ribs += here * profile[(back * 256).astype(np.int32) & 255]
        ribs += 0.35 * here * ramp(u - 0.12, 0.06) * profile[(front * 256).astype(np.int32) & 255]
    return ribs * ramp(canvas.Y - a.apex_y - 0.005, 0.03) * ramp(a.dome_right_y + 0.14 - canvas.Y, 0.1)


def _girdle(canvas: Canvas, a: Anatomy, rng: np.random.Generator) -> np.ndarray:
    """Clavicles, shoulder blades and the heads of the upper arms."""
    strokes = Strokes(canvas)
    top = a.apex_y
    tilt = rng.uniform(-0.01, 0.04)
    for sign in SIGNS.values():
        clavicle = [(0.035, 0.085), (0.12, 0.06), (0.22, 0.03 - tilt), (0.33, 0.02 - tilt), (0.42, 0.03 - tilt)]
        strokes.line([(sign * x, top + y) for x, y in clavicle], 0.022, 0.7)
        blade = [(0.40, 0.06), (0.37, 0.16), (0.335, 0.30), (0.36, 0.33)]
        strokes.line([(sign * x, top + y) for x, y in blade], 0.008, 0.4)
        strokes.disc((sign * 0.465, top + 0.085), 0.048, 0.75)
        strokes.line([(sign * 0.475, top + 0.1), (sign * 0.53, top + 0.5)], 0.045, 0.5)
    return strokes.array(0.004) * 0.45


def _breasts(canvas: Canvas, a: Anatomy) -> np.ndarray:
    return sum(
        0.16 * canvas.disc((sign * 0.2, a.dome_y(side) - 0.1), (0.15, 0.16), 0, 0.35) for side, sign in SIGNS.items()
    )  # type: ignore[return-value]
