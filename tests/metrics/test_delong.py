"""DeLong's paired test, by hand, against a slow reference, under the null, and where it can say nothing."""

import math

import numpy as np
import pytest
from scipy.stats import kstest
from sklearn.metrics import roc_auc_score

from maskray.metrics.delong import compare_aurocs, contrast_of
from maskray.metrics.intervals import percentile_interval, resample_patients
from maskray.metrics.score import Part, score


def compare(labels, first, second, patients=None, confidence=0.95):
    """One run and one label on either side; each film is its own patient unless said otherwise."""
    labels, first, second = (np.asarray(values, np.float64) for values in (labels, first, second))
    patients = np.arange(labels.size) if patients is None else np.asarray(patients)
    return compare_aurocs(
        labels[:, None], first[None, :, None], second[None, :, None], patients, confidence, ["Big_heart"]
    )


def made(num, generator, gap=1.0, noise=0.5):
    """Labels, and two models that see the same signal with noise of their own."""
    labels = (generator.random(num) < 0.4).astype(float)
    signal = labels * gap + generator.normal(size=num)
    return labels, *(signal + noise * generator.normal(size=num) for _ in range(2))


def psi(positive, negative):
    return 1.0 if positive > negative else 0.5 if positive == negative else 0.0


def slow_variance(labels, first, second):
    """Equations (4) to (6) of DeLong et al. 1988 for two curves, pair by pair: the variance of their difference."""
    rows = {value: [i for i, label in enumerate(labels) if label == value] for value in (1, 0)}
    components = []
    for scores in (first, second):
        v10 = [sum(psi(scores[i], scores[j]) for j in rows[0]) / len(rows[0]) for i in rows[1]]
        v01 = [sum(psi(scores[i], scores[j]) for i in rows[1]) / len(rows[1]) for j in rows[0]]
        components.append((v10, v01))
    covariances = [np.cov([one[side] for one in components]) / len(components[0][side]) for side in (0, 1)]
    total = covariances[0] + covariances[1]
    return total[0, 0] + total[1, 1] - 2 * total[0, 1]


def slow_clustered_variance(labels, scores, patients):
    """Section 2 of Obuchowski 1997 for one curve, as printed."""
    positive, negative = ([i for i, label in enumerate(labels) if label == value] for value in (1, 0))
    v10 = {i: sum(psi(scores[i], scores[j]) for j in negative) / len(negative) for i in positive}
    v01 = {j: sum(psi(scores[i], scores[j]) for i in positive) / len(positive) for j in negative}
    area = sum(v10.values()) / len(v10)
    clusters = sorted(set(patients))
    x = {c: sum(v10[i] - area for i in positive if patients[i] == c) for c in clusters}
    y = {c: sum(v01[j] - area for j in negative if patients[j] == c) for c in clusters}
    with_positive, with_negative = (len({patients[i] for i in rows}) for rows in (positive, negative))
    m, n, num = len(positive), len(negative), len(clusters)
    s10 = with_positive / ((with_positive - 1) * m) * sum(x[c] ** 2 for c in clusters)
    s01 = with_negative / ((with_negative - 1) * n) * sum(y[c] ** 2 for c in clusters)
    s11 = num / (num - 1) * sum(x[c] * y[c] for c in clusters)
    return s10 / m + s01 / n + 2 * s11 / (m * n)


def error_of(test):
    return (test.high - test.low) / 2 / 1.959963984540054


def test_by_hand():
    # Positives 3 and 1 against negatives 2 and 0: the first model errs in one pair of four, the second in none.
    labels, first, second = [1, 1, 0, 0], [3, 1, 2, 0], [3, 2, 1, 0]
    test = compare(labels, first, second)
    assert test.difference == pytest.approx(0.75 - 1)
    # Components of the difference: positives 0 and -1/2, negatives -1/2 and 0; variance 1/8 of each, over 2.
    assert error_of(test) == pytest.approx(math.sqrt(1 / 16 + 1 / 16))
    assert test.p == pytest.approx(math.erfc(0.25 / math.sqrt(1 / 8) / math.sqrt(2)))


@pytest.mark.parametrize("rounded_to", [9, 1])
def test_aurocs_are_those_of_scikit_learn_and_the_variance_that_of_the_slow_loop(rounded_to):
    labels, first, second = made(80, np.random.default_rng(1))
    first, second = first.round(rounded_to), second.round(rounded_to)
    test = compare(labels, first, second)
    assert test.difference == pytest.approx(roc_auc_score(labels, first) - roc_auc_score(labels, second), abs=1e-12)
    assert error_of(test) ** 2 == pytest.approx(slow_variance(labels, first, second), rel=1e-9)


def test_films_of_a_patient_count_together_as_printed_by_obuchowski():
    generator = np.random.default_rng(2)
    labels, first, _ = made(90, generator)
    patients = generator.integers(30, size=90)
    constant = np.zeros_like(first)  # Its components are all one half: what is left is the variance of one curve.
    contrast = contrast_of(labels, first[None], constant[None], patients)
    assert contrast.variance == pytest.approx(slow_clustered_variance(labels, first, patients), rel=1e-9)
    assert contrast.difference == pytest.approx(roc_auc_score(labels, first) - 0.5)


