"""Masks & Manuscripts: its masks, its paths, and every knob."""

import pytest
import torch
import yaml
from pydantic import ValidationError

from maskray.config.merge import merge
from maskray.decoders.pixels import patchify
from maskray.losses.contrastive import contrastive_loss
from maskray.methods import METHODS
from maskray.methods.mnm import MnmConfig
from maskray.reports.styles import style_of
from tests.methods.made_methods import SMALL, VOCABULARY, made_batch, made_method


def changed(batch, **fields):
    return type(batch)(**{name: fields.get(name, getattr(batch, name)) for name in batch.__dataclass_fields__})


def test_eq_04_is_the_plain_sum():
    losses = made_method("mnm")(made_batch())
    assert list(losses.terms) == ["mvlm_txt", "mvlm_im", "itc", "itm"]
    assert losses.total().item() == pytest.approx(sum(term.item() for term in losses.terms.values()), rel=1e-6)


def test_eq_01_compares_hidden_words_and_hidden_pixels():
    method, batch = made_method("mnm"), made_batch()
    hidden_patches, hidden_words = method.hide_patches(batch), method.hidden_words(batch)
    views = method.encode_views(batch, hidden_patches, hidden_words)
    errors = (method.reconstruct_image(views, batch) - patchify(batch.images_BHW, 8)).abs()
    by_film = torch.stack([error[hidden].mean() for error, hidden in zip(errors, hidden_patches, strict=True)])
    logits = method.reconstruct_text(views, batch, hidden_words)
    chances = logits.log_softmax(dim=1).gather(1, batch.token_ids_BL[hidden_words][:, None])[:, 0]
    by_text = torch.stack([-words.mean() for words in chances.split(hidden_words.sum(dim=1).tolist())])
    terms = method(batch).terms
    assert terms["mvlm_im"].item() == pytest.approx(by_film.mean().item(), rel=1e-5)
    assert terms["mvlm_txt"].item() == pytest.approx(by_text.mean().item(), rel=1e-5)


def test_ridges_are_hidden_and_their_share_follows_the_film():
    batch = made_batch(num=3)
    ridge = torch.zeros(3, 32, 32)
    ridge[0, :8] = 1.0
    ridge[1, :, 8:24] = 1.0
    hidden = made_method("mnm").hide_patches(changed(batch, ridge_BHW=ridge)).view(3, 4, 4)
    assert torch.equal(hidden[0], torch.arange(4)[:, None].expand(4, 4) == 0)
    assert torch.equal(hidden[1], (torch.arange(4) % 3 > 0).expand(4, 4))
    assert hidden[2].sum() == 2


@pytest.mark.parametrize(("mask", "share"), [("quantile", 0.6), ("random", 0.6), ("attmask", 0.6), ("automae", 0.6)])
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


def test_each_patch_is_reconstructed_from_its_own_token():
    method, batch = made_method("mnm").eval(), made_batch()
    views = method.encode_views(batch, method.hide_patches(batch), None)
    fused = method.g_im(views.masked_image_BSC, None, views.text_BLC, batch.token_is_real_BL)
    expected = method.d_im(method.d_im.embed(fused[:, 1:]))  # The class token stands first.
    assert torch.allclose(method.reconstruct_image(views, batch), expected, atol=1e-6)


def test_hidden_words_cannot_be_seen_by_the_reconstruction_but_the_film_can():
    method, batch = made_method("mnm").eval(), made_batch()
    hidden = method.hidden_words(batch)
    other = changed(batch, token_ids_BL=batch.token_ids_BL.masked_fill(hidden, 50))
    seen = [method.reconstruct_text(method.encode_views(b, None, hidden), b, hidden) for b in (batch, other)]
    assert torch.equal(*seen)
    other = changed(batch, images_BHW=1 - batch.images_BHW)
    assert not torch.equal(seen[0], method.reconstruct_text(method.encode_views(other, None, hidden), other, hidden))


@pytest.mark.parametrize("term", ["itc", "itm"])
def test_contrast_and_matching_see_unmasked_inputs(term):
    batch = made_batch()
    masks = ({"mask": "meijering"}, {"mask": "random"}, {"text_mask_fraction": 0.6})
    methods = [made_method("mnm", **mask) for mask in masks]
    for method in methods:
        method.itm_head.weight.data *= 100
    losses = [method(batch).terms[term] for method in methods]
    assert torch.allclose(losses[0], losses[1], atol=1e-6)
    assert torch.allclose(losses[0], losses[2], atol=1e-6)


def test_the_masked_pass_of_one_modality_sees_all_of_the_other():
    method, batch = made_method("mnm").eval(), made_batch()
    hidden_patches, hidden_words = method.hide_patches(batch), method.hidden_words(batch)
    other = changed(batch, token_ids_BL=batch.token_ids_BL.masked_fill(hidden_words, 50))
    images = [method.reconstruct_image(method.encode_views(b, hidden_patches, hidden_words), b) for b in (batch, other)]
    assert not torch.equal(*images)
    pixels = hidden_patches.view(8, 4, 4).repeat_interleave(8, 1).repeat_interleave(8, 2)
    other = changed(batch, images_BHW=torch.where(pixels, 1 - batch.images_BHW, batch.images_BHW))
    views = [method.encode_views(b, hidden_patches, hidden_words) for b in (batch, other)]
    assert not torch.equal(*(method.reconstruct_text(view, batch, hidden_words) for view in views))


