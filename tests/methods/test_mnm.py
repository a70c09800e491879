"""Masks & Manuscripts: its masks, its paths, and every knob."""

import pytest
import torch
from pydantic import ValidationError

from maskray.methods.mnm import MnmConfig
from tests.methods.made_methods import made_batch, made_method


def changed(batch, **fields):
    return type(batch)(**{name: fields.get(name, getattr(batch, name)) for name in batch.__dataclass_fields__})


def test_eq_04_is_the_plain_sum():
    losses = made_method("mnm")(made_batch())
    assert list(losses.terms) == ["mvlm_txt", "mvlm_im", "itc", "itm"]
    assert losses.total.item() == pytest.approx(sum(term.item() for term in losses.terms.values()), rel=1e-6)


def test_ridges_are_hidden_and_their_share_follows_the_film():
    batch = made_batch(num=3)
    ridge = torch.zeros(3, 32, 32)
    ridge[0, :8] = 1.0
    ridge[1, :, 8:24] = 1.0
    hidden = made_method("mnm").hide_patches(changed(batch, ridge_BHW=ridge)).view(3, 4, 4)
    assert torch.equal(hidden[0], torch.arange(4)[:, None].expand(4, 4) == 0)
    assert torch.equal(hidden[1], (torch.arange(4) % 3 > 0).expand(4, 4))
    assert hidden[2].sum() == 2


@pytest.mark.parametrize(("mask", "share"), [("quantile", 0.6), ("random", 0.6)])
def test_fixed_shares(mask, share):
    hidden = made_method("mnm", mask=mask).hide_patches(made_batch())
    assert (hidden.sum(dim=1) == round(16 * share)).all()


def test_hidden_patches_cannot_be_seen_by_the_reconstruction():
    method, batch = made_method("mnm").eval(), made_batch()
    hidden = method.hide_patches(batch)
    pixels = hidden.view(8, 4, 4).repeat_interleave(8, 1).repeat_interleave(8, 2)
    other = changed(batch, images_BHW=torch.where(pixels, 1 - batch.images_BHW, batch.images_BHW))
    seen = [method.reconstruct_image(method.encode_views(b, hidden, None), b) for b in (batch, other)]
    assert torch.equal(*seen)
    other = changed(batch, images_BHW=torch.where(pixels, batch.images_BHW, 1 - batch.images_BHW))
    assert not torch.equal(seen[0], method.reconstruct_image(method.encode_views(other, hidden, None), other))


def test_hidden_words_cannot_be_seen_by_the_reconstruction_but_the_film_can():
    method, batch = made_method("mnm").eval(), made_batch()
    hidden = method.hide_words(batch)
    other = changed(batch, token_ids_BL=batch.token_ids_BL.masked_fill(hidden, 50))
    seen = [method.reconstruct_text(method.encode_views(b, None, hidden), b, hidden) for b in (batch, other)]
    assert torch.equal(*seen)
    other = changed(batch, images_BHW=1 - batch.images_BHW)
    assert not torch.equal(seen[0], method.reconstruct_text(method.encode_views(other, None, hidden), other, hidden))


def test_contrast_and_matching_see_unmasked_inputs():
    batch = made_batch()
    losses = [made_method("mnm", mask=mask)(batch).terms["itc"] for mask in ("meijering", "random")]
    assert torch.allclose(*losses, atol=1e-6)


@pytest.mark.parametrize(
    ("knobs", "terms"),
    [
        ({"mask": "none", "text_mask_fraction": 0.0}, ["itc", "itm"]),
        ({"mask": "random", "mask_fraction": 0.75, "text_mask_fraction": 0.0}, ["mvlm_im", "itc", "itm"]),
        ({"mask": "none"}, ["mvlm_txt", "itc", "itm"]),
        ({"mask": "random", "answers_first": False}, ["mvlm_txt", "mvlm_im", "itc", "itm"]),
        ({"masked_input": "ridge", "target": "ridge"}, ["mvlm_txt", "mvlm_im", "itc", "itm"]),
        ({"target": "both", "decoder_depth": 0}, ["mvlm_txt", "mvlm_im", "itc", "itm"]),
        ({"negatives": "random", "same_text": "left_out"}, ["mvlm_txt", "mvlm_im", "itc", "itm"]),
        ({"latent_width": 32, "cross_depth": 1}, ["mvlm_txt", "mvlm_im", "itc", "itm"]),
    ],
)
def test_every_knob_trains_all_that_it_keeps(knobs, terms):
    method, batch = made_method("mnm", **knobs), made_batch()
    losses = method(batch)
    assert list(losses.terms) == terms
    assert method.phases[0].terms == tuple(terms)
    losses.total.backward()
    assert [name for name, p in method.named_parameters() if p.requires_grad and p.grad is None] == []
    explanation = method.explain(batch)
    assert explanation.reconstruction_BHW.shape == (8, 32, 32)
    assert explanation.hidden_BN.any() == ("mvlm_im" in terms)


def test_text_share_and_answers():
    batch = made_batch()
    num_words = batch.token_is_real_BL.sum(dim=1) - 2
    hidden = made_method("mnm").hide_words(batch)
    assert torch.equal(hidden.sum(dim=1), (num_words * 0.3 + 0.5).long())
    few = batch.token_is_answer_BL.sum(dim=1) <= hidden.sum(dim=1)
    inner = batch.token_is_answer_BL & (batch.token_ids_BL > 4)
    assert (hidden | ~inner)[few].all()


def test_equal_texts_are_no_itm_negatives():
    method, batch = made_method("mnm"), made_batch()
    is_real = batch.token_is_real_BL[:1].expand(8, -1)
    ids = batch.token_ids_BL[:1].expand(8, -1).clone()
    ids[5:, 1] = 9
    batch = changed(batch, token_ids_BL=ids, token_is_real_BL=is_real)
    chosen = []
    method.g_im.register_forward_pre_hook(lambda module, args, kwargs: chosen.append(args[2]), with_kwargs=True)
    views = method.encode_views(batch, None, None)
    method.match(views, batch, *method.compare(views, batch))
    pair_text, wrong_text = chosen[0][:8], chosen[0][8:16]
    assert not any(torch.equal(a, b) for a, b in zip(pair_text, wrong_text, strict=True))


def test_one_pair_alone_cannot_be_matched():
    with pytest.raises(ValueError, match="at least two"):
        made_method("mnm")(made_batch(num=1))


@pytest.mark.parametrize(
    "knobs",
    [
        {"min_mask_fraction": 0.8},
        {"latent_width": 50},
        {"decoder_width": 30},
        {"mask": "ridge"},
        {"text_mask_fraction": 1.0},
    ],
)
def test_settings_that_do_not_fit_are_refused(knobs):
    with pytest.raises(ValidationError):
        MnmConfig(**knobs)
