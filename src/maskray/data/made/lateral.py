"""The lateral film of a study, painted simply: the patient faces the right of the image.

It shows the shape of the chest, the size of the heart and fluid behind the diaphragm; other findings are painted on the
frontal film only.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from maskray.data.made.anatomy import Anatomy, adapt, draw_anatomy
from maskray.data.made.canvas import Canvas, Strokes, ramp
from maskray.data.made.studies import Study


def paint_lateral(study: Study, image_px: int) -> np.ndarray:
    """Paint a study's lateral film, uint8 [S, S]; the same study gives the same pixels."""
    anatomy = adapt(draw_anatomy(study.person_rng(), study.sex, study.view), study.findings)
    rng = study.rng("lateral")
    canvas = Canvas(image_px, 0.5, float(rng.normal(0, 2)), anatomy.zoom)
    front = canvas.along_y(lambda y: 0.2 + 0.1 * np.sin(np.pi * np.clip((y - 0.05) / 0.9, 0, 1)))
    back = canvas.along_y(lambda y: -0.22 - 0.08 * np.sin(np.pi * np.clip((y - 0.1) / 0.8, 0, 1)))
    body = ramp(front + 0.05 - canvas.X, 0.03) * ramp(canvas.X - back + 0.07, 0.03)
    top = canvas.Y - anatomy.apex_y - 2.2 * (canvas.X + 0.04) ** 2
    lung = ramp(front - canvas.X, 0.02) * ramp(canvas.X - back, 0.02) * ramp(top, 0.05)
    lung *= _above_diaphragm(canvas, anatomy)
    density = (0.95 * (1 - lung) + 1.3 * anatomy.lung_density * lung) * body
    density += 0.6 * (1 - _above_diaphragm(canvas, anatomy)) * body
    density += _contents(canvas, anatomy, rng) * body
    if any(f.label == "Effusion" for f in study.findings):
        level = anatomy.dome_right_y + 0.02 - 0.4 * np.maximum(-canvas.X - 0.1, 0)
        density += 0.6 * ramp(canvas.Y - level, 0.03) * lung
    film = 0.02 + 0.97 * (1 - np.exp(-anatomy.exposure * np.maximum(density, 0)))
    film += anatomy.noise * rng.standard_normal(film.shape, dtype=np.float32)
    return np.asarray(Image.fromarray((film.clip(0, 1) * 255).astype(np.uint8)))


def _above_diaphragm(canvas: Canvas, a: Anatomy) -> np.ndarray:
    flat = a.dome_flatness

    def dome(x: np.ndarray) -> np.ndarray:
        return a.dome_right_y + (1 - 0.7 * flat) * (1.5 * np.maximum(0.05 - x, 0) ** 2 + 0.6 * np.maximum(x, 0) ** 2)

    return ramp(canvas.along_u(dome, 1) - canvas.Y, 0.02)


def _contents(canvas: Canvas, a: Anatomy, rng: np.random.Generator) -> np.ndarray:
    size = a.heart_ratio * a.lung_width
    heart = canvas.disc((0.12, a.dome_right_y - 0.7 * size), (0.95 * size, 0.75 * size), 55, 0.2)
    blocks = 0.8 + 0.2 * np.cos(2 * np.pi * canvas.Y / 0.06)
    spine = ramp(0.045 - np.abs(canvas.X + 0.2 + 0.12 * (canvas.Y - 0.5) ** 2), 0.03) * blocks
    hila = canvas.cloud((0.0, a.apex_y + 0.27), (0.05, 0.07))
    windpipe = canvas.disc((-0.01, a.apex_y + 0.05), (0.016, 0.16), 5, 0.5)
    ribs = Strokes(canvas)
    for y in np.arange(a.apex_y, a.dome_right_y + 0.15, a.rib_spacing) + rng.uniform(0, 0.02):
        ribs.line([(-0.24, y - 0.02), (-0.1, y + 0.03), (0.08, y + 0.12), (0.2, y + 0.16)], 0.012, 0.7)
    return 0.5 * heart + 0.4 * spine + 0.3 * hila - 0.25 * windpipe + a.rib_contrast * ribs.array(0.003)
