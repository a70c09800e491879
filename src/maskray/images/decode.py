"""Film files to grey values in 0..1: JPEG, PNG and DICOM, told apart by their content, not by their names.

How grey values are scaled:

- 8 bits and fewer: the full range of the format, so that a dim film stays dim.
- 16-bit PNG: the range of the values that occur, since scanners use any part of the 65,536.
- DICOM: see :mod:`maskray.images.dicom`.

Colour becomes luminance (ITU-R 601), transparency is ignored, EXIF rotation too: boxes and masks of the data
sets refer to the stored rows and columns. Shapes: H height, W width.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

_SIGNATURES = {"JPEG": (0, b"\xff\xd8\xff"), "PNG": (0, b"\x89PNG\r\n\x1a\n"), "DICOM": (128, b"DICM")}
_NUM_HEADER_BYTES = 132


class UnreadableImage(Exception):  # noqa: N818 - it tells about the file, and is an ordinary outcome
    """A film cannot be used. The message is the reason in plain words, without anything from the file's texts."""


@dataclass(frozen=True)
class Film:
    """A decoded film.

    Attributes:
        pixels_HW: float32 in 0..1, higher = brighter = denser; smaller than the file where a reduction was allowed.
        height: rows of the file.
        width: columns of the file.
    """

    pixels_HW: NDArray[np.float32]
    height: int
    width: int


def film_kind(path: str | Path) -> str:
    """JPEG, PNG or DICOM by the first bytes of a file; ``UnreadableImage`` where it is none, empty or not there."""
    return _kind(_header(Path(path)))


def decode(path: str | Path, max_pixels: int) -> NDArray[np.float32]:
    """The whole film, float32 [H, W] in 0..1; see :func:`read_film` for the errors."""
    return read_film(path, max_pixels).pixels_HW


def read_film(path: str | Path, max_pixels: int, enough_px: int | None = None) -> Film:
    """Decode one film.

    Args:
        path: the file.
        max_pixels: a file whose header declares more is refused before any pixel is decoded.
        enough_px: a JPEG may be decoded at 1/2, 1/4 or 1/8 as long as its longer side keeps this many pixels,
            which takes half the time; the other formats are always decoded whole.

    Raises:
        UnreadableImage: missing, empty, cut short, damaged, too large, no film at all, or a single grey value.
    """
    header = _header(Path(path))
    kind = _kind(header)
    if kind == "DICOM":
        # Training environments read shards only and need no pydicom.
        from maskray.images.dicom import read_dicom

        pixels_HW = read_dicom(path, max_pixels)
        film = Film(pixels_HW, *pixels_HW.shape)
    else:
        film = _read_picture(Path(path), kind, header, max_pixels, enough_px)
    if film.pixels_HW.min() == film.pixels_HW.max():
        raise UnreadableImage("all pixels have the same value")
    return film


def check_size(height: int, width: int, max_pixels: int) -> None:
    """Raise :class:`UnreadableImage` for a film without pixels or with more than ``max_pixels``."""
    if height < 1 or width < 1:
        raise UnreadableImage(f"declares {height} x {width} pixels")
    if height * width > max_pixels:
        raise UnreadableImage(f"declares {height} x {width} pixels, more than max_pixels = {max_pixels}")


def scaled_by_range(values_HW: NDArray, low: float, high: float) -> NDArray[np.float32]:
    """Grey values with ``low`` at 0 and ``high`` at 1, cut outside; all 0 where ``high`` is not above ``low``."""
    if high <= low:
        return np.zeros(values_HW.shape, np.float32)
    scaled_HW = (values_HW.astype(np.float32) - np.float32(low)) / np.float32(high - low)
    return np.clip(scaled_HW, 0, 1)


def _header(path: Path) -> bytes:
    try:
        with path.open("rb") as handle:
            header = handle.read(_NUM_HEADER_BYTES)
    except FileNotFoundError:
        raise UnreadableImage("no such file") from None
    except OSError as error:
        raise UnreadableImage(f"cannot be opened ({error.strerror})") from None
    if not header:
        raise UnreadableImage("the file is empty (0 bytes)")
    return header


def _kind(header: bytes) -> str:
    for kind, (offset, signature) in _SIGNATURES.items():
        if header[offset : offset + len(signature)] == signature:
            return kind
    raise UnreadableImage("neither JPEG nor PNG nor DICOM")


def _read_picture(path: Path, kind: str, header: bytes, max_pixels: int, enough_px: int | None) -> Film:
    """A JPEG or PNG by Pillow, whose two process-wide switches are set each time, since any library may turn them:
    its own limit only warns up to twice the limit, and ours refuses; a cut file must fail, not end in grey.
    """
    Image.MAX_IMAGE_PIXELS = None
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    if kind == "PNG":
        _check_png_depth(header)
    try:
        with Image.open(path, formats=[kind]) as picture:
            width, height = picture.size
            check_size(height, width, max_pixels)
            if kind == "JPEG" and enough_px is not None:
                shrink = enough_px / max(width, height)
                picture.draft("L", (max(1, int(width * shrink)), max(1, int(height * shrink))))
            return Film(_grey(picture), height, width)
    except UnreadableImage:
        raise
    except UnidentifiedImageError:
        raise UnreadableImage(f"damaged {kind}: its header cannot be read") from None
    except Exception as error:  # decoders raise whatever occurs to them on a damaged file
        raise UnreadableImage(f"damaged {kind}: {error}") from None


def _check_png_depth(header: bytes) -> None:
    """Refuse 16-bit colour: Pillow would silently keep 8 of the 16 bits. Bytes 24 and 25: depth, kind of colour."""
    if header[24:25] == b"\x10" and header[25:26] != b"\x00":
        raise UnreadableImage("16-bit colour PNG; only 16-bit grey is supported")


def _grey(picture: Image.Image) -> NDArray[np.float32]:
    if picture.mode.startswith("I"):
        values_HW = np.asarray(picture)
        return scaled_by_range(values_HW, int(values_HW.min()), int(values_HW.max()))
    return np.asarray(picture.convert("L"), np.float32) / np.float32(255)
