"""One hand-computed example per numbered equation of Masks & Manuscripts, and slow loops, forward and backward."""

import math

import pytest
import torch

from maskray.losses.contrastive import contrastive_loss, same_text, similarity_logits
from maskray.losses.language import hidden_words_loss
from maskray.losses.matching import choose_negatives, matching_loss
from maskray.losses.reconstruction import hidden_l1


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


def assert_same_gradient(fast, slow, inputs):
    """Both functions have the same value and the same gradient for every input."""
    results = []
    for function in (fast, slow):
        leaves = [x.clone().requires_grad_() for x in inputs]
        value = function(*leaves)
        value.backward()
        results.append((value.detach(), [leaf.grad for leaf in leaves]))
    assert torch.allclose(results[0][0], results[1][0])
    for ours, expected in zip(results[0][1], results[1][1], strict=True):
        assert torch.allclose(ours, expected)


def test_eq_01_image_term_is_l1_over_the_number_of_hidden_values():
    predicted = f64([[1, 2], [0, 0], [5, 5]], [[1, 1], [3, 0], [0, 4]])
    target = f64([[0, 0], [9, 9], [4, 3]], [[9, 9], [1, 0], [0, 0]])
    hidden = torch.tensor([[True, False, True], [False, True, True]])
    # Film 1: (1 + 2 + 1 + 2) / 4; film 2: (2 + 0 + 0 + 4) / 4; their mean.
    assert hidden_l1(predicted, target, hidden).item() == pytest.approx((6 / 4 + 6 / 4) / 2)
    one_patch = torch.tensor([[True, False, False], [False, True, True]])
    assert hidden_l1(predicted, target, one_patch).item() == pytest.approx((3 / 2 + 6 / 4) / 2)


def test_eq_01_text_term_is_cross_entropy_of_the_hidden_words():
    ids = torch.tensor([[9, 0, 1], [9, 1, 9]])
    hidden = torch.tensor([[False, True, True], [False, True, False]])
    # Text 1 gives its two words the probabilities 1/4 and 1/2; text 2 its one word 1/8.
    logits = f64([1, 3], [1, 1], [7, 1]).log()
    expected = ((math.log(4) + math.log(2)) / 2 + math.log(8)) / 2
    assert hidden_words_loss(logits, ids, hidden).item() == pytest.approx(expected)


def test_eq_02_adds_both_directions_without_a_half():
    # Row = film, column = text: exp of the similarities over tau.
    logits = f64([6, 2], [1, 3]).log()
    film_to_text = math.log(6 / 8) + math.log(3 / 4)
    text_to_film = math.log(6 / 7) + math.log(3 / 5)
    assert contrastive_loss(logits).item() == pytest.approx(-(film_to_text + text_to_film) / 2)


def test_eq_02_similarity_is_cosine_over_tau():
    logits = similarity_logits(f64([3, 4], [0, 2]), f64([1, 0], [0, 5]), f64(0.5)[0])
    assert torch.allclose(logits, f64([0.6, 0.8], [0, 1]) / 0.5)


def test_eq_03_is_cross_entropy_of_matched_against_not():
    logits = f64([1, 3], [1, 1], [4, 1]).log()
    is_match = torch.tensor([True, True, False])
    expected = -(math.log(3 / 4) + math.log(1 / 2) + math.log(4 / 5)) / 3
    assert matching_loss(logits, is_match).item() == pytest.approx(expected)


def test_reconstruction_equals_a_slow_loop():
    predicted, target = torch.randn(2, 3, 5, 4, dtype=torch.float64)
    hidden = torch.rand(3, 5) < 0.5
    hidden[:, 0] = True

    def slow(predicted):
        films = []
        for b in range(3):
            errors = [(predicted[b, n, p] - target[b, n, p]).abs() for n in range(5) if hidden[b, n] for p in range(4)]
            films.append(sum(errors) / len(errors))
        return sum(films) / 3

    assert_same_gradient(lambda x: hidden_l1(x, target, hidden), slow, [predicted])


