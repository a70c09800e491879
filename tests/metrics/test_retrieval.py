"""Ranks of partners: by hand, against a slow loop, with ties."""

import numpy as np
import pytest

from maskray.metrics import retrieval
from maskray.metrics.retrieval import hits, rank_pairs


def slow_ranks(images, texts, text_of_pair):
    """Every query against every candidate, one by one."""
    forward, backward = [], []
    for query, own in enumerate(text_of_pair):
        similarity = float(images[query] @ texts[own])
        forward.append(1 + sum(float(images[query] @ texts[other]) > similarity for other in text_of_pair))
        backward.append(1 + sum(float(image @ texts[own]) > similarity for image in images))
    return np.array(forward), np.array(backward)


def whole_numbers(seed, num_pairs, num_texts, width=6):
    """Small whole numbers: products are exact, and many of them tie."""
    rng = np.random.default_rng(seed)
    images = rng.integers(-2, 3, (num_pairs, width)).astype(np.float32)
    texts = rng.integers(-2, 3, (num_texts, width)).astype(np.float32)
    return images, texts, rng.permutation(np.arange(num_pairs) % num_texts)


def test_three_pairs_by_hand():
    images = np.array([[1, 0], [0.6, 0.8], [0, 1]], np.float32)
    texts = np.array([[0, 1], [1, 0], [0.8, 0.6]], np.float32)
    # similarities of film 0: 0, 1, 0.8; film 1: 0.8, 0.6, 0.96; film 2: 1, 0, 0.6
    ranks = rank_pairs(images, texts, np.array([0, 1, 2]))
    assert ranks.image_to_text_N.tolist() == [3, 3, 2]
    assert ranks.text_to_image_N.tolist() == [3, 2, 3]
    assert hits(ranks.image_to_text_N, 2).tolist() == [0, 0, 1]
    assert hits(ranks.image_to_text_N, 5).tolist() == [1, 1, 1]


def test_ties_are_hits_and_equal_reports_tie():
    images = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    texts = np.array([[1, 0], [0, 1]], np.float32)
    ranks = rank_pairs(images, texts, np.array([0, 0, 1]))
    assert ranks.image_to_text_N.tolist() == [1, 1, 1]
    assert ranks.text_to_image_N.tolist() == [1, 1, 1]
    worse = rank_pairs(images, texts, np.array([1, 0, 0]))
    assert worse.image_to_text_N.tolist() == [3, 1, 2]  # two reports that read the same stand before film 0's own
    assert worse.text_to_image_N.tolist() == [2, 1, 3]


@pytest.mark.parametrize(("num_pairs", "num_texts"), [(1, 1), (40, 40), (57, 19)])
@pytest.mark.parametrize("per_chunk", [1, 600, 10**6])
def test_as_a_slow_loop_does_whatever_the_chunks(monkeypatch, num_pairs, num_texts, per_chunk):
    monkeypatch.setattr(retrieval, "_PER_CHUNK", per_chunk)
    images, texts, text_of_pair = whole_numbers(num_pairs, num_pairs, num_texts)
    ranks = rank_pairs(images, texts, text_of_pair)
    forward, backward = slow_ranks(images, texts, text_of_pair)
    np.testing.assert_array_equal(ranks.image_to_text_N, forward)
    np.testing.assert_array_equal(ranks.text_to_image_N, backward)


def test_a_perfect_model_finds_everything_at_rank_one_in_float32():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(3000, 32)).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    ranks = rank_pairs(features, features, np.arange(3000))
    assert (ranks.image_to_text_N == 1).all()
    assert (ranks.text_to_image_N == 1).all()


def test_features_that_are_no_numbers_are_refused():
    images, texts, text_of_pair = whole_numbers(0, 4, 4)
    images[2, 0] = np.nan
    with pytest.raises(ValueError, match="not a finite number"):
        rank_pairs(images, texts, text_of_pair)
