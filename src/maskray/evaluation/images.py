"""The images of a benchmark: index, split and shards joined.

Shapes: B batch, N images, L labels, H height, W width.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from maskray.config.fractions import fraction_name
from maskray.data.index import label_column, labels_in, load_index
from maskray.data.label_sets import label_sets as sets_by_frequency
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
    """What a benchmark may look at.

    Attributes:
        labels: what is scored.
        exclusive: each image shows exactly one of the labels, or none is stated.
        label_sets: set -> its labels, of which scores get a mean; empty where all are one.
    """

    def __init__(
        self,
        index: str | Path,
        split: str | Path,
        manifest: str | Path,
        labels: Sequence[str],
        *,
        exclusive: bool = False,
        label_sets: Mapping[str, Sequence[str]] | Literal["seen_and_unseen"] | None = None,
    ) -> None:
        """Open the index, the split and the folder of the manifest.

        Where there are label sets, their labels are scored instead of ``labels``; ``seen_and_unseen`` makes them of all
        labels of the index, by the images of the test part.

        Raises:
            InputError: a file is missing or damaged, a label is no column of the index, an image is not of exactly one
                class where classes exclude each other, or the split names an image that the index has not.
        """
        self.exclusive = exclusive
        self.index_path, self.split_path, self.manifest_path = Path(index), Path(split), Path(manifest)
        if not self.manifest_path.is_file():
            raise InputError(f"{manifest}: no such file; shard the images first (rule collect_shards)")
        self.store = ImageStore(self.manifest_path.parent)
        table = read_split(Path(split))
        rows = load_index(Path(index)).set_index("image_id")
        unknown = table.loc[~table["image_id"].isin(rows.index), "image_id"]
        if len(unknown):
            raise InputError(
                f"{split}: {len(unknown)} images are not in {index}, the first is {unknown.iloc[0]}; split again"
            )
        self.label_sets = self._read_label_sets(label_sets or {}, table, rows)
        self.labels = _labels_of_sets(self.label_sets, labels_in(rows)) if label_sets else tuple(labels)
        rows = _with_labels(rows, self.labels, Path(index))
        if exclusive:
            _check_classes(rows, self.labels, Path(index))
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

    def _read_label_sets(
        self, rule: Mapping[str, Sequence[str]] | Literal["seen_and_unseen"], split: pd.DataFrame, rows: pd.DataFrame
    ) -> dict[str, list[str]]:
        """The sets as given, or of the labels of those test images that the shards hold."""
        if rule != "seen_and_unseen":
            return {name: list(labels) for name, labels in rule.items()}
        is_test = (split["part"] == "test") & split["image_id"].map(self.store.__contains__).astype(bool)
        of_test = rows.loc[split.loc[is_test, "image_id"]]
        return sets_by_frequency({label: int((of_test[label_column(label)] == 1).sum()) for label in labels_in(rows)})

    def index_rows(self, image_ids: Sequence[str]) -> pd.DataFrame:
        """The rows of the index, all columns, in the order of ``image_ids``."""
        index = load_index(self.index_path).set_index("image_id", drop=False)
        return index.loc[list(image_ids)].reset_index(drop=True)

    def read(self, image_ids: Sequence[str]) -> Tensor:
        """Films [B, H, W], uint8."""
        return torch.from_numpy(self.store.read_images(image_ids))


def _labels_of_sets(sets: Mapping[str, Sequence[str]], known: Sequence[str]) -> tuple[str, ...]:
    """The labels of all sets: in the order of the index, then those that it lacks, to be refused."""
    wanted = dict.fromkeys(label for labels in sets.values() for label in labels)
    return (*(label for label in known if label in wanted), *(label for label in wanted if label not in known))


def _with_labels(rows: pd.DataFrame, labels: Sequence[str], path: Path) -> pd.DataFrame:
    """Patient and labels of the index, by image_id."""
    known = labels_in(rows)
    if missing := [label for label in labels if label not in known]:
        raise InputError(
            f"{path}: no label {', '.join(missing)}; it has {', '.join(known) or 'none'}: correct the labels of the "
            "data set's settings, or index it again"
        )
    return rows[["patient_id", *(label_column(label) for label in labels)]]


def _check_classes(rows: pd.DataFrame, labels: Sequence[str], path: Path) -> None:
    """Refuse images that are not of exactly one class; where no class is stated, all are NaN."""
    codes_NL = rows[[label_column(label) for label in labels]]
    is_wrong_N = ~(codes_NL.isna().all(axis=1) | (codes_NL.notna().all(axis=1) & (codes_NL.sum(axis=1) == 1)))
    if is_wrong_N.any():
        raise InputError(
            f"{path}: image {rows.index[is_wrong_N][0]} does not show exactly one of {', '.join(labels)} "
            f"({int(is_wrong_N.sum())} such images); name all classes, or set exclusive: false for the data set"
        )
