"""Batches by step: item ``step`` of the data set is this rank's batch of that step, so any step can be the first.

Shapes: B batch, S image side in pixels, L tokens (padded).
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from maskray.batch import Batch
from maskray.config.training import AugmentationConfig
from maskray.data.augmentation import augment
from maskray.data.pairs import Pairs
from maskray.data.sampler import BatchOrder
from maskray.data.texts import TokenisedReports, no_texts
from maskray.errors import InputError

if TYPE_CHECKING:
    from maskray.data.shard_store import ImageStore


class StoredBatch(NamedTuple):
    """A batch as it is stored: bytes, four times smaller on their way to the device than augmented films."""

    images_BSS: Tensor
    ridge_BSS: Tensor | None
    token_ids_BL: Tensor
    token_is_real_BL: Tensor
    token_is_answer_BL: Tensor
    token_is_guide_BL: Tensor
    token_sentence_BL: Tensor
    token_word_BL: Tensor
    sample_seeds_B: Tensor


_TOKEN_FIELDS = tuple(name for name in StoredBatch._fields if name.startswith("token_"))


class StreamBatches:
    """The batches of one stream, by step; without ``texts`` they are films alone, whose texts have length 0."""

    def __init__(
        self,
        pairs: Pairs,
        stores: Sequence[ImageStore],
        texts: TokenisedReports | None,
        order: BatchOrder,
        needs_ridge: bool,
    ) -> None:
        self.order = order
        # Not the pairs whole: the text of all reports would stay in memory, in every worker.
        self._image_ids, self._sources, self._studies = pairs.image_ids, pairs.sources, pairs.studies
        self._stores = stores
        self._texts = texts
        self._needs_ridge = needs_ridge

    def read(self, step: int) -> StoredBatch:
        """This rank's batch of a step; :class:`InputError` where a film cannot be read."""
        pairs = self.order.pairs(step)
        seeds = self.order.sample_seeds(step)
        images_BSS, ridge_BSS = self._read_images(pairs)
        if self._texts is None:
            tokens = no_texts(len(pairs))
        else:
            tokens = self._texts.batch(self._studies[pairs].tolist(), seeds.tolist())
        return StoredBatch(
            torch.from_numpy(images_BSS),
            None if ridge_BSS is None else torch.from_numpy(ridge_BSS),
            sample_seeds_B=torch.from_numpy(seeds),
            **tokens,
        )

    def _read_images(self, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """uint8 films and, where the method needs them, ridge responses; each source read at once."""
        side = self._stores[0].size_px
        images_BSS = np.empty((len(pairs), side, side), dtype=np.uint8)
        ridge_BSS = np.empty_like(images_BSS) if self._needs_ridge else None
        for number, store in enumerate(self._stores):
            chosen = np.flatnonzero(self._sources[pairs] == number)
            if len(chosen):
                ids = self._image_ids[pairs[chosen]].tolist()
                if ridge_BSS is None:
                    images_BSS[chosen] = store.read_images(ids)
                else:
                    images_BSS[chosen], ridge_BSS[chosen] = store.read(ids)
        return images_BSS, ridge_BSS


class Batches(Dataset):
    """Maps a step to one batch of each stream, or to the error that reading it met (see :func:`batches_from`).

    Attributes:
        order: that of the first stream, which counts the epochs.
    """

    def __init__(self, streams: Sequence[StreamBatches], num_steps: int) -> None:
        self.order = streams[0].order
        self._streams = streams
        self._num_steps = num_steps

    def __len__(self) -> int:
        return self._num_steps

    def __getitem__(self, step: int) -> tuple[StoredBatch, ...] | InputError:
        try:
            return tuple(stream.read(step) for stream in self._streams)
        except InputError as error:
            # A raised error would reach the user wrapped in the worker's traceback.
            return error


def batches_from(
    dataset: Batches, first_step: int, num_workers: int, pin_memory: bool
) -> Iterator[tuple[StoredBatch, ...] | InputError]:
    """The batches of ``first_step`` and all later steps, in order; the number of workers changes nothing but speed."""
    return iter(
        DataLoader(
            dataset,
            batch_size=None,
            sampler=range(first_step, len(dataset)),
            num_workers=num_workers,
            pin_memory=pin_memory,
            prefetch_factor=4 if num_workers else None,
            worker_init_fn=_ignore_signals,
        )
    )


def finish(stored: StoredBatch, config: AugmentationConfig, device: torch.device) -> Batch:
    """Move a stored batch to the device, and augment it there."""
    images_BHW = stored.images_BSS.to(device, non_blocking=True)
    ridge_BHW = None if stored.ridge_BSS is None else stored.ridge_BSS.to(device, non_blocking=True)
    images_BHW, ridge_BHW = augment(images_BHW, ridge_BHW, stored.sample_seeds_B, config)
    return Batch(
        images_BHW=images_BHW,
        ridge_BHW=torch.zeros_like(images_BHW) if ridge_BHW is None else ridge_BHW,
        **{name: getattr(stored, name).to(device, non_blocking=True) for name in _TOKEN_FIELDS},
        sample_seeds_B=stored.sample_seeds_B,
    )


def _ignore_signals(_worker: int) -> None:
    """A batch system signals every process of a job; the trainer alone answers, and ends its workers itself."""
    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
