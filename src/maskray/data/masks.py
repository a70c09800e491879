"""True masks of films, out of the index, on the square films of the shards.

Three kinds: boxes (RSNA), run lengths on the film's own pixels (SIIM), mask files (COVID rural). A film without any is
a film without the finding. Shapes: S side of the square, h, w the film's own pixels.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from maskray.data.phrases import mask_of_boxes
from maskray.data.readers.siim import GRID_PX
from maskray.errors import InputError


class TrueMasks:
    """Masks by image_id, decoded when they are first asked for and kept as bits: 6 kB a film of 224 px."""

    def __init__(self, films: pd.DataFrame, contents_N4: NDArray[np.int32], size_px: int, folder: Path | None) -> None:
        """Prepare for some films.

        Args:
            films: their rows of the index.
            contents_N4: the place of each film in its square: top, left, height, width.
            size_px: S.
            folder: the data set's site folder, where its masks are files.
        """
        columns = films[["image_id", "boxes", "rle", "mask"]].fillna("").itertuples(index=False, name=None)
        self._sources = {
            image_id: (boxes, rle, mask, tuple(content.tolist()))
            for (image_id, boxes, rle, mask), content in zip(columns, contents_N4, strict=True)
        }
        self._size_px = size_px
        self._folder = folder
        self._bits: dict[str, NDArray[np.uint8]] = {}

    def read(self, image_ids: Sequence[str]) -> NDArray[np.bool_]:
        """Masks [B, S, S]. Raises InputError naming a mask file that is missing or damaged."""
        return np.stack([self._mask(image_id) for image_id in image_ids])

    def _mask(self, image_id: str) -> NDArray[np.bool_]:
        if image_id not in self._bits:
            self._bits[image_id] = np.packbits(self._decode(*self._sources[image_id]))
        num = self._size_px**2
        return np.unpackbits(self._bits[image_id], count=num).astype(bool).reshape(self._size_px, self._size_px)

    def _decode(self, boxes: str, rle: str, mask: str, content: tuple[int, int, int, int]) -> NDArray[np.bool_]:
        if boxes:
            return mask_of_boxes(json.loads(boxes), content, self._size_px)
        if rle:
            runs = [decode_runs(text) for text in json.loads(rle)]
            return self._placed(np.logical_or.reduce(runs), content)
        return self._placed(self._read_file(mask), content) if mask else np.zeros((self._size_px, self._size_px), bool)

    def _read_file(self, mask: str) -> NDArray[np.bool_]:
        if self._folder is None:
            raise InputError(f"{mask}: the masks of this data set are files: name its folder with --masks")
        path = self._folder / mask
        try:
            with Image.open(path) as picture:
                return np.asarray(picture.convert("L")) > 0
        except FileNotFoundError:
            raise InputError(f"{path}: no such mask, which the index names; index the data set again") from None
        except (OSError, UnidentifiedImageError):
            raise InputError(f"{path}: not a readable picture; get the mask again") from None

    def _placed(self, mask_hw: NDArray[np.bool_], content: tuple[int, int, int, int]) -> NDArray[np.bool_]:
        """A mask of the film's own pixels on the square: a pixel belongs to it where half of it does.

        One thinner than that keeps the pixels that it covers most: no film with the finding becomes one without.
        """
        top, left, height, width = content
        grey = Image.fromarray(mask_hw.astype(np.uint8) * 255).resize((width, height), Image.Resampling.BOX)
        placed_SS = np.zeros((self._size_px, self._size_px), bool)
        covered = np.asarray(grey)
        placed_SS[top : top + height, left : left + width] = covered >= min(128, max(int(covered.max()), 1))
        return placed_SS


def decode_runs(text: str) -> NDArray[np.bool_]:
    """SIIM's code: pairs of (gap since the last run's end, length) down the columns of a 1024 x 1024 film."""
    gaps, lengths = np.array(text.split(), np.int64).reshape(-1, 2).T
    ends = np.cumsum(gaps + lengths)
    edges = np.zeros(GRID_PX**2 + 1, np.int8)
    np.add.at(edges, ends - lengths, 1)
    np.add.at(edges, ends, -1)
    return np.cumsum(edges[:-1]).astype(bool).reshape(GRID_PX, GRID_PX).T
