"""What painting one finding leaves behind: a change of density, and where it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Box = tuple[float, float, float, float]
"""x, y, width, height on the 1024 grid, origin at the top left of the film."""

GRID = 1024
_VISIBLE_SHARE = 0.12


@dataclass
class Mark:
    """``delta`` float32 [S, S] is added to the density; ``region`` bool [S, S] is where the finding is."""

    delta: np.ndarray
    region: np.ndarray | None = None
    by_side: bool = False

    def extent(self) -> np.ndarray:
        """Where the finding is, bool [S, S]: the region given, or where the change is visible."""
        if self.region is not None:
            return self.region
        strength = np.abs(self.delta)
        return strength > _VISIBLE_SHARE * strength.max()

    def boxes(self, sign_of_pixel: np.ndarray) -> list[Box]:
        """Bounding boxes on the 1024 grid; one a side where the finding is on both."""
        extent = self.extent()
        if not self.by_side:
            return [box for box in [bounding_box(extent)] if box]
        halves = (extent & (sign_of_pixel < 0), extent & (sign_of_pixel >= 0))
        return [box for half in halves if (box := bounding_box(half))]


def bounding_box(mask: np.ndarray) -> Box | None:
    """The smallest box around the True pixels, on the 1024 grid; None where there are none."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    scale = GRID / mask.shape[0]
    top, left = rows[0] * scale, columns[0] * scale
    return left, top, (columns[-1] + 1) * scale - left, (rows[-1] + 1) * scale - top
