"""One hand-computed example per numbered equation of MedIM and for each alignment of MGCA, and slow loops."""

import math

import pytest
import torch
from torch.nn import functional as F

from maskray.decoders import ConvolutionDecoder
from maskray.encoders.text import spread_over_words, words_of_pieces
from maskray.losses.alignment import prototype_alignment, sinkhorn, token_alignment
from maskray.losses.reconstruction import whole_mse
from maskray.masking.apply import replace
from maskray.masking.score import phrase_scores
from maskray.masking.select import above_the_nth, mostly_high, top_fraction


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


def test_eq_01_words_are_the_means_of_their_pieces():
    pieces = f64([[9], [1], [3], [5], [7], [8]])
    word = torch.tensor([[0, 1, 1, 2, 3, 0]])
    assert words_of_pieces(pieces, word)[0, :, 0].tolist() == [2, 5, 7]
    is_mesh = torch.tensor([[False, False, True, False, True, False]])
    assert spread_over_words(is_mesh.long(), word, 3).tolist() == [[1, 0, 1]]


def test_words_of_shorter_texts_are_zero():
    pieces, word = torch.randn(2, 4, 3), torch.tensor([[1, 2, 3, 0], [1, 1, 0, 0]])
    words = words_of_pieces(pieces, word)
    assert words.shape == (2, 3, 3)
    assert not words[1, 1:].any()
    assert words_of_pieces(torch.zeros(2, 0, 3), torch.zeros(2, 0, dtype=torch.long)).shape == (2, 0, 3)


def test_eq_02_softmax_over_patches_for_each_word_then_the_sum_over_words():
    # Raw products, as printed: patch . word = log 1, log 3 for the first word, log 1, log 1 for the second.
    patches, words = f64([[0.0, 0.0], [math.log(3), 0.0]]), f64([[1, 0], [0, 1], [5, 5]])
    chosen = torch.tensor([[True, True, False]])
    assert phrase_scores(patches, words, chosen, None)[0].tolist() == pytest.approx([1 / 4 + 1 / 2, 3 / 4 + 1 / 2])


def test_eq_02_normalised_products_equal_a_slow_loop():
    patches, words, chosen = torch.randn(3, 6, 4), torch.randn(3, 5, 4), torch.rand(3, 5) < 0.5
    scores = phrase_scores(patches, words, chosen, 0.1)
    for b in range(3):
        expected = torch.zeros(6)
        for t in range(5):
            if chosen[b, t]:
                products = torch.stack([F.cosine_similarity(patches[b, n], words[b, t], dim=0) for n in range(6)])
                expected += (products / 0.1).softmax(dim=0)
        assert torch.allclose(scores[b], expected, atol=1e-5)


def test_masks_take_no_gradient():
    patches = torch.randn(1, 4, 3, requires_grad=True)
    assert not phrase_scores(patches, torch.randn(1, 2, 3), torch.ones(1, 2, dtype=torch.bool), 0.1).requires_grad


def test_eq_03_the_placeholder_stands_where_the_attention_is_highest():
    scores, tokens = f64([0.4, 0.1, 0.3, 0.2]), torch.arange(4.0)[None, :, None]
    hidden = top_fraction(scores, 0.5)
    assert hidden.tolist() == [[True, False, True, False]]
    assert replace(tokens, hidden, torch.tensor([-1.0]))[0, :, 0].tolist() == [-1, 1, -1, 3]


def test_eq_03_literal_hides_one_fewer():
    # m = 1 (kept) where the score is at most the (gamma N)-th largest: the second largest itself is kept.
    assert above_the_nth(f64([0.4, 0.1, 0.3, 0.2]), 0.5).tolist() == [[True, False, False, False]]
    assert above_the_nth(f64([0.4, 0.4, 0.3, 0.2]), 0.5).sum() == 0


def test_released_mask_is_mostly_of_the_high_half():
    scores, random = torch.arange(40.0)[None], torch.rand(1, 40)
    hidden = mostly_high(scores, random, 0.5, 0.9)
    assert hidden[0, 20:].sum() == 18
    assert hidden[0, :20].sum() == 2


