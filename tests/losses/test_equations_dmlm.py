"""One hand-computed example per numbered equation of D-MLM, torch's own distributions, and slow loops."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Normal
from torch.distributions import kl_divergence as torch_kl

from maskray.encoders.gaussian import GaussianHead
from maskray.losses.gaussian import as_key, as_query, kl_divergence, mean_over_hidden, squared_wasserstein
from tests.losses.test_equations_mnm import assert_same_gradient
from tests.methods.made_methods import made_batch, made_method


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


def some_gaussians(*shape):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(*shape, 5, generator=generator, dtype=torch.float64) for _ in range(4)]


def test_eq_01_a_token_is_its_mean_and_variance():
    head = GaussianHead(2).double()
    head.to_mean.weight.data, head.to_mean.bias.data = f64([1, 2], [0, 1]), f64(0.5, 0)
    head.to_log_variance.weight.data, head.to_log_variance.bias.data = f64([0, 1], [9, 0]), f64(0, 0)
    mean, log_variance = head(f64([1, -3]))
    assert mean.tolist() == [[1 - 6 + 0.5, -3]]
    assert log_variance.tolist() == [[-3, 4]]


def test_eq_02_is_a_gaussian_of_the_hidden_token_given_the_rest():
    method, batch = made_method("dmlm").eval(), made_batch()
    hidden = method.hide_patches(method.targets(batch), batch)
    views = method.encode_views(batch, hidden, None)
    fused = method.g_im(views.masked_image_BSC, None, views.text_BLC, batch.token_is_real_BL)[:, 1:]
    mean, log_variance = method.predict_image(views, batch)
    torch.testing.assert_close(mean, method.predict_head_im.to_mean(fused))
    torch.testing.assert_close(log_variance, method.predict_head_im.to_log_variance(fused).clamp(-8, 4))


def test_eq_03_divergence_by_hand():
    # Dimension 1: N(1, 2) || N(0, 1): (2 + 1 - 1 - log 2) / 2; dimension 2: N(0, 1) || N(0, 4): (1/4 - 1 + log 4) / 2.
    divergence = kl_divergence(f64(1, 0), f64(2, 1).log(), f64(0, 0), f64(1, 4).log())
    expected = ((2 - math.log(2)) / 2 + (0.25 - 1 + math.log(4)) / 2) / 2
    assert divergence.item() == pytest.approx(expected)


def test_eq_03_is_the_mean_over_hidden_tokens():
    values, hidden = f64([1, 2, 3], [4, 5, 6]), torch.tensor([[True, False, True], [False, True, False]])
    assert mean_over_hidden(values, hidden).item() == pytest.approx((2 + 5) / 2)
    assert mean_over_hidden(values, torch.zeros_like(hidden)).item() == 0


def test_eq_03_prediction_comes_first():
    one, other = (f64(0), f64(0)), (f64(0), f64(2))
    assert kl_divergence(*one, *other).item() == pytest.approx((math.exp(-2) - 1 + 2) / 2)
    assert kl_divergence(*other, *one).item() == pytest.approx((math.exp(2) - 1 - 2) / 2)


def test_divergence_equals_torch_forward_and_backward():
    def by_torch(mean, log_variance, other_mean, other_log_variance):
        one = Normal(mean, (log_variance / 2).exp())
        return torch_kl(one, Normal(other_mean, (other_log_variance / 2).exp())).mean()

    assert_same_gradient(lambda *each: kl_divergence(*each).mean(), by_torch, some_gaussians(3, 4))


finite = st.floats(-30, 30)
log_variances = st.floats(-8, 4)


@given(finite, log_variances, finite, log_variances)
def test_divergence_is_never_below_zero_and_zero_for_equals(mean, log_variance, other_mean, other_log_variance):
    one, other = (f64(mean), f64(log_variance)), (f64(other_mean), f64(other_log_variance))
    assert kl_divergence(*one, *other).item() >= -1e-12
    assert kl_divergence(*one, *one).item() == 0


def test_eq_04_by_hand():
    # Means 3 and 0 apart, standard deviations 2 - 1 and 1 - 3 apart.
    distance = squared_wasserstein(f64(3, 1), f64(4, 1).log(), f64(0, 1), f64(1, 9).log())
    assert distance.item() == pytest.approx((9 + 1 + 0 + 4) / 2)


def test_distance_equals_a_slow_loop():
    def slow(mean, log_variance, other_mean, other_log_variance):
        total = 0
        for row in range(3):
            for c in range(5):
                spread = (log_variance[row, c].exp() ** 0.5 - other_log_variance[row, c].exp() ** 0.5) ** 2
                total = total + ((mean[row, c] - other_mean[row, c]) ** 2 + spread) / 5
        return total / 3

    assert_same_gradient(lambda *each: squared_wasserstein(*each).mean(), slow, some_gaussians(3))


def test_distance_of_normals_is_that_of_their_optimal_coupling():
    """In one dimension the best coupling pairs equal quantiles."""
    quantiles = (torch.arange(20000, dtype=torch.float64) + 0.5) / 20000
    one, other = Normal(f64(0.3), f64(0.7)), Normal(f64(-1.0), f64(1.9))
    coupled = ((one.icdf(quantiles) - other.icdf(quantiles)) ** 2).mean()
    exact = squared_wasserstein(f64(0.3), f64(0.49).log(), f64(-1.0), f64(3.61).log())
    assert exact.item() == pytest.approx(coupled.item(), rel=1e-3)


def test_product_of_query_and_key_compares_distances():
    mean, log_variance, other_mean, other_log_variance = some_gaussians(4)
    products = as_query(mean, log_variance) @ as_key(other_mean, other_log_variance).T
    film = [each[:, None].expand(-1, 4, -1) for each in (mean, log_variance)]
    text = [each[None].expand(4, -1, -1) for each in (other_mean, other_log_variance)]
    distances = squared_wasserstein(*film, *text)
    torch.testing.assert_close(products[:, :1] - products[:, 1:], distances[:, 1:] - distances[:, :1])


def test_eq_05_weighs_prediction_and_alignment():
    for share in (0.2, 0.7):
        losses = made_method("dmlm", reconstruction_weight=share, anchor_weight=0.5)(made_batch())
        terms = {name: term.item() for name, term in losses.terms.items()}
        expected = share * (terms["dmlm_txt"] + terms["dmlm_im"]) + (1 - share) * terms["align"] + 0.5 * terms["itc"]
        assert losses.total().item() == pytest.approx(expected, rel=1e-5)
    literal = made_method("dmlm", anchor="none")(made_batch())
    assert list(literal.terms) == ["dmlm_txt", "dmlm_im", "align"]
