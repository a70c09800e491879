"""Looking copies up finds what comparing all with all finds."""

import numpy as np
import pytest

from maskray.data.leakage.near import MAX_DISTANCE, near_pairs


def turned(fingerprint, num_bits, rng):
    bits = np.unpackbits(fingerprint)
    bits[rng.choice(256, num_bits, replace=False)] ^= 1
    return np.packbits(bits)


def all_pairs(ours, theirs, max_distance):
    distances = np.unpackbits(ours[:, None] ^ theirs[None], axis=2).sum(axis=2).astype(int)
    return sorted((b, a, distances[a, b]) for a, b in zip(*np.nonzero(distances <= max_distance), strict=True))


@pytest.mark.parametrize("max_distance", [0, 15, 24, MAX_DISTANCE])
def test_equals_the_comparison_of_all_with_all(max_distance):
    rng = np.random.default_rng(max_distance)
    ours = rng.integers(0, 256, (300, 32), dtype=np.uint8)
    theirs = rng.integers(0, 256, (200, 32), dtype=np.uint8)
    for row in range(120):
        theirs[row] = turned(ours[rng.integers(len(ours))], row % 40, rng)
    found = near_pairs(ours, theirs, max_distance)
    pairs = [(b, a, d) for a, b, d in zip(*(side.tolist() for side in found), strict=True)]
    assert pairs == all_pairs(ours, theirs, max_distance)
    assert len(pairs) >= 3 * (max_distance + 1)


def test_bits_spread_over_all_groups_are_found():
    """31 turned bits as evenly as they can lie: the worst case."""
    bits = np.zeros(256, np.uint8)
    bits[[16 * group for group in range(16)] + [16 * group + 5 for group in range(15)]] = 1
    assert len(near_pairs(np.zeros((1, 32), np.uint8), np.packbits(bits)[None], 31)[0]) == 1


def test_many_equal_films_and_none():
    same = np.full((100, 32), 7, np.uint8)
    assert len(near_pairs(same, same, 0)[0]) == 100 * 100
    none = np.zeros((0, 32), np.uint8)
    assert [len(side) for side in near_pairs(none, same, 31)] == [0, 0, 0]
    assert [len(side) for side in near_pairs(same, none, 31)] == [0, 0, 0]


def test_more_than_is_guaranteed_is_refused():
    with pytest.raises(ValueError, match="up to 31"):
        near_pairs(np.zeros((1, 32), np.uint8), np.zeros((1, 32), np.uint8), 32)
