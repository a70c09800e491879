"""One hand-computed example per numbered equation of MMCLIP that is a function of its own, and slow loops.

Eq. (1) to (3), (9), (11) and (14) to (16) are made of the method's parts: tests/methods/test_mmclip.py.
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from maskray.losses.contrastive import contrastive_loss, similarity_logits
from maskray.losses.language import hidden_words_loss
from maskray.losses.reconstruction import hidden_mse
from maskray.masking.blend import hide_top, subset, union
from maskray.masking.score import attended
from maskray.masking.text import causal_sight, hide_share

ROOT_2 = math.sqrt(2)


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


def flags(text):
    """Rows of 1 (True) and 0."""
    return torch.tensor([[letter == "1" for letter in row] for row in text.split()])


def test_eq_04_gathers_the_report_by_scaled_products():
    # d_k = 2: products 2 and 0 over sqrt(2).
    patches, report = f64([[ROOT_2, 0]]), f64([[ROOT_2, 0], [0, 1], [50, 50]])
    first = math.exp(ROOT_2) / (math.exp(ROOT_2) + 1)
    gathered = attended(patches, report, flags("110"))
    assert gathered[0, 0].tolist() == pytest.approx([first * ROOT_2, 1 - first])


def test_eq_05_asks_one_set_of_prompts_about_all_films():
    patches, prompts = torch.randn(3, 4, 6).double(), torch.randn(1, 5, 6).double()
    assert torch.allclose(attended(patches, prompts), attended(patches, prompts.expand(3, -1, -1)))


def test_eq_06_lets_patches_gather_each_other():
    patches = f64([[1, 0], [0, 1]])
    own = math.exp(1 / ROOT_2) / (math.exp(1 / ROOT_2) + 1)
    assert torch.allclose(attended(patches, patches), f64([[own, 1 - own], [1 - own, own]]))


def test_attention_equals_a_slow_loop_and_passes_no_gradient():
    patches, keys = torch.randn(2, 3, 4).double().requires_grad_(), torch.randn(2, 5, 4).double()
    is_real = flags("11010 01111")
    ours = attended(patches, keys, is_real)
    assert not ours.requires_grad
    for film in range(2):
        for patch in range(3):
            weights = (patches[film, patch] @ keys[film].T / 2).exp().detach() * is_real[film]
            expected = sum(weight * key for weight, key in zip(weights, keys[film], strict=True)) / sum(weights)
            assert torch.allclose(ours[film, patch], expected)


def test_m_takes_the_longest_rows_or_the_largest_elements():
    attention = f64([[3, 4], [-9, 0], [1, 1], [0, 6]])
    assert hide_top(attention, 0.5, "patch")[0, :, 0].tolist() == [False, True, False, True]
    elements = hide_top(attention, 0.375, "element")[0]
    assert elements.tolist() == [[True, True], [False, False], [False, False], [False, True]]


def test_eq_07_joins_the_masks():
    masks = [flags(row)[:, :, None] for row in ("1000", "0010", "1001")]
    assert union(masks)[0, :, 0].tolist() == [True, False, True, True]


def test_eq_08_takes_a_share_of_all_patches_as_far_as_the_union_goes():
    wide, narrow = flags("11111110")[:, :, None], flags("11000000")[:, :, None]
    seeds = torch.tensor([3])
    assert subset(wide, 0.75, "patches", seeds).sum() == 6
    assert torch.equal(subset(narrow, 0.75, "patches", seeds), narrow)
    assert subset(wide, 0.75, "union", seeds).sum() == 5  # of 7: 5.25
    assert subset(narrow, 0.75, "union", seeds).sum() == 2  # of 2: 1.5, halves upwards


@given(st.lists(st.booleans(), min_size=12, max_size=12), st.floats(0, 1), st.sampled_from(["patches", "union"]))
def test_eq_08_is_a_subset_with_an_exact_count(row, fraction, share_of):
    whole = torch.tensor([row, row[::-1]])[:, :, None]
    chosen = subset(whole, fraction, share_of, torch.tensor([1, 2]))
    assert not (chosen & ~whole).any()
    num = sum(row)
    wanted = math.floor(fraction * (12 if share_of == "patches" else num) + 0.5)
    assert chosen.sum(dim=(1, 2)).tolist() == [min(wanted, num)] * 2


def test_eq_08_draws_by_the_sample():
    whole, seeds = torch.ones(64, 10, 1, dtype=torch.bool), torch.arange(64)
    chosen = subset(whole, 0.5, "patches", seeds)
    assert torch.equal(subset(whole[5:9], 0.5, "patches", seeds[5:9]), chosen[5:9])
    # Each patch is hidden in about half of 64 draws: five standard deviations are 20.
    assert ((chosen.sum(dim=0) - 32).abs() < 20).all()


def test_eq_10_hides_a_share_of_the_entities_within_the_causal_triangle():
    sees = causal_sight(flags("11110"), flags("00100"))[0]
    # Rows: what each of four pieces and a padding sees; the third is hidden and sees itself alone among the hidden.
    assert sees.int().tolist() == [[1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [1, 1, 0, 1, 0], [1, 1, 0, 1, 1]]


def test_eq_10_counts_are_exact_and_at_least_one():
    entities = flags("0111110000 0100000000 0000000000 0111111111")
    hidden = hide_share(entities, 0.2, torch.arange(4))
    assert not (hidden & ~entities).any()
    assert hidden.sum(dim=1).tolist() == [1, 1, 0, 2]
    assert torch.equal(hide_share(entities, 1.0, torch.arange(4)), entities)


def test_eq_12_is_the_squared_error_of_hidden_patches():
    predicted, target = f64([[1, 2], [0, 0]]), f64([[0, 0], [9, 9]])
    assert hidden_mse(predicted, target, flags("10")).item() == pytest.approx((1 + 4) / 2)


def test_eq_13_scores_each_piece_that_counts_by_the_logits_of_the_place_before():
    ids, counts = torch.tensor([[0, 2, 1, 0], [1, 2, 2, 0]]), flags("0110 0010")
    # One row of logits for each piece that counts, text by text: exp of them is 1, 2 or 3.
    logits = f64([1, 1, 2], [1, 3, 1], [1, 1, 3]).log()
    first = -(math.log(2 / 4) + math.log(3 / 5)) / 2
    second = -math.log(3 / 5)
    assert hidden_words_loss(logits, ids, counts).item() == pytest.approx((first + second) / 2)


def test_eq_13_of_texts_without_entities_is_zero_and_has_a_gradient():
    logits = torch.zeros(0, 3, dtype=torch.float64, requires_grad=True)
    loss = hidden_words_loss(logits, torch.zeros(2, 4, dtype=torch.long), flags("0000 0000"))
    loss.backward()
    assert loss.item() == 0


def test_alignment_adds_both_directions():
    films, reports, sigma = f64([1, 0], [0, 2]), f64([3, 0], [1, 1]), f64(0.5)[0]
    cosine = [[1, 1 / ROOT_2], [0, 1 / ROOT_2]]
    rows = [[math.exp(value / 0.5) for value in row] for row in cosine]
    to_text = sum(math.log(rows[i][i] / sum(rows[i])) for i in range(2))
    to_image = sum(math.log(rows[i][i] / (rows[0][i] + rows[1][i])) for i in range(2))
    ours = contrastive_loss(similarity_logits(films, reports, sigma))
    assert ours.item() == pytest.approx(-(to_text + to_image) / 2)
