"""The bootstrap over patients."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskray.metrics.intervals import percentile_interval, resample_patients


@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, max_size=12), st.integers(0, 5))
def test_each_replicate_draws_as_many_patients_as_there_are(patients, seed):
    resamples = resample_patients(patients, 20, seed)
    assert (resamples.weights_PR.sum(axis=0) == len(set(patients))).all()
    assert [sorted(set(patients))[i] for i in resamples.patient_of_image_N] == patients


def test_resamples_are_those_of_the_patients_whatever_the_order_of_the_images():
    first = resample_patients(["b", "a", "c", "a"], 50, 3)
    second = resample_patients(["a", "a", "b", "c", "c"], 50, 3)
    np.testing.assert_array_equal(first.weights_PR, second.weights_PR)
    assert (first.weights_PR != resample_patients(["a", "b", "c"], 50, 4).weights_PR).any()


def test_the_share_of_patients_drawn_is_that_of_a_bootstrap():
    resamples = resample_patients([str(i) for i in range(400)], 200, 0)
    assert (resamples.weights_PR == 0).mean() == pytest.approx(np.exp(-1), abs=0.01)
    assert resamples.weights_PR.mean(axis=1).std() == pytest.approx(np.sqrt(1 / 200), rel=0.2)


def test_the_interval_of_a_mean_is_that_of_theory():
    values = np.random.default_rng(0).normal(size=900)
    resamples = resample_patients([str(i) for i in range(values.size)], 2000, 0)
    means = values[np.argsort([str(i) for i in range(values.size)])] @ resamples.weights_PR / values.size
    interval = percentile_interval(means, 0.95)
    assert interval.high - interval.low == pytest.approx(2 * 1.96 / 30, rel=0.1)
    assert interval.num_left_out == 0


def test_percentiles_by_hand():
    interval = percentile_interval(np.arange(101.0), 0.9)
    assert (interval.low, interval.high) == pytest.approx((5, 95))


def test_missing_replicates_are_left_out_and_counted():
    interval = percentile_interval([np.nan, 1, 2, 3], 0.95)
    assert interval.num_left_out == 1
    assert 1 <= interval.low <= interval.high <= 3


def test_no_interval_from_a_minority_of_the_replicates():
    interval = percentile_interval([np.nan, np.nan, 1], 0.95)
    assert np.isnan(interval.low)
    assert np.isnan(interval.high)
    assert interval.num_left_out == 2