def test_matching_judges_each_pair_and_two_wrong_ones():
    method, batch = made_method("mnm"), made_batch()
    views = method.encode_views(batch, None, None)
    seen = []
    method.g_im.register_forward_pre_hook(lambda module, args, kwargs: seen.append(args), with_kwargs=True)
    # Film k is nearest to text k + 1.
    nearness = 50 * torch.eye(8).roll(1, dims=1)
    logits, is_match = method.match(views, batch, nearness, torch.eye(8, dtype=torch.bool))
    assert logits.shape == (24, 2)
    assert is_match.tolist() == [True] * 8 + [False] * 16
    films, texts = seen[0][0], seen[0][2]

    def owner(tokens, whole):
        return [next(k for k in range(8) if torch.equal(one, whole[k])) for one in tokens]

    film_of, text_of = owner(films, views.image_BSC), owner(texts, views.text_BLC)
    assert film_of[:16] == [*range(8), *range(8)]
    assert text_of[:8] == list(range(8))
    assert text_of[8:16] == [1, 2, 3, 4, 5, 6, 7, 0]
    assert text_of[16:] == list(range(8))
    assert film_of[16:] == [7, 0, 1, 2, 3, 4, 5, 6]
    words = views.text_BLC, batch.token_is_real_BL
    classes = method.g_im(views.image_BSC, None, *words)[:, 0], method.g_txt(*words, views.image_BSC, None)[:, 0]
    assert torch.allclose(logits[:8], method.itm_head(classes[0] * classes[1]), atol=1e-5)


@pytest.mark.parametrize("target", ["pixels", "ridge", "both"])
def test_target(target):
    batch = made_batch()
    film, ridge = patchify(batch.images_BHW, 8), patchify(batch.ridge_BHW, 8)
    expected = {"pixels": film, "ridge": ridge, "both": torch.cat([film, ridge], dim=2)}[target]
    assert torch.equal(made_method("mnm", target=target).image_target(batch), expected)


def test_masked_input_ridge_sees_the_ridge_response_and_not_the_film():
    method, batch = made_method("mnm", masked_input="ridge").eval(), made_batch()
    hidden = method.hide_patches(batch)
    same, other = changed(batch, images_BHW=1 - batch.images_BHW), changed(batch, ridge_BHW=1 - batch.ridge_BHW)
    seen = [method.reconstruct_image(method.encode_views(b, hidden, None), b) for b in (batch, same, other)]
    assert torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[0], seen[2])


def test_answers_share_the_budget_with_all_words_if_asked():
    batch = made_batch()
    without = changed(batch, token_is_answer_BL=torch.zeros_like(batch.token_is_answer_BL))
    at_random = made_method("mnm", answers_first=False).hidden_words(batch)
    assert torch.equal(at_random, made_method("mnm").hidden_words(without))
    assert not torch.equal(at_random, made_method("mnm").hidden_words(batch))


def test_equal_texts_are_left_out_of_the_contrast_if_asked():
    batch = made_batch()
    ids, is_real = batch.token_ids_BL.clone(), batch.token_is_real_BL.clone()
    ids[1], is_real[1] = ids[0], is_real[0]
    batch = changed(batch, token_ids_BL=ids, token_is_real_BL=is_real)
    method = made_method("mnm")
    logits, same = method.compare(method.encode_views(batch, None, None), batch)
    assert same.sum() == 10
    printed, left_out = contrastive_loss(logits), contrastive_loss(logits, same)
    assert not torch.allclose(printed, left_out)
    assert torch.allclose(method(batch).terms["itc"], printed, atol=1e-5)
    assert torch.allclose(made_method("mnm", same_text="left_out")(batch).terms["itc"], left_out, atol=1e-5)


def test_negatives_are_drawn_by_similarity_or_uniformly():
    batch = made_batch()
    for negatives, depends in (("hard", True), ("random", False)):
        method = made_method("mnm", negatives=negatives)
        views = method.encode_views(batch, None, None)
        logits, same = method.compare(views, batch)
        drawn = [method.match(views, batch, nearness, same)[0] for nearness in (logits, 50 * torch.randn(8, 8))]
        assert torch.equal(*drawn) != depends


