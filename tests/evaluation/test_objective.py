"""Loss, probabilities and choice on validation: labels one by one, and classes that exclude each other."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss
from sklearn.utils.class_weight import compute_class_weight

from maskray.evaluation.images import Examples
from maskray.evaluation.objective import (
    Objective,
    balanced_weights,
    class_cross_entropy,
    objective_of,
    stated_cross_entropy,
)
from maskray.metrics.classification import macro_auroc

NAN = float("nan")
CLASSES = Objective(exclusive=True)


def examples_of(labels):
    labels = np.array(labels, np.float32)
    return Examples([str(i) for i in range(len(labels))], ["p"] * len(labels), labels)


def draw(seed, num_images=60, num_classes=4):
    """Logits, and one class each: the rarer, the higher its number."""
    rng = np.random.default_rng(seed)
    classes = rng.choice(num_classes, num_images, p=np.arange(num_classes, 0, -1) / sum(range(num_classes + 1)))
    logits = rng.normal(size=(num_images, num_classes)).astype(np.float32)
    return logits, np.eye(num_classes, dtype=np.float32)[classes], classes


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


def test_one_class_of_several_is_scikit_learns_log_loss():
    logits, one_hot, classes = draw(0)
    found = class_cross_entropy(torch.from_numpy(logits), torch.from_numpy(one_hot))
    shares = torch.from_numpy(logits).double().softmax(dim=1).numpy()
    assert found.item() == pytest.approx(log_loss(classes, shares), rel=1e-5)
    np.testing.assert_allclose(CLASSES.probabilities(torch.from_numpy(logits)), shares, rtol=1e-6)


def test_films_without_a_class_count_for_nothing_and_a_batch_of_them_is_zero():
    logits, one_hot, _ = draw(1)
    unknown = np.full((5, 4), NAN, np.float32)
    few = class_cross_entropy(torch.from_numpy(logits[5:]), torch.from_numpy(one_hot[5:]))
    all_ = class_cross_entropy(torch.from_numpy(logits), torch.from_numpy(np.concatenate([unknown, one_hot[5:]])))
    assert all_.item() == pytest.approx(few.item())
    nothing = torch.zeros(5, 4, requires_grad=True)
    class_cross_entropy(nothing, torch.from_numpy(unknown)).backward()
    assert (nothing.grad == 0).all()


@given(st.integers(0, 50))
def test_balanced_weights_of_classes_are_scikit_learns(seed):
    _, one_hot, classes = draw(seed)
    present = np.unique(classes)
    expected = np.zeros(4)
    expected[present] = compute_class_weight("balanced", classes=present, y=classes) * len(present) / 4
    np.testing.assert_allclose(balanced_weights(one_hot, True), expected, rtol=1e-6)


def test_balanced_weights_of_labels_are_scikit_learns_for_each_label():
    labels = np.array([[1, 0], [0, 0], [0, NAN], [0, 1], [NAN, 0]], np.float32)
    found = balanced_weights(labels, False)
    for column in range(2):
        stated = labels[~np.isnan(labels[:, column]), column]
        expected = compute_class_weight("balanced", classes=np.array([0.0, 1.0]), y=stated)
        np.testing.assert_allclose(found[:, column], expected, rtol=1e-6)


def test_a_class_that_training_lacks_weighs_nothing_and_breaks_nothing():
    labels = np.eye(3, dtype=np.float32)[[0, 0, 1]]
    weights = balanced_weights(labels, True)
    np.testing.assert_allclose(weights, [0.5, 1.0, 0.0])
    loss = Objective(True, weights).loss(torch.zeros(3, 3), torch.from_numpy(labels))
    assert loss.item() == pytest.approx(np.log(3))
    assert Objective(True, weights).quality(torch.zeros(1, 3), examples_of([[0, 0, 1]])) == 0


def test_balanced_loss_by_hand():
    """Three without the finding, one with it: both answers weigh the same."""
    labels, logits = torch.tensor([[1.0], [0], [0], [0]]), torch.tensor([[-1.0], [-1], [-1], [-1]])
    weights = balanced_weights(labels.numpy(), False)
    absent, present = np.log1p(np.exp(-1)), np.log1p(np.exp(1))
    assert stated_cross_entropy(logits, labels, weights).item() == pytest.approx((absent + present) / 2)
    assert stated_cross_entropy(logits, labels).item() == pytest.approx((3 * absent + present) / 4)


def test_the_objective_follows_the_benchmark_and_the_settings():
    _, one_hot, _ = draw(2)
    classes = SimpleNamespace(exclusive=True)
    assert objective_of(classes, examples_of(one_hot), "equal") == Objective(True)
    balanced = objective_of(classes, examples_of(one_hot), "balanced")
    torch.testing.assert_close(balanced.weights, balanced_weights(one_hot, True))
    assert objective_of(SimpleNamespace(exclusive=False), examples_of(one_hot), "balanced").weights.shape == (2, 4)


def test_quality_of_classes_is_the_loss_since_auroc_does_not_know_the_highest():
    """Both rank each class without flaw; the second calls every film the last class."""
    _, one_hot, _ = draw(3)
    good = torch.from_numpy(one_hot) * 4
    blind = good / 4 + torch.tensor([0.0, 0, 0, 9])
    assert macro_auroc(one_hot, good.softmax(1).numpy()) == macro_auroc(one_hot, blind.softmax(1).numpy()) == 1
    examples = examples_of(one_hot)
    assert CLASSES.quality(good, examples) > CLASSES.quality(blind, examples)
    assert CLASSES.quality(good, examples) == pytest.approx(-np.log1p(3 * np.exp(-4)), rel=1e-5)


def test_quality_is_auroc_where_there_is_one():
    logits = torch.tensor([[0.1], [0.9], [0.5]])
    assert Objective().quality(logits, examples_of([[0], [1], [1]])) == 1
    assert Objective().quality(-logits, examples_of([[0], [1], [1]])) == 0


def test_quality_is_the_loss_where_no_label_has_both_classes():
    few = examples_of([[1, NAN]])
    good, bad = (Objective().quality(torch.tensor([[logit, 9.0]]), few) for logit in (3.0, -3.0))
    assert bad < good < 0


def test_quality_of_nan_is_nan():
    assert np.isnan(Objective().quality(torch.tensor([[NAN]]), examples_of([[1]])))


def test_confident_probabilities_keep_their_order():
    scores = Objective().probabilities(torch.tensor([[-60.0], [-50.0], [0.0], [12.0], [13.0]]))
    assert (np.diff(scores[:, 0]) > 0).all()
    assert scores.dtype == np.float32
