"""AUROC, F1 and accuracy against hand-computed cases, scikit-learn and slow loops."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, precision_recall_curve, roc_auc_score

from maskray.metrics.classification import Ranking, auroc, best_f1_threshold, macro_auroc

LABELS = np.array([0, 0, 1, 1, 0, 1])
SCORES = np.array([0.1, 0.4, 0.4, 0.8, 0.9, 0.9])


def at(labels, scores, threshold):
    """F1 and accuracy of one test set at a threshold."""
    ranking = Ranking(labels, scores)
    return tuple(float(values_R[0]) for values_R in ranking.at(threshold, ranking.counts()))


def f1(labels, scores, threshold):
    return at(labels, scores, threshold)[0]


def accuracy(labels, scores, threshold):
    return at(labels, scores, threshold)[1]


def f1_oracle(labels, scores):
    return float(Ranking(labels, scores).counts().best_f1()[1][0])


def accuracy_oracle(labels, scores):
    return float(Ranking(labels, scores).counts().best_f1()[2][0])


# Few distinct values, so that ties are common.
cases = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=40)


def split(case):
    labels, scores = np.array([c[0] for c in case], float), np.array([c[1] for c in case], float) / 7
    assume(0 < labels.sum() < labels.size)
    return labels, scores


def test_auroc_by_hand():
    # Pairs in order, positives 0.4, 0.8, 0.9 against negatives 0.1, 0.4, 0.9: 1.5 + 2 + 2.5 of 9.
    assert auroc(LABELS, SCORES) == pytest.approx(6 / 9)


def test_f1_and_accuracy_by_hand():
    # At 0.8: two of three positives called, and one negative.
    assert f1(LABELS, SCORES, 0.8) == pytest.approx(4 / 6)
    assert accuracy(LABELS, SCORES, 0.8) == pytest.approx(4 / 6)


def test_an_image_at_the_threshold_is_called_positive():
    assert f1([0, 1], [0.2, 0.5], 0.5) == 1
    assert f1([0, 1], [0.2, 0.5], 0.51) == 0


def test_the_oracle_by_hand():
    # F1: at 0.4 three positives and two negatives: 6/8; at 0.8: 4/6; at 0.9: 2/5.
    assert best_f1_threshold(LABELS, SCORES) == 0.4
    assert f1_oracle(LABELS, SCORES) == pytest.approx(6 / 8)
    assert accuracy_oracle(LABELS, SCORES) == pytest.approx(4 / 6)


def test_accuracy_oracle_takes_the_threshold_of_f1_not_of_accuracy():
    # One positive of six, tied with a negative below four others: calling none is right five times in six.
    labels, scores = np.array([1, 0, 0, 0, 0, 0]), np.array([0.5, 0.6, 0.7, 0.8, 0.1, 0.2])
    assert f1_oracle(labels, scores) == pytest.approx(2 / 5)
    assert accuracy_oracle(labels, scores) == pytest.approx(3 / 6)


def test_the_lowest_of_equal_thresholds_is_taken():
    # F1 is 2/3 at 0.9 (one called) and at 0.2 (two positives, two negatives called).
    labels, scores = np.array([1, 0, 0, 1]), np.array([0.9, 0.5, 0.4, 0.2])
    assert best_f1_threshold(labels, scores) == 0.2


@pytest.mark.parametrize("labels", [[1, 1], [0, 0], [np.nan, 1], [np.nan, np.nan]])
def test_one_class_alone_has_no_value(labels):
    for metric in (auroc, f1_oracle, accuracy_oracle, best_f1_threshold):
        assert np.isnan(metric(labels, [0.1, 0.2]))
    assert np.isnan(f1(labels, [0.1, 0.2], 0.15))
    assert np.isnan(accuracy(labels, [0.1, 0.2], 0.15))


def test_without_a_threshold_there_is_no_f1():
    assert np.isnan(f1(LABELS, SCORES, float("nan")))


def test_labels_not_stated_are_left_out():
    labels = np.append(LABELS, [np.nan, np.nan])
    scores = np.append(SCORES, [0.0, 1.0])
    assert auroc(labels, scores) == auroc(LABELS, SCORES)
    assert f1(labels, scores, 0.8) == f1(LABELS, SCORES, 0.8)
    assert accuracy(labels, scores, 0.8) == accuracy(LABELS, SCORES, 0.8)
    assert f1_oracle(labels, scores) == f1_oracle(LABELS, SCORES)
    assert Ranking(labels, scores).num_images == 6
    assert Ranking(labels, scores).num_positive == 3


@given(cases)
def test_auroc_equals_scikit_learn(case):
    labels, scores = split(case)
    assert auroc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


@given(cases, st.integers(-1, 8))
def test_f1_and_accuracy_equal_scikit_learn(case, level):
    labels, scores = split(case)
    called = scores >= level / 7
    assert f1(labels, scores, level / 7) == pytest.approx(f1_score(labels, called, zero_division=0))
    assert accuracy(labels, scores, level / 7) == pytest.approx(accuracy_score(labels, called))


@given(cases)
def test_the_oracle_equals_a_search_over_all_thresholds(case):
    labels, scores = split(case)
    precision, recall, thresholds = precision_recall_curve(labels, scores)
    f1s = (2 * precision * recall / np.maximum(precision + recall, 1e-12))[:-1]
    best = np.flatnonzero(f1s >= f1s.max() - 1e-12)[0]
    assert f1_oracle(labels, scores) == pytest.approx(f1s.max())
    assert accuracy_oracle(labels, scores) == pytest.approx(accuracy_score(labels, scores >= thresholds[best]))
    assert f1(labels, scores, best_f1_threshold(labels, scores)) == pytest.approx(f1_oracle(labels, scores))


@given(cases)
def test_auroc_turns_over_with_the_scores(case):
    labels, scores = split(case)
    assert auroc(labels, scores) + auroc(labels, -scores) == pytest.approx(1)


@given(cases, st.data())
def test_a_weight_is_a_repetition(case, data):
    labels, scores = split(case)
    weights = np.array(data.draw(st.lists(st.integers(0, 3), min_size=labels.size, max_size=labels.size)))
    ranking = Ranking(labels, scores)
    weights_N1 = weights[:, None].astype(np.float32)
    counts = ranking.counts(weights_N1)
    repeated = np.repeat(labels, weights), np.repeat(scores, weights)
    np.testing.assert_allclose(counts.auroc()[0], auroc(*repeated))
    np.testing.assert_allclose(counts.best_f1()[1][0], f1_oracle(*repeated))
    np.testing.assert_allclose(counts.best_f1()[2][0], accuracy_oracle(*repeated))
    f1_R, accuracy_R = ranking.at(0.5, counts, weights_N1)
    np.testing.assert_allclose(f1_R[0], f1(*repeated, 0.5))
    np.testing.assert_allclose(accuracy_R[0], accuracy(*repeated, 0.5))


def test_images_of_one_patient_share_a_weight():
    # Patient 0 owns the first two images, patient 1 the rest; patient 1 is drawn twice, patient 0 never.
    ranking = Ranking([1, 0, 1, 0, 1], [0.1, 0.9, 0.3, 0.5, 0.7], [0, 0, 1, 1, 1])
    counts = ranking.counts(np.array([[0], [2]], np.float32))
    assert counts.num_positive_R[0] == 4
    assert counts.num_negative_R[0] == 2
    assert counts.auroc()[0] == auroc([1, 0, 1], [0.3, 0.5, 0.7])


def test_macro_auroc_leaves_out_labels_with_one_class():
    labels = np.array([[0, 1, np.nan], [1, 1, 0], [0, 1, np.nan]], np.float32)
    scores = np.array([[0.3, 0.1, 0.2], [0.2, 0.3, 0.1], [0.1, 0.5, 0.3]], np.float32)
    assert macro_auroc(labels, scores) == pytest.approx(0.5)
    assert np.isnan(macro_auroc(labels[:, 1:], scores[:, 1:]))
