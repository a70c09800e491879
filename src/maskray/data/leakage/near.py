"""All pairs of fingerprints that differ in a few bits, without comparing each with each.

256 bits are 16 groups of 16. Where two fingerprints differ in 31 bits at most, one group of theirs differs in one bit
at most: so each fingerprint is looked up 17 times per group, under its own 16 bits and with each of them turned.
Shapes: N and M fingerprints, K pairs.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

MAX_DISTANCE = 31
_NUM_GROUPS = 16
_TURNED = np.array([0, *(1 << bit for bit in range(16))], np.uint16)
# Pairs looked at together: enough to make numpy's calls cheap, few enough to stay small in memory.
_BATCH_SIZE = 1 << 18


def near_pairs(
    ours_N: NDArray[np.uint8], theirs_M: NDArray[np.uint8], max_distance: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Every pair that differs in ``max_distance`` bits at most.

    Args:
        ours_N: fingerprints, uint8 [N, 32].
        theirs_M: fingerprints, uint8 [M, 32].
        max_distance: up to 31.

    Returns:
        Rows of ours and of theirs and the distances, [K] each, sorted by row of theirs, then of ours.
    """
    if not 0 <= max_distance <= MAX_DISTANCE:
        raise ValueError(f"max_distance is {max_distance}: all pairs are found up to {MAX_DISTANCE}")
    found = [np.zeros(0, np.int64)]
    words_of_ours, words_of_theirs = _words(ours_N, np.uint64), _words(theirs_M, np.uint64)
    for ours, theirs in _candidates(_words(ours_N, np.uint16), _words(theirs_M, np.uint16)):
        # A quarter of the bits rules out nearly all.
        is_near = np.bitwise_count(words_of_ours[ours, 0] ^ words_of_theirs[theirs, 0]) <= max_distance
        ours, theirs = ours[is_near], theirs[is_near]
        is_near = _distances(words_of_ours[ours], words_of_theirs[theirs]) <= max_distance
        found.append(theirs[is_near].astype(np.int64) * len(ours_N) + ours[is_near])
    theirs, ours = np.divmod(np.unique(np.concatenate(found)), max(1, len(ours_N)))
    return ours, theirs, _distances(words_of_ours[ours], words_of_theirs[theirs])


def _words(fingerprints: NDArray[np.uint8], kind: type[np.unsignedinteger]) -> NDArray:
    return np.ascontiguousarray(fingerprints).reshape(-1, 2 * _NUM_GROUPS).view(kind)


def _distances(ours: NDArray[np.uint64], theirs: NDArray[np.uint64]) -> NDArray[np.int64]:
    return np.bitwise_count(ours ^ theirs).sum(axis=1, dtype=np.int64)


def _candidates(
    ours: NDArray[np.uint16], theirs: NDArray[np.uint16]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs, a batch at a time, of which one group differs in one bit at most; some come more than once."""
    for group in range(_NUM_GROUPS):
        order = np.argsort(ours[:, group], kind="stable")
        sizes = np.bincount(ours[:, group], minlength=1 << 16)
        starts = np.cumsum(sizes) - sizes
        for turned in _TURNED:
            wanted = theirs[:, group] ^ turned
            rows = np.flatnonzero(sizes[wanted])
            ends = np.cumsum(sizes[wanted[rows]])
            for first, last in _batches(ends):
                some = rows[first:last]
                counts = sizes[wanted[some]]
                places = np.repeat(starts[wanted[some]] - (np.cumsum(counts) - counts), counts)
                yield order[places + np.arange(len(places))], np.repeat(some, counts)


def _batches(ends: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Ranges of rows with at most a batch of pairs each, or a single row with more; ``ends`` are running totals."""
    first = 0
    while first < len(ends):
        done = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, done + _BATCH_SIZE, side="right")))
        yield first, last
        first = last
