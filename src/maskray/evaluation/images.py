"""The images of a benchmark: index, split and shards joined.

Shapes: B batch, N images, L labels, H height, W width.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from maskray.config.fractions import fraction_name
from maskray.data.index import label_column, load_index
from maskray.data.shard_store import ImageStore
from maskray.data.splits import read_split
from maskray.errors import InputError

_log = logging.getLogger(__name__)
PartName = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class Examples:
    """Images of one part, by image_id; ``labels_NL`` is float32 with 1, 0 or NaN (not stated)."""

    image_ids: list[str]
    patient_ids: list[str]
    labels_NL: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.image_ids)


class BenchmarkImages:
    """What a benchmark may look at."""

    def __init__(self, index: str | Path, split: str | Path, manifest: str | Path, labels: Sequence[str]) -> None:
        """Open the index, the split and the folder of the manifest.

        Raises:
            InputError: a file is missing or damaged, a label is no column of the index, or the split names an
                image that the index has not.
        """
        self.labels = tuple(labels)
        self.index_path, self.split_path, self.manifest_path = Path(index), Path(split), Path(manifest)
        if not self.manifest_path.is_file():
            raise InputError(f"{manifest}: no such file; shard the images first (rule collect_shards)")
        self.store = ImageStore(self.manifest_path.parent)
        table = read_split(Path(split))
        rows = _read_labels(Path(index), self.labels)
        unknown = table.loc[~table["image_id"].isin(rows.index), "image_id"]
        if len(unknown):
            raise InputError(
                f"{split}: {len(unknown)} images are not in {index}, the first is {unknown.iloc[0]}; split again"
            )
        self._table = table.sort_values("image_id").join(rows, on="image_id")

    def examples(self, part: PartName, fraction: float = 1.0) -> Examples:
        """The images of a part that the shards hold; of ``train``, those of one label fraction (0..1).

        How many were rejected while sharding is logged. Raises InputError where none is left.
        """
        table = self._table[self._table["part"] == part]
        if part == "train":
            # The file holds decimal numbers; a hair's breadth keeps 0.1 within 10 %.
            table = table[table["fraction"].astype(float) <= fraction + 1e-9]
        name = f"{fraction_name(fraction)} of train" if part == "train" else part
        is_stored = table["image_id"].map(self.store.__contains__).astype(bool)
        kept = table[is_stored]
        if not len(kept):
            raise InputError(
                f"{self.split_path}: {name} has {len(table)} images, and {self.manifest_path} holds none of them; "
                "see rejected.csv beside it, and check the split's shares and fractions"
            )
        if len(kept) < len(table):
            _log.info("%s: %d of %d images left out: rejected", name, len(table) - len(kept), len(table))
        return Examples(
            kept["image_id"].tolist(),
            kept["patient_id"].tolist(),
            kept[[label_column(label) for label in self.labels]].to_numpy(np.float32, copy=True),
        )

    def index_rows(self, image_ids: Sequence[str]) -> pd.DataFrame:
        """The rows of the index, all columns, in the order of ``image_ids``."""
        index = load_index(self.index_path).set_index("image_id", drop=False)
        return index.loc[list(image_ids)].reset_index(drop=True)

    def read(self, image_ids: Sequence[str]) -> Tensor:
        """Films [B, H, W], uint8."""
        return torch.from_numpy(self.store.read_images(image_ids))


def _read_labels(path: Path, labels: Sequence[str]) -> pd.DataFrame:
    """Patient and labels by image_id."""
    index = load_index(path)
    known = [column.removeprefix("label_") for column in index.columns if column.startswith("label_")]
    if missing := [label for label in labels if label not in known]:
        raise InputError(
            f"{path}: no label {', '.join(missing)}; it has {', '.join(known) or 'none'}: correct the labels of the "
            "data set's settings, or index it again"
        )
    return index.set_index("image_id")[["patient_id", *(label_column(label) for label in labels)]]