def test_copies_of_each_film_add_nothing_where_the_patient_is_known():
    labels, first, second = made(60, np.random.default_rng(3))
    once = compare(labels, first, second)
    twice = [np.repeat(values, 2) for values in (labels, first, second)]
    clustered = compare(*twice, patients=np.repeat(np.arange(60), 2))
    assert clustered.p == pytest.approx(once.p, rel=1e-9)
    assert compare(*twice).p < once.p  # Taken for 120 patients they would look like evidence.


def test_several_runs_and_labels_agree_with_the_bootstrap_of_the_same_mean():
    generator = np.random.default_rng(4)
    num, num_labels = 300, 3
    patients = generator.integers(150, size=num)
    labels = (generator.random((num, num_labels)) < 0.3).astype(np.float32)
    labels[generator.random((num, num_labels)) < 0.1] = np.nan
    signal = np.nan_to_num(labels) + generator.normal(size=(num, num_labels))
    # One signal of the patient in all labels, so that the labels' AUROCs covary.
    signal += generator.normal(size=150)[patients][:, None]
    first, second = (signal + scale * generator.normal(size=(2, num, num_labels)) for scale in (0.4, 0.8))
    rows = resample_patients([str(p) for p in patients], 1, 0).patient_of_image_N
    test = compare_aurocs(labels, first, second, rows, 0.95, ["a", "b", "c"])

    def replicates(scores):
        part = Part([str(p) for p in patients], labels, scores)
        settings = {"num_replicates": 2000, "confidence": 0.95, "seed": 0}
        return score(["a", "b", "c"], part, part, **settings).replicates["auroc/macro"]

    first_R, second_R = (np.mean([replicates(run) for run in runs], axis=0) for runs in (first, second))
    interval = percentile_interval(first_R - second_R, 0.95)
    assert test.low == pytest.approx(interval.low, abs=0.15 * (test.high - test.low))
    assert test.high == pytest.approx(interval.high, abs=0.15 * (test.high - test.low))


def test_p_is_uniform_where_the_models_are_equally_good():
    generator = np.random.default_rng(5)
    p_values = [compare(*made(150, generator)).p for _ in range(600)]
    assert kstest(p_values, "uniform").pvalue > 0.01
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.02)


def test_p_is_uniform_with_several_films_of_a_patient_and_too_small_without_knowing_it():
    generator = np.random.default_rng(6)
    patients = np.repeat(np.arange(60), 4)
    known, unknown = [], []
    for _ in range(400):
        labels, first, second = (np.repeat(values, 4) for values in made(60, generator))
        first, second = (scores + 0.1 * generator.normal(size=240) for scores in (first, second))
        known.append(compare(labels, first, second, patients).p)
        unknown.append(compare(labels, first, second).p)
    assert np.mean(np.array(known) < 0.05) == pytest.approx(0.05, abs=0.03)
    assert np.mean(np.array(unknown) < 0.05) > 0.15


def test_a_true_difference_is_found():
    generator = np.random.default_rng(7)
    labels, good, _ = made(400, generator, gap=1.5, noise=0.1)
    bad = good + 3 * generator.normal(size=400)
    test = compare(labels, good, bad)
    assert test.p < 1e-6
    assert 0 < test.low < test.difference < test.high
    reverse = compare(labels, bad, good)
    assert (reverse.low, reverse.high, reverse.p) == pytest.approx((-test.high, -test.low, test.p))


def test_equal_rankings_give_p_one():
    labels, first, _ = made(50, np.random.default_rng(8))
    for other in (first, 3 * first - 7, np.exp(first)):
        test = compare(labels, first, other)
        assert (test.difference, test.low, test.high, test.p, test.reason) == (0, 0, 0, 1, "")
    assert compare(labels, labels, 2 * labels).p == 1  # Both separate perfectly.


def test_one_perfect_model_against_another_has_a_p():
    labels, _, second = made(60, np.random.default_rng(9))
    test = compare(labels, labels, second)
    assert test.difference == pytest.approx(1 - roc_auc_score(labels, second))
    assert 0 < test.p < 0.05


def test_what_cannot_be_tested_is_said_and_has_no_p():
    labels = np.array([1.0, 1, 0, 0])
    upside_down = compare(labels, labels, -labels)
    assert upside_down.difference == 1
    assert math.isnan(upside_down.p)
    assert "variance is zero" in upside_down.reason
    alone = compare([1, 0, 0], [1, 0, 2], [2, 0, 1])
    assert math.isnan(alone.p)
    assert alone.reason == "fewer than two patients with, or without, Big heart"
    assert alone.difference == pytest.approx(0.5 - 1)
    nothing = compare([1, 1, np.nan], [1, 2, 3], [1, 2, 3])
    assert math.isnan(nothing.difference)
    assert "positive and negative" in nothing.reason


def test_a_label_that_is_not_stated_leaves_the_film_out():
    labels, first, second = made(60, np.random.default_rng(10))
    with_gaps = np.append(labels, [np.nan] * 5)
    test = compare(with_gaps, np.append(first, [9] * 5), np.append(second, [-9] * 5))
    assert test == compare(labels, first, second)
