"""Full precision inside autocast, and the learned temperature."""

import math

import pytest
import torch

from maskray.losses.contrastive import contrastive_loss, similarity_logits
from maskray.losses.reconstruction import hidden_l1
from maskray.losses.temperature import Temperature


def test_losses_are_float32_inside_autocast():
    images, texts = torch.randn(6, 32), torch.randn(6, 32)
    plain = contrastive_loss(similarity_logits(images, texts, torch.tensor(0.07)))
    with torch.autocast("cpu", torch.bfloat16):
        inside = contrastive_loss(similarity_logits(images, texts, torch.tensor(0.07)))
        halves = hidden_l1(images.view(2, 3, 32).bfloat16(), texts.view(2, 3, 32), torch.ones(2, 3, dtype=torch.bool))
    assert torch.equal(inside, plain)
    assert halves.dtype == torch.float32


def test_float64_stays():
    assert contrastive_loss(torch.randn(3, 3).double()).dtype == torch.float64


@pytest.mark.parametrize("start", [0.001, 7.0])
def test_temperature_comes_back_from_its_limits(start):
    tau = Temperature(0.07)
    assert tau().item() == pytest.approx(0.07)
    tau.log_tau.data.fill_(math.log(start))
    value = tau()
    assert value.item() == pytest.approx(min(max(start, 0.01), 1.0))
    value.backward()
    assert tau.log_tau.grad.item() == pytest.approx(value.item())
