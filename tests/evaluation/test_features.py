"""Encoding all images of a part."""

import torch

from maskray.evaluation import features
from maskray.evaluation.features import compute_for_all
from tests.made_benchmark import TinyMethod


def test_every_image_in_order_whatever_the_size_of_a_pass(open_images, runtime, monkeypatch):
    images, encoder = open_images(), TinyMethod().image_encoder
    ids = images.examples("test").image_ids
    whole = compute_for_all(encoder, images, ids, runtime, "test")
    monkeypatch.setattr(features, "_IMAGES_PER_PASS", 7)
    torch.testing.assert_close(compute_for_all(encoder, images, ids, runtime), whole)
    with torch.no_grad():
        expected = encoder(images.read(ids).float() / 255)
    torch.testing.assert_close(whole, expected)
    assert not whole.requires_grad
