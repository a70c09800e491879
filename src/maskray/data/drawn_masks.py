"""``drawn.parquet``: of each test film of a segmentation the true mask and the one that the model draws.

Columns: image_id, true, drawn (masks as packed bits, row by row), sorted by image_id; the side of the films and the
label fraction stand in the metadata. Shapes: N films, S side of the square film.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from maskray.errors import InputError
from maskray.files import written_whole

KIND = "drawn masks"
"""What the metadata of such a file say that it is."""
_BITS = ("true", "drawn")


@dataclass(frozen=True)
class DrawnMasks:
    """Masks of films, as bits: 6 kB a mask of 224 px.

    Attributes:
        true: one of :func:`pack` for each film.
        drawn: the same of the model.
        fraction: of the labels that the model was trained on, 0..1.
    """

    image_ids: Sequence[str]
    true: Sequence[bytes]
    drawn: Sequence[bytes]
    size_px: int
    fraction: float

    def of(self, image_id: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """The true and the drawn mask [S, S] of a film."""
        row = self.image_ids.index(image_id)
        return self._unpack(self.true[row]), self._unpack(self.drawn[row])

    def _unpack(self, bits: bytes) -> NDArray[np.bool_]:
        unpacked = np.unpackbits(np.frombuffer(bits, np.uint8), count=self.size_px**2)
        return unpacked.astype(bool).reshape(self.size_px, self.size_px)


def pack(masks_NSS: NDArray[np.bool_]) -> list[bytes]:
    """The bits of each mask."""
    return [np.packbits(mask_SS).tobytes() for mask_SS in masks_NSS]


def write_drawn_masks(path: str | Path, masks: DrawnMasks) -> None:
    """Write sorted by film, whole or not at all; equal masks are equal bytes."""
    order = sorted(range(len(masks.image_ids)), key=lambda row: masks.image_ids[row])
    columns = {"image_id": pa.array([masks.image_ids[row] for row in order], pa.string())}
    columns |= {name: pa.array([getattr(masks, name)[row] for row in order], pa.binary()) for name in _BITS}
    notes = json.dumps({"kind": KIND, "size_px": masks.size_px, "fraction": masks.fraction}, sort_keys=True)
    table = pa.table(columns).replace_schema_metadata({b"maskray": notes})
    with written_whole(path) as partial:
        parquet.write_table(table, partial, compression="zstd")


def read_drawn_masks(path: str | Path) -> DrawnMasks:
    """Read and check; :class:`InputError` names the file and what is wrong in it."""
    try:
        # A single file: no partition columns from folder names such as seed=0.
        table = parquet.ParquetFile(path).read()
        notes = json.loads((table.schema.metadata or {}).get(b"maskray", b"{}"))
        image_ids, true, drawn = (table[name].to_pylist() for name in ("image_id", *_BITS))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; run the segmentation first") from None
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise InputError(f"{path}: not a file of drawn masks ({type(error).__name__}); make it again") from None
    if notes.get("kind") != KIND or not image_ids:
        raise InputError(f"{path}: not a file of drawn masks, or an empty one; make it again")
    num_bytes = -(-(notes["size_px"] ** 2) // 8)
    if any(mask is None or len(mask) != num_bytes for mask in (*true, *drawn)):
        raise InputError(f"{path}: a mask is not one of {notes['size_px']} px; make it again")
    return DrawnMasks(image_ids, true, drawn, notes["size_px"], notes["fraction"])
