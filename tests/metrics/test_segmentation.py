"""Dice and IoU."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import f1_score, jaccard_score

from maskray.metrics.segmentation import count_pixels, dice, iou

MASKS = arrays(bool, (3, 4, 5), elements=st.booleans())


def test_by_hand():
    predicted, true = np.zeros((2, 2, 3), bool), np.zeros((2, 2, 3), bool)
    predicted[0, 0], true[0, :, 0] = True, True  # 3 and 2 pixels, 1 in both
    counts = count_pixels(predicted, true)
    assert [values.tolist() for values in counts] == [[1, 0], [3, 0], [2, 0]]
    np.testing.assert_allclose(dice(*counts), [2 / 5, 1])
    np.testing.assert_allclose(iou(*counts), [1 / 4, 1])


def test_a_mask_where_there_is_nothing_scores_zero():
    predicted, true = np.ones((1, 2, 2), bool), np.zeros((1, 2, 2), bool)
    assert dice(*count_pixels(predicted, true)) == 0
    assert iou(*count_pixels(true, predicted)) == 0


@given(MASKS, MASKS)
def test_as_scikit_learn(predicted, true):
    counts = count_pixels(predicted, true)
    for row in range(3):
        flat = true[row].ravel(), predicted[row].ravel()
        assert np.isclose(dice(*counts)[row], f1_score(*flat, zero_division=1))
        assert np.isclose(iou(*counts)[row], jaccard_score(*flat, zero_division=1))
