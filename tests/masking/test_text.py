"""Hidden word pieces: budget, answers first, nothing special."""

import torch
from hypothesis import example, given
from hypothesis import strategies as st

from maskray.masking.text import hide_words

SPECIAL = (0, 1, 2, 3, 4)


def texts(lengths, num_answers=0):
    longest = max(lengths) + 2
    ids = torch.zeros(len(lengths), longest, dtype=torch.long)
    is_answer = torch.zeros(len(lengths), longest, dtype=torch.bool)
    for row, length in enumerate(lengths):
        ids[row, : length + 2] = torch.tensor([2, *range(10, 10 + length), 3])
        is_answer[row, 1 : 1 + min(num_answers, length)] = True
    return ids, ids != 0, is_answer


@example([35], 0.8999999999999999)  # In single precision this budget is one word larger.
@given(st.lists(st.integers(0, 40), min_size=1, max_size=5), st.floats(0.05, 0.9))
def test_budget_is_exact_and_nothing_special_is_hidden(lengths, fraction):
    ids, is_real, is_answer = texts(lengths)
    hidden = hide_words(ids, is_real, is_answer, fraction, torch.arange(len(lengths)), SPECIAL)
    for row, length in enumerate(lengths):
        assert hidden[row].sum() == min(length, max(1, int(length * fraction + 0.5)))
    assert not (hidden & torch.isin(ids, torch.tensor(SPECIAL))).any()
    assert not (hidden & ~is_real).any()


def test_answers_take_the_budget_first():
    ids, is_real, is_answer = texts([20, 20], num_answers=4)
    hidden = hide_words(ids, is_real, is_answer, 0.3, torch.tensor([1, 2]), SPECIAL)
    assert (hidden.sum(dim=1) == 6).all()
    assert (hidden & is_answer).sum() == 8
    ids, is_real, is_answer = texts([20], num_answers=10)
    hidden = hide_words(ids, is_real, is_answer, 0.3, torch.tensor([1]), SPECIAL)
    assert hidden.sum() == 6
    assert not (hidden & ~is_answer).any()


def test_choice_belongs_to_the_sample_not_to_padding_or_batch():
    ids, is_real, is_answer = texts([12, 30])
    seeds = torch.tensor([5, 6])
    together = hide_words(ids, is_real, is_answer, 0.3, seeds, SPECIAL)
    alone = hide_words(ids[:1, :14], is_real[:1, :14], is_answer[:1, :14], 0.3, seeds[:1], SPECIAL)
    assert torch.equal(together[:1, :14], alone)
    assert not torch.equal(
        alone, hide_words(ids[:1, :14], is_real[:1, :14], is_answer[:1, :14], 0.3, seeds[1:], SPECIAL)
    )
