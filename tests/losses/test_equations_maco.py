"""One hand-computed example per numbered equation of MaCo, and slow loops, forward and backward."""

import math

import pytest
import torch

from maskray.losses.contrastive import similarity_logits
from maskray.losses.reconstruction import hidden_mse, normalise_patches
from maskray.losses.weighted import correlation_weights, weighted_contrastive_loss


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


def test_eq_01_is_the_squared_error_of_hidden_patches():
    predicted, target = f64([[1, 2], [0, 0], [5, 5]]), f64([[0, 0], [9, 9], [4, 3]])
    hidden = torch.tensor([[True, False, True]])
    assert hidden_mse(predicted, target, hidden).item() == pytest.approx((1 + 4 + 1 + 4) / 4)


def test_targets_have_mean_0_and_deviation_1():
    normalised = normalise_patches(torch.rand(2, 3, 64).double())
    assert torch.allclose(normalised.mean(dim=2), torch.zeros(2, 3).double(), atol=1e-12)
    assert torch.allclose(normalised.std(dim=2), torch.ones(2, 3).double(), atol=1e-3)
    assert normalise_patches(torch.zeros(1, 1, 64)).isfinite().all()


def test_eq_02_softmax_in_groups_and_exp_for_the_temperature():
    scores = f64(math.log(1), math.log(3), 0, 0)
    w_t, w_l = correlation_weights(scores, 1.0, 2.0, 2)
    root = math.sqrt(3)
    assert torch.allclose(w_t, f64(0.25, 0.75, 0.5, 0.5).exp())
    assert torch.allclose(w_l, f64(1 / (1 + root), root / (1 + root), 0.5, 0.5))


def test_eq_02_limits_and_gradient():
    scores = (torch.randn(32) * 5).requires_grad_()
    w_t, w_l = correlation_weights(scores, 1.0, 16.0, 16)
    assert (w_t >= 1).all()
    assert (w_t <= math.e).all()
    assert torch.allclose(w_l.view(2, 16).sum(dim=1), torch.ones(2))
    assert w_t.requires_grad
    assert not w_l.requires_grad


def test_eq_02_says_which_batch_sizes_fit():
    with pytest.raises(ValueError, match=r"global batch of 24 .* groups of 16.*multiple of group_size"):
        correlation_weights(torch.zeros(24), 1, 16, 16)


def test_eq_03_weighs_each_pair():
    # exp of the logits; row = film, column = text.
    logits, w_l = f64([6, 2], [1, 3]).log(), f64(0.25, 0.75)
    one_way = -(0.25 * math.log(6 / 8) + 0.75 * math.log(3 / 4))
    other_way = -(0.25 * math.log(6 / 7) + 0.75 * math.log(3 / 5))
    assert weighted_contrastive_loss(logits, w_l, 2, mirrored=False).item() == pytest.approx(one_way)
    assert weighted_contrastive_loss(logits, w_l, 2, mirrored=True).item() == pytest.approx((one_way + other_way) / 2)


def test_eq_03_with_equal_scores_is_plain_contrast():
    logits = torch.randn(8, 8, dtype=torch.float64)
    _, w_l = correlation_weights(torch.zeros(8).double(), 1, 16, 4)
    expected = torch.nn.functional.cross_entropy(logits, torch.arange(8))
    assert torch.allclose(weighted_contrastive_loss(logits, w_l, 4, mirrored=False), expected)


@pytest.mark.parametrize("mirrored", [True, False])
def test_weighted_contrast_equals_a_slow_loop(mirrored):
    inputs = [torch.randn(4, 3).double(), torch.randn(4, 3).double(), torch.randn(4).double(), f64(0.2)[0]]

    def fast(images, texts, scores, tau_3):
        w_t, w_l = correlation_weights(scores, 0.8, 3.0, 2)
        return weighted_contrastive_loss(similarity_logits(images, texts, w_t[:, None] * tau_3), w_l, 2, mirrored)

    def slow(images, texts, scores, tau_3):
        cosine = [[images[i] @ texts[k] / images[i].norm() / texts[k].norm() for k in range(4)] for i in range(4)]
        groups = []
        for members in ((0, 1), (2, 3)):
            total = 0
            for i in members:
                w_t = ((scores[i] / 0.8).exp() / sum((scores[d] / 0.8).exp() for d in members)).exp()
                w_l = (scores[i].item() / 3, [scores[d].item() / 3 for d in members])
                w_l = math.exp(w_l[0]) / sum(map(math.exp, w_l[1]))
                match = cosine[i][i] / (w_t * tau_3)
                term = -(match - sum((cosine[i][k] / (w_t * tau_3)).exp() for k in range(4)).log())
                if mirrored:
                    others = 0
                    for k in range(4):
                        group = (0, 1) if k < 2 else (2, 3)
                        w_t_k = ((scores[k] / 0.8).exp() / sum((scores[d] / 0.8).exp() for d in group)).exp()
                        others = others + (cosine[k][i] / (w_t_k * tau_3)).exp()
                    term = (term - (match - others.log())) / 2
                total = total + w_l * term
            groups.append(total)
        return sum(groups) / 2

    results = []
    for function in (fast, slow):
        leaves = [x.clone().requires_grad_() for x in inputs]
        value = function(*leaves)
        value.backward()
        results.append([value.detach(), *(leaf.grad for leaf in leaves)])
    for ours, expected in zip(*results, strict=True):
        assert torch.allclose(ours, expected)
