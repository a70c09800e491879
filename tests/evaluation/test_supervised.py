"""Loss, order, choice on validation."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from maskray.errors import InputError
from maskray.evaluation.images import Examples
from maskray.evaluation.supervised import (
    check_stated,
    new_head,
    probabilities,
    shuffled_batches,
    stated_cross_entropy,
    validation_quality,
)

NAN = float("nan")


def examples_of(labels):
    labels = np.array(labels, np.float32)
    return Examples([str(i) for i in range(len(labels))], ["p"] * len(labels), labels)


def test_cross_entropy_by_hand_skips_what_is_not_stated():
    logits = torch.tensor([[0.0, 5.0], [2.0, -1.0]])
    labels = torch.tensor([[1.0, NAN], [0.0, NAN]])
    expected = (np.log(2) + np.log1p(np.exp(2))) / 2
    assert stated_cross_entropy(logits, labels).item() == pytest.approx(expected, rel=1e-6)


def test_unstated_labels_give_no_gradient_and_no_nan():
    logits = torch.zeros(2, 2, requires_grad=True)
    stated_cross_entropy(logits, torch.tensor([[1.0, NAN], [NAN, NAN]])).backward()
    np.testing.assert_allclose(logits.grad, [[-0.5, 0], [0, 0]])
    assert stated_cross_entropy(logits, torch.full((2, 2), NAN)).item() == 0


@given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 3), st.integers(1, 3))
def test_every_image_stands_once_in_each_epoch(num_images, batch_size, seed, epoch):
    batches = list(shuffled_batches(num_images, batch_size, seed, epoch))
    assert sorted(np.concatenate(batches)) == list(range(num_images))
    assert all(len(batch) == batch_size for batch in batches[:-1])


def test_the_order_is_a_function_of_seed_and_epoch():
    def order(seed, epoch):
        return np.concatenate(list(shuffled_batches(30, 4, seed, epoch))).tolist()

    assert order(0, 1) == order(0, 1)
    assert order(0, 1) != order(0, 2)
    assert order(0, 1) != order(1, 1)


def test_heads_follow_the_seed_alone():
    torch.manual_seed(5)
    first = new_head(6, 2, 0).weight
    torch.manual_seed(7)
    assert torch.equal(first, new_head(6, 2, 0).weight)
    assert not torch.equal(first, new_head(6, 2, 1).weight)


def test_quality_is_auroc_where_there_is_one():
    logits = torch.tensor([[0.1], [0.9], [0.5]])
    assert validation_quality(logits, examples_of([[0], [1], [1]])) == 1
    assert validation_quality(-logits, examples_of([[0], [1], [1]])) == 0


def test_quality_is_the_loss_where_no_label_has_both_classes():
    few = examples_of([[1, NAN]])
    good, bad = (validation_quality(torch.tensor([[logit, 9.0]]), few) for logit in (3.0, -3.0))
    assert bad < good < 0


def test_quality_of_nan_is_nan():
    assert np.isnan(validation_quality(torch.tensor([[NAN]]), examples_of([[1]])))


def test_a_part_without_a_stated_label_is_refused():
    with pytest.raises(InputError, match=r"split\.csv: no image of train has a stated label"):
        check_stated("train", examples_of([[NAN], [NAN]]), "split.csv")


def test_confident_probabilities_keep_their_order():
    scores = probabilities(torch.tensor([[-60.0], [-50.0], [0.0], [12.0], [13.0]]))
    assert (np.diff(scores[:, 0]) > 0).all()
    assert scores.dtype == np.float32
