"""Patches and back, positions, and the word head."""

import pytest
import torch

from maskray.decoders import CaptionDecoder, PatchDecoder, WordDecoder
from maskray.decoders.pixels import fill_hidden, patchify, sine_positions, unpatchify


def test_patchify_is_row_by_row_and_has_an_inverse():
    images = torch.arange(2 * 8 * 12.0).view(2, 8, 12)
    patches = patchify(images, 4)
    assert patches.shape == (2, 6, 16)
    assert torch.equal(patches[1, 4], images[1, 4:8, 4:8].flatten())
    assert torch.equal(unpatchify(patches, (2, 3)), images)


def test_only_hidden_patches_are_filled():
    images = torch.rand(1, 8, 8)
    hidden = torch.tensor([[False, True, False, False]])
    filled = fill_hidden(images, torch.full((1, 4, 16), 2.0), hidden, (2, 2))
    assert (filled[0, :4, 4:] == 1).all()
    assert torch.equal(filled[0, 4:], images[0, 4:])


def test_positions_differ_and_need_a_width_of_fours():
    positions = sine_positions((3, 5), 16)
    assert positions.shape == (15, 16)
    assert len(positions.round(decimals=4).unique(dim=0)) == 15
    with pytest.raises(ValueError, match="multiple of 4"):
        sine_positions((2, 2), 6)


@pytest.mark.parametrize("depth", [0, 2])
def test_the_patch_decoder_answers_for_every_patch(depth):
    decoder = PatchDecoder(12, (2, 3), 16, width=8, depth=depth, num_heads=2)
    tokens = torch.randn(2, 6, 12)
    values = decoder(decoder.embed(tokens))
    assert values.shape == (2, 6, 16)
    changed = decoder(decoder.embed(torch.cat([tokens[:, :5], -tokens[:, 5:]], dim=1)))
    assert torch.equal(values[:, 0], changed[:, 0]) == (depth == 0)
    assert "positions_ND" not in decoder.state_dict()


def test_the_word_decoder_shares_the_embeddings():
    decoder = WordDecoder(12, 8, 50)
    embeddings = torch.randn(50, 8, requires_grad=True)
    logits = decoder(torch.randn(5, 12), embeddings)
    assert logits.shape == (5, 50)
    logits.sum().backward()
    assert embeddings.grad is not None
    assert sum(p.numel() for p in decoder.parameters()) < 50 * 8


def test_captions_come_from_the_place_before_each_piece_that_counts():
    torch.manual_seed(0)
    decoder = CaptionDecoder(16, 2, 2, max_tokens=7, embedding_width=12, vocabulary_size=9).eval()
    texts, films, words = torch.randn(2, 5, 16), torch.randn(2, 3, 16), torch.randn(9, 12)
    sees = torch.ones(2, 5, 5, dtype=torch.bool).tril()
    counts = torch.tensor([[0, 1, 0, 1, 0], [0, 0, 0, 0, 1]], dtype=torch.bool)
    logits = decoder(texts, sees, films, counts, words)
    assert logits.shape == (3, 9)
    # What follows a place, another text's film, and pieces that the table hides change nothing.
    other = texts.clone()
    other[0, 1:] = 0
    assert torch.allclose(decoder(other, sees, films, counts, words)[[0, 2]], logits[[0, 2]], atol=1e-6)
    assert not torch.allclose(decoder(other, sees, films, counts, words)[1], logits[1], atol=1e-3)
    sees[1, 3:, 1] = False
    hidden = texts.clone()
    hidden[1, 1] = 0
    others = torch.tensor([[0, 0, 0, 0, 0], [0, 1, 0, 0, 1]], dtype=torch.bool)
    sees[1, 2, 1] = False
    one, two = (decoder(each, sees, films, others, words) for each in (texts, hidden))
    assert torch.allclose(one, two, atol=1e-6)
    assert not torch.allclose(decoder(texts, sees, films.roll(1, dims=0), others, words), one, atol=1e-3)
