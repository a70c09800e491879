"""The paired bootstrap and Holm's correction."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest, norm

from maskray.metrics.intervals import resample_patients
from maskray.metrics.paired import compare_replicates, holm


def test_a_paired_difference_is_narrower_than_the_two_apart():
    common = np.random.default_rng(0).normal(size=1000)
    test = compare_replicates(0.1, common + 0.1, common, 0.95)
    assert (test.low, test.high) == pytest.approx((0.1, 0.1))
    assert test.p == pytest.approx(2 / 1001)


def test_p_by_hand():
    # Of seven differences one is below zero and one is zero: (1 + 2) / 8 on that side.
    test = compare_replicates(2.0, [-1, 0, 1, 2, 3, 4, 5], np.zeros(7), 0.95)
    assert test.p == pytest.approx(2 * 3 / 8)
    assert compare_replicates(-2.0, np.zeros(7), [-1, 0, 1, 2, 3, 4, 5], 0.95).p == pytest.approx(test.p)


def test_equal_replicates_give_p_one():
    same = np.random.default_rng(1).normal(size=100)
    test = compare_replicates(0.0, same, same, 0.95)
    assert (test.low, test.high, test.p) == (0, 0, 1)


def test_the_interval_excludes_zero_where_p_is_below_its_level():
    generator = np.random.default_rng(2)
    for shift in np.linspace(-3, 3, 41):
        test = compare_replicates(shift, generator.normal(shift, 1, 1000), np.zeros(1000), 0.95)
        if abs(test.p - 0.05) > 0.005:
            assert (test.p < 0.05) == (test.low > 0 or test.high < 0)
        assert test.p == pytest.approx(2 * norm.sf(abs(shift)), abs=0.06)


def test_p_is_uniform_where_there_is_no_difference():
    generator = np.random.default_rng(3)
    patients = [str(i) for i in range(80)]
    weights_PR = resample_patients(patients, 400, 0).weights_PR / 80
    order = np.argsort(patients)
    p_values = []
    for _ in range(300):
        common = generator.normal(size=80)
        first, second = (common + generator.normal(size=80) for _ in range(2))
        replicates = (values[order] @ weights_PR for values in (first, second))
        p_values.append(compare_replicates(first.mean() - second.mean(), *replicates, 0.95).p)
    assert kstest(p_values, "uniform").pvalue > 0.01
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.03)


def test_missing_replicates_are_left_out_and_a_minority_says_nothing():
    test = compare_replicates(1.0, [np.nan, 1, 2, 3], [0, 0, 0, 0], 0.95)
    assert test.p == pytest.approx(2 / 4)
    nothing = compare_replicates(1.0, [np.nan, np.nan, 1], [0, 0, 0], 0.95)
    assert math.isnan(nothing.p)
    assert "lack what is measured" in nothing.reason


def test_unequal_numbers_of_replicates_are_refused():
    with pytest.raises(ValueError, match="same settings"):
        compare_replicates(0.0, [1, 2], [1, 2, 3], 0.95)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    corrected = holm([0.5, float("nan"), 0.02])
    assert corrected[::2] == pytest.approx([0.5, 0.04])
    assert math.isnan(corrected[1])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_no_correction_and_bonferroni_and_keeps_the_order(p_values):
    corrected = holm(p_values)
    for p, one in zip(p_values, corrected, strict=True):
        assert p <= one <= min(1, len(p_values) * p) or one == pytest.approx(p)
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(corrected)[order]) >= 0).all()
