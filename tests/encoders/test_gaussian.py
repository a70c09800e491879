"""Heads that make Gaussians, and the module that keeps encoders and heads together."""

import torch

from maskray.config.encoders import ImageEncoderConfig, TextEncoderConfig
from maskray.encoders import ImageEncoder, TextEncoder
from maskray.encoders.gaussian import GaussianEncoders, GaussianHead


def test_the_variance_stays_within_its_limits():
    head = GaussianHead(4)
    mean, log_variance = head(1e4 * torch.randn(2, 3, 4))
    assert mean.shape == log_variance.shape == (2, 3, 4)
    assert log_variance.min() == -8
    assert log_variance.max() == 4
    assert mean.abs().max() > 100


def test_encoders_and_heads_are_shared_with_their_owner():
    image = ImageEncoder(ImageEncoderConfig(weights=None, image_px=32, patch_px=8, width=32, depth=1, num_heads=2))
    text = TextEncoder(TextEncoderConfig(weights=None, max_tokens=8, width=48, depth=1, num_heads=2), 20)
    to_latent, heads = torch.nn.Linear(48, 32), (GaussianHead(32), GaussianHead(32))
    encoders = GaussianEncoders(image, torch.nn.Identity(), heads[0], text, to_latent, heads[1]).eval()
    films, ids = torch.rand(2, 32, 32), torch.randint(5, 20, (2, 8))
    is_real = torch.ones_like(ids, dtype=torch.bool)
    (image_mean, image_log_variance), (text_mean, _) = encoders(films, ids, is_real)
    class_token, patches = image(films)
    torch.testing.assert_close(image_mean, heads[0].to_mean(torch.cat([class_token[:, None], patches], dim=1)))
    assert image_log_variance.shape == (2, 17, 32)
    torch.testing.assert_close(text_mean, heads[1].to_mean(to_latent(text(ids, is_real))))