def test_eq_06_is_the_squared_error_of_the_whole_film():
    restored = f64([[1, 2], [0, 0]])
    assert whole_mse(restored, torch.zeros_like(restored)).item() == pytest.approx(5 / 4)


def slow_token_alignment(queries, keys, query_is_real, key_is_real, tau):
    total = 0.0
    for b in range(len(queries)):
        q = F.normalize(queries[b][query_is_real[b]], dim=1)
        k = F.normalize(keys[b][key_is_real[b]], dim=1)
        attended = torch.stack([F.normalize((q[n] @ k.T / tau).softmax(dim=0) @ k, dim=0) for n in range(len(q))])
        losses = []
        for n in range(len(q)):
            there = -(q[n] @ attended.T / tau).log_softmax(dim=0)[n]
            back = -(attended[n] @ q.T / tau).log_softmax(dim=0)[n]
            losses.append((there + back) / 2)
        total = total + torch.stack(losses).mean()
    return total / len(queries)


def test_words_meet_the_patches_they_attend_to():
    torch.manual_seed(0)
    queries, keys = torch.randn(3, 5, 4).double().requires_grad_(), torch.randn(3, 6, 4).double().requires_grad_()
    query_is_real = torch.arange(5) < torch.tensor([5, 2, 3])[:, None]
    key_is_real = torch.arange(6) < torch.tensor([6, 6, 4])[:, None]
    ours = token_alignment(queries, keys, query_is_real, key_is_real, 0.1)
    slow = slow_token_alignment(queries, keys, query_is_real, key_is_real, 0.1)
    assert ours.item() == pytest.approx(slow.item(), rel=1e-9)
    for mine, theirs in zip(
        torch.autograd.grad(ours, (queries, keys)), torch.autograd.grad(slow, (queries, keys)), strict=True
    ):
        assert torch.allclose(mine, theirs, atol=1e-9)


def test_sinkhorn_uses_all_prototypes_alike():
    shares = sinkhorn(torch.randn(12, 4).double(), 0.5, 200)
    assert torch.allclose(shares.sum(dim=1), torch.ones(12).double())
    assert torch.allclose(shares.sum(dim=0), torch.full((4,), 3.0).double(), atol=1e-6)
    assert sinkhorn(torch.tensor([[1e4, 0.0], [0.0, 1e4]]), 0.05, 3).isfinite().all()


def test_prototypes_are_predicted_from_the_other_modality():
    # Two films on two prototypes, their reports on the same ones: with a hard assignment the loss is that of a softmax.
    features, prototypes = f64([1, 0], [0, 1]), f64([2, 0], [0, 3])
    loss = prototype_alignment(features, features, prototypes, tau=1.0, epsilon=0.001, num_iterations=3)
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-1)))


def test_prototype_targets_take_no_gradient():
    images, texts = (torch.randn(6, 4, requires_grad=True) for _ in range(2))
    prototypes = torch.randn(3, 4, requires_grad=True)
    prototype_alignment(images, texts.detach(), prototypes, 0.2, 0.05, 3).backward()
    assert images.grad.abs().sum() > 0
    assert prototypes.grad.abs().sum() > 0
    assert texts.grad is None


def test_the_decoder_puts_patches_in_their_places():
    torch.manual_seed(0)
    decoder = ConvolutionDecoder(3, (4, 4), 8, [6, 5, 4], num_heads=2).eval()
    tokens = torch.randn(2, 16, 3)
    films = decoder(tokens, head=0)
    assert films.shape == (2, 32, 32)
    assert not torch.equal(films, decoder(tokens, head=1))
    changed = tokens.clone()
    changed[:, 6] += 1  # second row, third column
    difference = (decoder(changed, head=0) - films).abs().amax(dim=0)
    assert difference[8:16, 16:24].all()
    # Three convolutions of 3 x 3, one before each doubling, see no further than this.
    assert not difference[30:].any()
    assert not difference[:, :2].any()
    assert difference[:, 24:].any()


def test_the_decoder_says_which_number_of_blocks_fits():
    with pytest.raises(ValueError, match="3 blocks double the grid to 1/8, not to 16 px"):
        ConvolutionDecoder(3, (4, 4), 16, [6, 5, 4], num_heads=1)
