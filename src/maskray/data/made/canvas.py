"""A canvas in body coordinates, and the brushes that everything is painted with.

Arrays are float32 ``[S, S]`` unless stated otherwise; they hold density (how much of the beam is stopped), so
that shadows add up and the film curve is applied once, at the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

_TABLE = 3072
_LOW, _HIGH = -1.0, 2.0
_TABLE_AXIS = np.linspace(_LOW, _HIGH, _TABLE)

Point = tuple[float, float]


def ramp(distance: np.ndarray, width: float) -> np.ndarray:
    """0 well below a border, 1 well above it, smooth over ``width``."""
    t = distance * np.float32(1 / width)
    t += np.float32(0.5)
    np.clip(t, 0, 1, out=t)
    smooth = 3 - 2 * t
    smooth *= t
    smooth *= t
    return smooth


class Canvas:
    """The pixel grid seen from the body: ``X``, ``Y`` are the body coordinates of the pixel centres."""

    def __init__(self, size_px: int, midline_x: float, rotation_degrees: float, zoom: float) -> None:
        """See :class:`maskray.data.made.anatomy.Anatomy` for the three placement numbers."""
        self.size_px = size_px
        self._midline_x, self._zoom = midline_x, zoom
        self._cos = math.cos(math.radians(rotation_degrees))
        self._sin = math.sin(math.radians(rotation_degrees))
        centres = (np.arange(size_px, dtype=np.float32) + 0.5) / size_px
        dx = (centres - midline_x)[None, :]
        dy = (centres - 0.5)[:, None]
        self.X = ((dx * self._cos + dy * self._sin) / zoom).astype(np.float32)
        self.Y = ((-dx * self._sin + dy * self._cos) / zoom + 0.5).astype(np.float32)
        self._row = self._index(self.Y)
        self._column = self._index(self.X)
        self._column_mirrored = self._index(-self.X)

    @staticmethod
    def _index(values: np.ndarray) -> np.ndarray:
        scale = np.float32((_TABLE - 1) / (_HIGH - _LOW))
        return ((values - np.float32(_LOW)) * scale).astype(np.int32).clip(0, _TABLE - 1)

    def along_y(self, curve: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """``curve(Y)`` at each pixel, through a table: curves are costly, look-ups are not."""
        return curve(_TABLE_AXIS).astype(np.float32)[self._row]

    def along_u(self, curve: Callable[[np.ndarray], np.ndarray], sign: int) -> np.ndarray:
        """``curve(u)`` at each pixel, u being the distance from the midline on one side."""
        index = self._column if sign > 0 else self._column_mirrored
        return curve(_TABLE_AXIS).astype(np.float32)[index]

    def pixel(self, point: Point, scale: int = 1) -> Point:
        """Image position (column, row) of a point in body coordinates."""
        x, y = point[0], point[1] - 0.5
        column = self._midline_x + self._zoom * (x * self._cos - y * self._sin)
        row = 0.5 + self._zoom * (x * self._sin + y * self._cos)
        return column * self.size_px * scale, row * self.size_px * scale

    def radius(self, centre: Point, radii: Point, degrees: float = 0.0) -> np.ndarray:
        """Distance from ``centre`` in units of the half axes of a turned ellipse: 1 on its border."""
        c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        dx, dy = self.X - np.float32(centre[0]), self.Y - np.float32(centre[1])
        if degrees:
            dx, dy = dx * np.float32(c) + dy * np.float32(s), dy * np.float32(c) - dx * np.float32(s)
        dx *= np.float32(1 / radii[0])
        dy *= np.float32(1 / radii[1])
        dx *= dx
        dy *= dy
        dx += dy
        return np.sqrt(dx, out=dx)

    def disc(self, centre: Point, radii: Point, degrees: float = 0.0, softness: float = 0.2) -> np.ndarray:
        """1 inside an ellipse, 0 outside; ``softness`` is the width of the border in units of the radius."""
        return ramp(1 - self.radius(centre, radii, degrees), softness)

    def cloud(self, centre: Point, radii: Point, degrees: float = 0.0) -> np.ndarray:
        """A bell without a border: 1 in the middle, 0.37 at the half axes."""
        r = self.radius(centre, radii, degrees)
        return np.exp(-r * r)

    def texture(self, rng: np.random.Generator, grain: float) -> np.ndarray:
        """Smooth noise of mean 0 and spread about 1 whose lumps have the size ``grain``."""
        cells = max(4, min(self.size_px, round(1 / grain)))
        coarse = Image.fromarray(rng.standard_normal((cells, cells), dtype=np.float32))
        return np.asarray(coarse.resize((self.size_px, self.size_px), Image.Resampling.BICUBIC))


class Strokes:
    """Lines drawn twice as fine as the canvas, so that thin ones are smooth."""

    _FINE = 2

    def __init__(self, canvas: Canvas) -> None:
        """Start with nothing drawn."""
        self._canvas = canvas
        side = canvas.size_px * self._FINE
        self._image = Image.new("L", (side, side))
        self._draw = ImageDraw.Draw(self._image)

    def line(self, points: Sequence[Point], width: float, strength: float = 1.0) -> None:
        """A line through body coordinates; where lines cross, the last one stands."""
        pixels = [self._canvas.pixel(point, self._FINE) for point in points]
        width_px = max(1, round(width * self._canvas.size_px * self._FINE))
        self._draw.line(pixels, fill=int(255 * min(strength, 1.0)), width=width_px, joint="curve")

    def disc(self, centre: Point, radius: float, strength: float = 1.0) -> None:
        """A filled circle."""
        x, y = self._canvas.pixel(centre, self._FINE)
        r = radius * self._canvas.size_px * self._FINE
        self._draw.ellipse((x - r, y - r, x + r, y + r), fill=int(255 * min(strength, 1.0)))

    def array(self, blur: float = 0.0) -> np.ndarray:
        """What was drawn, 0 to 1; ``blur`` in body units."""
        image = self._image.reduce(self._FINE)
        if blur:
            image = image.filter(ImageFilter.GaussianBlur(blur * self._canvas.size_px))
        return np.asarray(image, dtype=np.float32) * np.float32(1 / 255)
