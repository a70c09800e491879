"""Scores, selection and application of image masks: counts, polarity, ties, and dependence on the sample alone."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from maskray.masking.apply import drop, replace, restore, visible_index
from maskray.masking.randomness import uniform
from maskray.masking.score import random_scores, ridge_scores
from maskray.masking.select import count_of, otsu, otsu_counts, top_count, top_fraction

SCORES = st.lists(
    st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]), min_size=8, max_size=8), min_size=1, max_size=4
)


def test_random_numbers_belong_to_the_sample():
    seeds = torch.tensor([7, 2**62 + 5, -3, 7])
    whole = uniform(seeds, 20, "patches")
    parts = torch.cat([uniform(seeds[:1], 20, "patches"), uniform(seeds[1:], 20, "patches")])
    assert torch.equal(whole, parts)
    assert torch.equal(whole[0], whole[3])
    assert not torch.equal(whole[0], whole[1])
    assert not torch.equal(whole, uniform(seeds, 20, "words"))
    assert torch.equal(whole[:, :9], uniform(seeds, 9, "patches"))
    assert ((whole >= 0) & (whole < 1)).all()


def test_random_numbers_leave_the_global_generator_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    uniform(torch.arange(4), 10, "patches")
    assert torch.equal(torch.rand(3), expected)


def test_neighbouring_seeds_are_unrelated():
    draws = uniform(torch.arange(2000), 2, "patches")
    assert abs(draws.mean() - 0.5) < 0.02
    assert abs(torch.corrcoef(draws.T)[0, 1]) < 0.05
    assert abs(torch.corrcoef(torch.stack([draws[:-1, 0], draws[1:, 0]]))[0, 1]) < 0.05


def test_ridge_score_is_the_mean_of_each_patch():
    ridge = torch.rand(2, 8, 12)
    scores = ridge_scores(ridge, 4)
    assert scores.shape == (2, 6)
    for row in range(2):
        for column in range(3):
            patch = ridge[:, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
            assert torch.allclose(scores[:, 3 * row + column], patch.mean(dim=(1, 2)))


@given(SCORES, st.floats(0, 1))
def test_top_fraction_hides_exactly_that_many_of_the_highest(rows, fraction):
    scores = torch.tensor(rows)
    hidden = top_fraction(scores, fraction)
    assert hidden.dtype == torch.bool
    assert (hidden.sum(dim=1) == count_of(fraction, 8)).all()
    for row, mask in zip(scores, hidden, strict=True):
        if mask.any() and not mask.all():
            assert row[mask].min() >= row[~mask].max()


def test_ties_go_to_the_first():
    hidden = top_count(torch.tensor([[1.0, 2.0, 1.0, 1.0, 1.0]]), torch.tensor([3]))
    assert hidden.tolist() == [[True, True, True, False, False]]


@pytest.mark.parametrize(("fraction", "num", "count"), [(0.5, 5, 3), (0.15, 10, 2), (0.75, 64, 48), (0.3, 64, 19)])
def test_halves_round_up(fraction, num, count):
    assert count_of(fraction, num) == count


def slow_otsu_count(row):
    """Every threshold tried in turn."""
    best, best_count = -1.0, 1
    for threshold in sorted(set(row), reverse=True)[:-1]:
        above = [x for x in row if x >= threshold]
        below = [x for x in row if x < threshold]
        between = len(above) * len(below) * (sum(above) / len(above) - sum(below) / len(below)) ** 2
        if between > best + 1e-12:
            best, best_count = between, len(above)
    return best_count, best


@given(SCORES)
def test_otsu_equals_a_slow_search(rows):
    for row, count in zip(rows, otsu_counts(torch.tensor(rows, dtype=torch.float64)).tolist(), strict=True):
        expected, best = slow_otsu_count(row)
        above, below = sorted(row, reverse=True)[:count], sorted(row, reverse=True)[count:]
        reached = count * len(below) * (sum(above) / count - sum(below) / len(below)) ** 2
        assert count == expected or reached == pytest.approx(best)


def test_otsu_finds_two_groups_and_stays_within_its_limits():
    two_groups = torch.tensor([[0.9, 0.1, 0.8, 0.1, 0.2, 0.1, 0.85, 0.0, 0.1, 0.0]])
    assert otsu(two_groups, 0.15, 0.75).nonzero()[:, 1].tolist() == [0, 2, 6]
    flat, one_peak = torch.zeros(1, 20), torch.eye(20)[:1]
    assert otsu(flat, 0.15, 0.75).sum() == 3
    assert otsu(one_peak, 0.15, 0.75).sum() == 3
    assert otsu(1 - one_peak, 0.15, 0.75).sum() == 15


def test_drop_and_restore_are_inverse_and_polarity_is_true_for_hidden():
    tokens = torch.randn(3, 6, 2)
    hidden = top_fraction(torch.rand(3, 6), 0.5)
    visible = visible_index(hidden)
    kept = drop(tokens, visible)
    assert torch.equal(kept, tokens[~hidden].view(3, 3, 2))
    restored = restore(kept, visible, 6, torch.tensor([7.0, 8.0]))
    assert torch.equal(restored[~hidden], tokens[~hidden])
    assert (restored[hidden] == torch.tensor([7.0, 8.0])).all()
    assert torch.equal(restored, replace(tokens, hidden, torch.tensor([7.0, 8.0])))


def test_gradient_passes_through_visible_tokens_only():
    tokens = torch.randn(1, 4, 2, requires_grad=True)
    mask_token = torch.zeros(2, requires_grad=True)
    hidden = torch.tensor([[True, False, True, False]])
    visible = visible_index(hidden)
    restore(drop(tokens, visible), visible, 4, mask_token).sum().backward()
    assert tokens.grad[0].sum(dim=1).tolist() == [0, 2, 0, 2]
    assert mask_token.grad.tolist() == [2, 2]


def test_dropping_needs_equal_numbers():
    with pytest.raises(ValueError, match="same number"):
        visible_index(torch.tensor([[True, False], [False, False]]))


def test_random_masks_of_a_sample_do_not_depend_on_its_batch():
    seeds = torch.arange(10)
    whole = top_fraction(random_scores(seeds, 64), 0.5)
    assert torch.equal(whole[4:7], top_fraction(random_scores(seeds[4:7], 64), 0.5))