def test_contrast_equals_a_slow_loop():
    images, texts, tau = torch.randn(5, 4).double(), torch.randn(5, 4).double(), f64(0.3)[0]

    def slow(images, texts, tau):
        total = 0
        images, texts = images / images.norm(dim=1, keepdim=True), texts / texts.norm(dim=1, keepdim=True)
        for k in range(5):
            match = (images[k] @ texts[k] / tau).exp()
            total = total + (match / sum((images[n] @ texts[k] / tau).exp() for n in range(5))).log()
            total = total + (match / sum((images[k] @ texts[n] / tau).exp() for n in range(5))).log()
        return -total / 5

    assert_same_gradient(lambda i, t, tau: contrastive_loss(similarity_logits(i, t, tau)), slow, [images, texts, tau])


def test_left_out_pairs_are_neither_match_nor_negative():
    logits = torch.randn(3, 3, dtype=torch.float64)
    same = torch.eye(3, dtype=torch.bool)
    assert contrastive_loss(logits, same) == contrastive_loss(logits)
    same[0, 1] = same[1, 0] = True
    rest = logits.exp().masked_fill(same & ~torch.eye(3, dtype=torch.bool), 0)
    match = rest.diagonal()
    expected = -(match / rest.sum(0)).log().mean() - (match / rest.sum(1)).log().mean()
    assert contrastive_loss(logits, same).item() == pytest.approx(expected.item())


def test_same_text_ignores_padding():
    ids = torch.tensor([[2, 5, 3, 0], [2, 5, 3, 9], [2, 5, 3, 0], [2, 6, 3, 0], [2, 5, 3, 0]])
    is_real = torch.tensor([[True, True, True, False]] * 4 + [[True, True, False, False]])
    assert same_text(ids, is_real)[0].tolist() == [True, True, True, False, False]


def test_words_loss_equals_a_slow_loop():
    ids = torch.randint(0, 7, (3, 6))
    hidden = torch.rand(3, 6) < 0.4
    hidden[:, 1] = True
    logits = torch.randn(int(hidden.sum()), 7, dtype=torch.float64)

    def slow(logits):
        k, texts = 0, []
        for b in range(3):
            losses = []
            for place in range(6):
                if hidden[b, place]:
                    losses.append(-(logits[k] - logits[k].logsumexp(0))[ids[b, place]])
                    k += 1
            texts.append(sum(losses) / len(losses))
        return sum(texts) / 3

    assert_same_gradient(lambda x: hidden_words_loss(x, ids, hidden), slow, [logits])


def test_a_text_without_hidden_words_counts_as_zero():
    ids, hidden = torch.zeros(2, 3, dtype=torch.long), torch.tensor([[False] * 3, [True, False, False]])
    assert hidden_words_loss(f64([0, 0]), ids, hidden).item() == pytest.approx(math.log(2) / 2)


def test_negatives_follow_their_similarity_and_are_never_the_match():
    logits = f64([50, 3, 0, 9], [0, 50, 0, 0]).log1p().log1p()
    same = torch.zeros(2, 4, dtype=torch.bool)
    same[0, 3] = True
    own = torch.tensor([0, 1])
    draws = torch.linspace(0, 0.9999, 400)
    chosen = torch.stack([choose_negatives(logits, same, own, torch.stack([u, u])) for u in draws])
    weights = logits[0].exp()
    share = (weights[1] / (weights[1] + weights[2])).item()
    assert set(chosen[:, 0].tolist()) == {1, 2}
    assert (chosen[:, 0] == 1).double().mean().item() == pytest.approx(share, abs=0.01)
    assert set(chosen[:, 1].tolist()) == {0, 2, 3}


def test_where_all_texts_are_the_same_another_sample_is_taken():
    all_same = torch.ones(1, 3, dtype=torch.bool)
    chosen = choose_negatives(torch.zeros(1, 3), all_same, torch.tensor([1]), torch.tensor([0.6]))
    assert chosen.tolist() == [2]
    with pytest.raises(ValueError, match="at least two"):
        choose_negatives(torch.zeros(1, 1), all_same[:, :1], torch.tensor([0]), torch.tensor([0.5]))
