"""DICOM films to grey values in 0..1. The only module that needs pydicom; import it only for DICOM files.

How grey values are scaled: by the first VOI window, after the modality transformation (PS3.3, C.11.2.1.2); without a
window, or where it leaves a single grey value, by the full range of the stored bits up to 8 bits, and by the range
of the values that occur above 8. Padding pixels count for no range and become black. MONOCHROME1 is inverted, so
that bone is always bright. VOI look-up tables are not applied: they bend contrast, not polarity.
"""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.pixels import apply_modality_lut

from maskray.images.decode import UnreadableImage, check_size, scaled_by_range


def read_dicom(path: str | Path, max_pixels: int) -> NDArray[np.float32]:
    """One single-frame grey film, float32 [H, W] in 0..1; raises ``UnreadableImage``.

    Of a decoder's error only the type is told: its text may quote the header.
    """
    _silence_pydicom()
    try:
        dataset = pydicom.dcmread(path)
        _check_header(dataset, max_pixels)
    except UnreadableImage:
        raise
    except Exception as error:  # pydicom raises whatever occurs to it on a damaged header
        raise UnreadableImage(f"damaged DICOM header ({type(error).__name__})") from None
    try:
        stored_HW = _stored_values(dataset)
        return _display(stored_HW, dataset)
    except UnreadableImage:
        raise
    except Exception as error:  # as do its plug-ins on damaged pixels
        syntax = dataset.file_meta.TransferSyntaxUID.name
        raise UnreadableImage(f"DICOM whose {syntax} pixels cannot be decoded ({type(error).__name__})") from None


def _silence_pydicom() -> None:
    """Its warnings and log lines quote header values, patients' names among them."""
    warnings.filterwarnings("ignore", module=r"pydicom(\.|$)")
    logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)


def _check_header(dataset: pydicom.Dataset, max_pixels: int) -> None:
    # pydicom drops a last element that is cut short.
    if "PixelData" not in dataset:
        raise UnreadableImage("DICOM without pixel data, or cut short before their end")
    if "Rows" not in dataset or "Columns" not in dataset:
        raise UnreadableImage("DICOM without rows or columns")
    check_size(int(dataset.Rows), int(dataset.Columns), max_pixels)
    num_frames = int(dataset.get("NumberOfFrames") or 1)
    if num_frames > 1:
        raise UnreadableImage(f"multi-frame DICOM ({num_frames} frames)")
    if dataset.PhotometricInterpretation not in ("MONOCHROME1", "MONOCHROME2"):
        raise UnreadableImage("DICOM that is neither MONOCHROME1 nor MONOCHROME2")


def _stored_values(dataset: pydicom.Dataset) -> NDArray:
    stored_HW = dataset.pixel_array
    if stored_HW.shape != (int(dataset.Rows), int(dataset.Columns)):
        raise UnreadableImage("DICOM whose pixels do not have the declared rows and columns")
    return stored_HW


def _display(stored_HW: NDArray, dataset: pydicom.Dataset) -> NDArray[np.float32]:
    is_padding_HW = _is_padding(stored_HW, dataset)
    grey_HW = _windowed(stored_HW, dataset)
    if grey_HW is None or grey_HW.min() == grey_HW.max():
        grey_HW = scaled_by_range(stored_HW, *_range(stored_HW[~is_padding_HW], dataset))
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        grey_HW = 1 - grey_HW
    grey_HW[is_padding_HW] = 0
    return grey_HW


def _is_padding(stored_HW: NDArray, dataset: pydicom.Dataset) -> NDArray[np.bool_]:
    first = dataset.get("PixelPaddingValue")
    if not isinstance(first, int):
        return np.zeros(stored_HW.shape, bool)
    last = dataset.get("PixelPaddingRangeLimit", first)
    return (stored_HW >= min(first, last)) & (stored_HW <= max(first, last))


def _range(stored: NDArray, dataset: pydicom.Dataset) -> tuple[int, int]:
    if dataset.BitsStored <= 8 and dataset.PixelRepresentation == 0:
        return 0, 2 ** int(dataset.BitsStored) - 1
    if not stored.size:
        raise UnreadableImage("DICOM with nothing but padding")
    return int(stored.min()), int(stored.max())


def _windowed(stored_HW: NDArray, dataset: pydicom.Dataset) -> NDArray[np.float32] | None:
    """Through the first VOI window (PS3.3, C.11.2.1.2 and C.11.2.1.3), or None where there is no valid one."""
    center, width = (_first_number(dataset.get(f"Window{part}")) for part in ("Center", "Width"))
    if center is None or width is None or width <= 0:
        return None
    function = dataset.get("VOILUTFunction") or "LINEAR"
    values_HW = apply_modality_lut(stored_HW, dataset).astype(np.float32)
    if function == "SIGMOID":
        return (1 + np.tanh(2 * (values_HW - center) / width)) / 2  # never overflows
    if function == "LINEAR" and width >= 1:
        center, width = center - 0.5, max(width - 1, 1e-3)
    return scaled_by_range(values_HW, center - width / 2, center + width / 2)


def _first_number(value: object) -> float | None:
    if isinstance(value, pydicom.multival.MultiValue):
        value = value[0] if value else None
    return None if value is None else float(str(value))
