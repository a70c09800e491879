"""Which pairs stand in which batch: a pure function of (seed, step), whatever the number of devices or workers."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass

import numpy as np

from maskray.errors import InputError


def derive_seed(*parts: int | str) -> int:
    """A seed in 0..2^63-1 that is a hash of ``parts``: near-by steps and samples get unrelated random numbers."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


@dataclass(frozen=True)
class BatchOrder:
    """The order of one run; each rank reads its contiguous slice of the global batch.

    Raises:
        InputError: the batch does not divide by the number of ranks, or there are fewer pairs than one batch.
    """

    num_pairs: int
    batch_size: int
    seed: int
    rank: int = 0
    num_ranks: int = 1

    def __post_init__(self) -> None:
        if self.batch_size % self.num_ranks:
            raise InputError(
                f"optimisation.batch_size is {self.batch_size}, which does not divide by {self.num_ranks} devices: "
                "change one of them"
            )
        if self.num_pairs < self.batch_size:
            raise InputError(
                f"optimisation.batch_size is {self.batch_size}, but there are only {self.num_pairs} pairs of a film "
                "and a report to train on: lower batch_size or add data"
            )

    @property
    def num_steps_per_epoch(self) -> int:
        """The last, partial batch of an epoch is dropped."""
        return self.num_pairs // self.batch_size

    def epoch(self, step: int) -> int:
        """The epoch, from 0, that ``step`` belongs to."""
        return step // self.num_steps_per_epoch

    def pairs(self, step: int) -> np.ndarray:
        """Pair numbers, int64, of this rank's slice at ``step``."""
        positions = self._positions()
        start = (step % self.num_steps_per_epoch) * self.batch_size
        return _permutation(self.num_pairs, self.seed, self.epoch(step))[start + positions]

    def sample_seeds(self, step: int) -> np.ndarray:
        """int64 seeds of this rank's samples: a hash of (seed, step, position in the global batch)."""
        return np.array([derive_seed(self.seed, step, int(p)) for p in self._positions()], dtype=np.int64)

    def _positions(self) -> np.ndarray:
        """This rank's positions in the global batch."""
        local = self.batch_size // self.num_ranks
        return np.arange(self.rank * local, (self.rank + 1) * local)


@functools.lru_cache(maxsize=2)
def _permutation(num_pairs: int, seed: int, epoch: int) -> np.ndarray:
    """The shuffled pair numbers of an epoch; kept, since every step of the epoch reads it."""
    return np.random.Generator(np.random.PCG64([seed, epoch])).permutation(num_pairs)
