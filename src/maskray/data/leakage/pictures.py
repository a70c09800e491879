"""Films that look the same although nothing says that they are the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskray.config.leakage import LeakageConfig
from maskray.data.leakage.films import Films, Pictures
from maskray.data.leakage.near import near_pairs

_BATCH_SIZE = 512


def look_alikes(trained: Films, tested: Films, config: LeakageConfig) -> pd.DataFrame:
    """Pairs of films of people with different names whose fingerprints are near and whose grey values agree.

    Returns:
        trained, tested (rows of the two tables), distance (bits of 256) and correlation (at 64 px).
    """
    if trained.pictures is None or tested.pictures is None:
        return pd.DataFrame({"trained": [], "tested": [], "distance": [], "correlation": []})
    near = _near(trained.pictures, tested.pictures, config.max_hash_distance)
    persons = [
        films.table["person"].to_numpy()[near[side]] for films, side in ((trained, "trained"), (tested, "tested"))
    ]
    near = near[persons[0] != persons[1]].reset_index(drop=True)
    correlations = [
        correlation(
            trained.pictures.shrunk(near["trained"].to_numpy()[start : start + _BATCH_SIZE]),
            tested.pictures.shrunk(near["tested"].to_numpy()[start : start + _BATCH_SIZE]),
        )
        for start in range(0, len(near), _BATCH_SIZE)
    ]
    near["correlation"] = np.concatenate([np.zeros(0), *correlations])
    return near[near["correlation"] >= config.min_correlation].reset_index(drop=True)


def correlation(ours_BHW: NDArray[np.float32], theirs_BHW: NDArray[np.float32]) -> NDArray[np.float64]:
    """Pearson's correlation of the grey values of each pair of films, [B]."""
    sides = [side.reshape(len(side), -1).astype(np.float64) for side in (ours_BHW, theirs_BHW)]
    sides = [side - side.mean(axis=1, keepdims=True) for side in sides]
    lengths = [np.maximum(np.linalg.norm(side, axis=1), np.finfo(np.float64).tiny) for side in sides]
    return (sides[0] * sides[1]).sum(axis=1) / (lengths[0] * lengths[1])


def _near(trained: Pictures, tested: Pictures, max_distance: int) -> pd.DataFrame:
    """Rows of the near pairs among the films that have a picture."""
    ours, theirs = np.flatnonzero(trained.is_there_N), np.flatnonzero(tested.is_there_N)
    left, right, distances = near_pairs(trained.fingerprints_N[ours], tested.fingerprints_N[theirs], max_distance)
    return pd.DataFrame({"trained": ours[left], "tested": theirs[right], "distance": distances})