def test_temperature_starts_where_it_is_told():
    assert made_method("mnm")(made_batch()).measures["tau"].item() == pytest.approx(0.07)
    assert made_method("mnm", tau=0.5)(made_batch()).measures["tau"].item() == pytest.approx(0.5)


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
        ({"text_unit": "sentence"}, ["mvlm_txt", "mvlm_im", "itc", "itm"]),
        ({"mask": "attmask"}, ["mvlm_txt", "mvlm_im", "itc", "itm"]),
        ({"mask": "automae", "masked_input": "ridge"}, ["mvlm_txt", "mvlm_im", "itc", "itm"]),
    ],
)
def test_every_knob_trains_all_that_it_keeps(knobs, terms):
    method, batch = made_method("mnm", **knobs), made_batch()
    losses = method(batch)
    assert list(losses.terms) == terms
    assert method.phases[0].terms == tuple(terms)
    losses.total().backward()
    assert [name for name, p in method.named_parameters() if p.requires_grad and p.grad is None] == []
    views = method.explain(batch)
    assert [view.reconstruction_BHW.shape for view in views] == [(8, 32, 32)] * ("mvlm_im" in terms)
    assert all(view.hidden_BN.any() for view in views)


def test_attmask_hides_what_the_class_token_of_the_moving_average_attends_to():
    method, batch = made_method("mnm", mask="attmask", teacher_momentum=0.5), made_batch()
    attention = method.image_encoder.class_attention(batch.images_BHW)
    hidden = method.hide_patches(batch)
    assert (attention.masked_fill(~hidden, 9).amin(dim=1) >= attention.masked_fill(hidden, -9).amax(dim=1)).all()
    with torch.no_grad():
        for parameter in method.image_encoder.parameters():
            parameter.add_(torch.randn_like(parameter))
    assert torch.equal(hidden, method.hide_patches(batch)), "the moving average has not followed yet"
    for _ in range(20):
        method.after_update()
    expected = method.image_encoder.class_attention(batch.images_BHW)
    torch.testing.assert_close(method.score_patches(batch), expected, atol=1e-4, rtol=1e-3)
    assert not torch.equal(hidden, method.hide_patches(batch))


def test_automae_teaches_its_generator_against_the_reconstruction():
    """A small step of the generator alone, along its gradient's descent, makes the same films harder to restore."""
    method, batch = made_method("mnm", mask="automae", mask_fraction=0.5, text_mask_fraction=0.0), made_batch()
    method(batch).terms["mvlm_im"].backward()
    weights = method.hide_patches(batch)
    views = method.encode_views(batch, weights.detach(), None)
    errors = (method.reconstruct_image(views, batch) - method.image_target(batch)).abs().mean(dim=2)
    with torch.no_grad():
        patches = method.image_encoder.place(method.image_encoder.embed(batch.images_BHW))
        features = patches.transpose(1, 2).unflatten(2, (4, 4))
        before = method.generator.scorer(features).flatten(1)
        for parameter in method.generator.parameters():
            parameter.sub_(0.01 * parameter.grad / parameter.grad.norm())
        rise = method.generator.scorer(features).flatten(1) - before
    hidden = weights.bool()
    hard = errors > errors.masked_fill(~hidden, torch.nan).nanmedian(dim=1, keepdim=True).values
    assert rise[hidden & hard].mean() > rise[hidden & ~hard].mean()


def test_every_variant_of_the_paper_takes_a_step(repository):
    settings = yaml.safe_load((repository / "config/papers/mnm.yaml").read_text())
    batch = made_batch()
    for name, overlay in settings["variants"].items():
        method = made_method("mnm", **merge(overlay.get("method", {}), SMALL["mnm"]))
        losses = method(batch)
        assert tuple(losses.terms) == method.phases[0].terms, name
        losses.total().backward()
        assert [n for n, p in method.named_parameters() if p.requires_grad and p.grad is None] == [], name
        assert all(term.isfinite() for term in losses.terms.values()), name


@pytest.mark.parametrize("text", ["manuscript", "report", "triplet", "ke_triplet"])
def test_the_text_is_passed_on_to_the_stream(text):
    (stream,) = METHODS["mnm"].streams(MnmConfig(text=text))
    assert stream.text == text
    assert style_of(stream.text).columns


def test_text_share_and_answers():
    batch = made_batch()
    num_words = batch.token_is_real_BL.sum(dim=1) - 2
    hidden = made_method("mnm").hidden_words(batch)
    assert torch.equal(hidden.sum(dim=1), (num_words * 0.3 + 0.5).long())
    few = batch.token_is_answer_BL.sum(dim=1) <= hidden.sum(dim=1)
    inner = batch.token_is_answer_BL & (batch.token_ids_BL > 4)
    assert (hidden | ~inner)[few].all()


def test_sentences_read_alone_may_change_places():
    stop, ids = 5, torch.tensor([[2, 10, 11, 5, 12, 13, 14, 5, 3], [2, 12, 13, 14, 5, 10, 11, 5, 3]])
    of_sentences = made_method("mnm", text_unit="sentence").encode_text(ids, ids > 0)
    of_manuscript = made_method("mnm").encode_text(ids, ids > 0)
    assert stop == VOCABULARY.stop_id
    torch.testing.assert_close(of_sentences[0], of_sentences[1])
    assert not torch.allclose(of_manuscript[0], of_manuscript[1])


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
