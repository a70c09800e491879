"""A 256-bit fingerprint of a film, which copies share: re-encoded, resized, brighter, darker, 8 bits made of 16.

It is the signs of 16 x 16 coefficients of the cosine transform (frequencies 1 to 16 down and across) of the film at
64 px. Frequency 0 is left out: it says how bright the rows and columns are, in which all chest films are alike. What
is left differs in about half of the bits between two films, and in a few between copies; docs/leakage.md has the
numbers. Only the film itself counts, not its black padding. Shapes: S side of the square film.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import fft

from maskray.images.resize import Content

NUM_BYTES = 32
SIDE_PX = 64
_NUM_FREQUENCIES = 16
# Neighbouring frequencies agree more often than distant ones: each group of 16 bits, by which copies are looked up,
# takes bits from all over the spectrum. 97 is odd, so that every bit comes once.
_ORDER = np.arange(8 * NUM_BYTES) * 97 % (8 * NUM_BYTES)


def shrink(image_SS: NDArray[np.uint8], content: Content) -> NDArray[np.float32]:
    """The film without its padding, float32 [64, 64], its proportions not kept."""
    top, left, height, width = (int(edge) for edge in content)
    film = Image.fromarray(image_SS[top : top + height, left : left + width].astype(np.float32))
    return np.asarray(film.resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR))


def fingerprint(image_SS: NDArray[np.uint8], content: Content) -> NDArray[np.uint8]:
    """Fingerprint of a film as it is stored, uint8 [32]."""
    spectrum = fft.dctn(shrink(image_SS, content).astype(np.float64), norm="ortho")
    chosen = slice(1, _NUM_FREQUENCIES + 1)
    return np.packbits((spectrum[chosen, chosen] > 0).ravel()[_ORDER])
