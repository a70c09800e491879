"""Batch order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskray.data.sampler import BatchOrder, derive_seed
from maskray.errors import InputError

sizes = st.tuples(st.integers(1, 8), st.integers(1, 5)).flatmap(
    lambda s: st.tuples(st.just(s[0] * s[1]), st.just(s[1]), st.integers(s[0] * s[1], 60))
)


@given(sizes, st.integers(0, 2**31))
def test_an_epoch_is_a_shuffle_without_repeats(size, seed):
    batch_size, _, num_pairs = size
    order = BatchOrder(num_pairs, batch_size, seed)
    seen = np.concatenate([order.pairs(step) for step in range(order.num_steps_per_epoch)])
    assert len(seen) == order.num_steps_per_epoch * batch_size > num_pairs - batch_size
    assert len(set(seen.tolist())) == len(seen)
    assert set(seen.tolist()) <= set(range(num_pairs))


@given(sizes, st.integers(0, 2**31), st.integers(0, 200))
def test_ranks_share_the_global_batch(size, seed, step):
    batch_size, num_ranks, num_pairs = size
    whole = BatchOrder(num_pairs, batch_size, seed)
    ranks = [BatchOrder(num_pairs, batch_size, seed, rank, num_ranks) for rank in range(num_ranks)]
    assert np.array_equal(np.concatenate([rank.pairs(step) for rank in ranks]), whole.pairs(step))
    seeds = np.concatenate([rank.sample_seeds(step) for rank in ranks])
    assert np.array_equal(seeds, whole.sample_seeds(step))
    assert (seeds >= 0).all()


def test_epochs_seeds_and_steps_differ():
    order = BatchOrder(100, 10, 3)
    assert order.epoch(9) == 0
    assert order.epoch(10) == 1
    assert not np.array_equal(order.pairs(0), order.pairs(10))
    assert not np.array_equal(order.pairs(0), BatchOrder(100, 10, 4).pairs(0))
    seeds = np.concatenate([order.sample_seeds(step) for step in range(50)])
    assert len(set(seeds.tolist())) == len(seeds)


def test_any_step_can_be_asked_first():
    late = BatchOrder(30, 4, 5).pairs(23)
    order = BatchOrder(30, 4, 5)
    for step in range(23):
        order.pairs(step)
    assert np.array_equal(order.pairs(23), late)


def test_a_batch_must_divide_by_the_devices():
    with pytest.raises(InputError, match=r"batch_size is 10, which does not divide by 4 devices"):
        BatchOrder(100, 10, 0, 0, 4)


def test_fewer_pairs_than_a_batch_is_an_error():
    with pytest.raises(InputError, match=r"batch_size is 10, but there are only 9 pairs"):
        BatchOrder(9, 10, 0)


def test_derived_seeds_are_fixed_and_positive():
    assert derive_seed(0, 1, 2) == derive_seed(0, 1, 2)
    assert len({derive_seed(seed, step) for seed in range(20) for step in range(20)}) == 400
    assert all(0 <= derive_seed("x", n) < 2**63 for n in range(100))
