"""Cross-modality blocks: what may see what."""

import math

import torch

from maskray.encoders import CrossModalityEncoder
from maskray.encoders.fusion import Attention


def inputs():
    generator = torch.Generator().manual_seed(0)
    own, other = torch.randn(2, 5, 16, generator=generator), torch.randn(2, 7, 16, generator=generator)
    return own, other, torch.tensor([[True] * 7, [True] * 4 + [False] * 3])


def test_attention_equals_a_slow_loop():
    attention = Attention(16, 4).double()
    own, other, is_real = inputs()
    own, other = own.double(), other.double()
    key, value = attention.key_value(other).chunk(2, dim=2)
    query = attention.query(own)
    expected = torch.zeros_like(own)
    for b in range(2):
        for s in range(5):
            for head in range(4):
                part = slice(4 * head, 4 * head + 4)
                seen = [m for m in range(7) if is_real[b, m]]
                scores = torch.stack([query[b, s, part] @ key[b, m, part] / math.sqrt(4) for m in seen]).softmax(0)
                expected[b, s, part] = sum(w * value[b, m, part] for w, m in zip(scores, seen, strict=True))
    assert torch.allclose(attention(own, other, is_real), attention.output(expected))


def test_padding_of_the_other_modality_is_not_seen():
    encoder = CrossModalityEncoder(16, depth=2, num_heads=4)
    own, other, is_real = inputs()
    changed = torch.where(is_real[:, :, None], other, torch.full_like(other, 9.0))
    assert torch.equal(encoder(own, None, other, is_real), encoder(own, None, changed, is_real))
    assert not torch.allclose(encoder(own, None, other, is_real), encoder(own, None, -other, is_real), atol=1e-4)


def test_own_padding_is_not_seen_by_real_tokens():
    encoder = CrossModalityEncoder(16, depth=2, num_heads=4)
    own, other, is_real = inputs()
    changed = torch.where(is_real[:, :, None], other, torch.full_like(other, 9.0))
    outputs = [encoder(x, is_real, own, None)[is_real] for x in (other, changed)]
    assert torch.allclose(*outputs, atol=1e-6)


def test_class_alone_equals_the_class_of_all():
    encoder = CrossModalityEncoder(16, depth=2, num_heads=4)
    own, other, is_real = inputs()
    alone = encoder(own, None, other, is_real, class_only=True)
    assert torch.allclose(alone, encoder(own, None, other, is_real)[:, 0], atol=1e-6)
