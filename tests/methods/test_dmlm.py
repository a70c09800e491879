"""D-MLM: its masks, its targets, collapse and what keeps from it, and every variant of the paper file."""

import pytest
import torch
import yaml
from pydantic import ValidationError

from maskray.config.merge import merge
from maskray.losses.gaussian import squared_wasserstein
from maskray.masking.score import phrase_scores
from maskray.methods.dmlm import DmlmConfig
from maskray.reports.styles import style_of
from tests.methods.made_methods import SMALL, made_batch, made_method


def changed(batch, **fields):
    return type(batch)(**{name: fields.get(name, getattr(batch, name)) for name in batch.__dataclass_fields__})


def masks_of(method, batch):
    targets = method.targets(batch)
    return method.hide_patches(targets, batch), method.hidden_words(batch)


def trained(num_steps, **knobs):
    """What a small method measures at the first and at the last of some steps."""
    method, measured = made_method("dmlm", **knobs), []
    optimiser = torch.optim.AdamW(method.parameters(), lr=1e-3, weight_decay=0.05)
    for step in range(num_steps):
        losses = method(made_batch(seed=step % 4))
        optimiser.zero_grad()
        losses.total().backward()
        optimiser.step()
        method.after_update()
        measured.append({name: value.item() for name, value in losses.measures.items()})
    return measured[0], measured[-1]


@pytest.mark.parametrize("target", ["teacher", "stop_gradient"])
def test_literal_collapses_and_the_default_does_not(target):
    first, literal = trained(60, target=target, anchor="none")
    _, anchored = trained(60, target=target)
    print(f"\n{target}: at first {first}, literal {literal}, anchored {anchored}")
    for name in ("spread_im", "spread_txt"):
        assert literal[name] < 0.5 * first[name]
        assert anchored[name] > first[name]
        assert anchored[name] > 8 * literal[name]


@pytest.mark.parametrize("target", ["teacher", "stop_gradient"])
def test_no_gradient_reaches_the_targets(target):
    method, batch = made_method("dmlm", target=target), made_batch()
    targets = method.targets(batch)
    assert not any(part.requires_grad for gaussian in targets for part in gaussian)
    assert all(part.isfinite().all() for gaussian in targets for part in gaussian)
    method(batch).total().backward()
    assert not any(p.requires_grad or p.grad is not None for n, p in method.named_parameters() if "teacher" in n)


def test_targets_are_eq_01_of_the_unmasked_input():
    method, batch = made_method("dmlm").eval(), made_batch()
    views = method.encode_views(batch, None, None)
    image, text = method.targets(batch)
    real = batch.token_is_real_BL
    for ours, expected in zip(image, method.image_head(views.image_BSC), strict=True):
        torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-4)
    for ours, expected in zip(text, method.text_head(views.text_BLC), strict=True):
        torch.testing.assert_close(ours[real], expected[real], atol=1e-5, rtol=1e-4)


def test_the_moving_average_follows_slowly():
    method, batch = made_method("dmlm", teacher_momentum=0.75), made_batch()
    before = method.targets(batch)
    with torch.no_grad():
        method.image_head.to_mean.bias.add_(4.0)
    method.after_update()
    torch.testing.assert_close(method.targets(batch)[0][0], before[0][0] + 1.0, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(method.targets(batch)[1][0], before[1][0])


def test_hidden_patches_and_words_cannot_be_seen_by_their_prediction():
    method, batch = made_method("dmlm").eval(), made_batch()
    hidden_patches, hidden_words = masks_of(method, batch)
    pixels = hidden_patches.view(8, 4, 4).repeat_interleave(8, 1).repeat_interleave(8, 2)
    other_film = changed(batch, images_BHW=torch.where(pixels, 1 - batch.images_BHW, batch.images_BHW))
    other_text = changed(batch, token_ids_BL=batch.token_ids_BL.masked_fill(hidden_words, 50))

    def predict(seen, what):
        views = method.encode_views(seen, hidden_patches, hidden_words)
        return getattr(method, what)(views, seen)[0]

    assert torch.equal(predict(batch, "predict_image"), predict(other_film, "predict_image"))
    assert torch.equal(predict(batch, "predict_text"), predict(other_text, "predict_text"))
    # But each sees the whole of the other modality.
    assert not torch.equal(predict(batch, "predict_image"), predict(other_text, "predict_image"))
    assert not torch.equal(predict(batch, "predict_text"), predict(other_film, "predict_text"))


def test_alignment_sees_unmasked_inputs():
    batch = made_batch()
    terms = [made_method("dmlm", **knobs)(batch).terms for knobs in ({}, {"mask": "random", "text_mask_fraction": 0.6})]
    for name in ("align", "itc"):
        torch.testing.assert_close(terms[0][name], terms[1][name])


def test_what_the_appearance_looks_at_is_hidden_and_nothing_else():
    method, batch = made_method("dmlm"), made_batch()
    targets = method.targets(batch)
    hidden = method.hide_patches(targets, batch)
    attention = method.attend(targets, batch)
    assert (hidden.sum(dim=1) == round(0.3 * 16)).all()
    guided = batch.token_is_guide_BL.any(dim=1)
    assert guided.any()
    lowest_hidden = attention.masked_fill(~hidden, 99).amin(dim=1)
    highest_seen = attention.masked_fill(hidden, -99).amax(dim=1)
    assert (lowest_hidden >= highest_seen)[guided].all()


def test_the_mask_follows_the_marked_words():
    method, batch = made_method("dmlm"), made_batch()
    is_word = batch.token_is_real_BL & (batch.token_ids_BL > 4)
    other = changed(batch, token_is_guide_BL=is_word & ~batch.token_is_guide_BL)
    assert not torch.equal(masks_of(method, batch)[0], masks_of(method, other)[0])


@pytest.mark.parametrize("text", ["report", "manuscript", "structured_without_appearance"])
def test_marked_words_of_other_texts_are_no_appearance(text):
    method, batch = made_method("dmlm", text=text), made_batch()
    assert torch.equal(masks_of(method, batch)[0], masks_of(made_method("dmlm", mask="random"), batch)[0])
    assert method.explain(batch)[0].attention_BN is None


@pytest.mark.parametrize("mask", ["appearance", "adaptive"])
def test_a_text_without_appearance_gets_a_random_mask_of_the_fixed_share(mask):
    method, batch = made_method("dmlm", mask=mask), made_batch()
    nothing = changed(batch, token_is_guide_BL=torch.zeros_like(batch.token_is_guide_BL))
    hidden = masks_of(method, nothing)[0]
    assert torch.equal(hidden, masks_of(made_method("dmlm", mask="random"), batch)[0])
    assert (hidden.sum(dim=1) == 5).all()
    other = changed(nothing, sample_seeds_B=nothing.sample_seeds_B + 100)
    assert not torch.equal(hidden, masks_of(method, other)[0])


def test_the_mask_of_masks_and_manuscripts_hides_what_that_method_hides():
    method, batch = made_method("dmlm", mask="meijering"), made_batch()
    hidden = masks_of(method, batch)[0]
    assert torch.equal(hidden, made_method("mnm").hide_patches(batch))
    assert not torch.equal(hidden, masks_of(method, changed(batch, ridge_BHW=batch.ridge_BHW.flip(2)))[0])
    assert [(view.name, view.attention_BN) for view in method.explain(batch)] == [("meijering", None)]
    (stream,) = method.streams(method.config)
    assert stream.needs_ridge
    assert not stream.guides


def test_the_adaptive_share_follows_the_attention_within_its_limits():
    batch = made_batch()
    method = made_method("dmlm", mask="adaptive", min_mask_fraction=0.25, max_mask_fraction=0.5)
    counts = masks_of(method, batch)[0].sum(dim=1)[batch.token_is_guide_BL.any(dim=1)]
    assert ((counts >= 4) & (counts <= 8)).all()
    assert len(set(counts.tolist())) > 1


def test_attention_is_that_of_raw_products_if_asked():
    method, batch = made_method("dmlm", attention_tau=None), made_batch()
    targets = method.targets(batch)
    expected = phrase_scores(targets[0][0][:, 1:], targets[1][0], batch.token_is_guide_BL, None)
    assert torch.equal(method.attend(targets, batch), expected)
    assert not torch.allclose(expected, made_method("dmlm").attend(targets, batch))


def test_each_word_meets_its_nearest_patch_if_asked():
    method, batch = made_method("dmlm", aligned="token_argmax"), made_batch(num=3)
    image, text = method.targets(batch)
    per_text = []
    for row in range(3):
        words = [k for k in range(24) if batch.token_is_real_BL[row, k] and batch.token_ids_BL[row, k] > 4]
        nearest = [
            min(
                squared_wasserstein(*(part[row, k] for part in text), *(part[row, 1 + n] for part in image)).item()
                for n in range(16)
            )
            for k in words
        ]
        per_text.append(sum(nearest) / len(nearest))
    assert method.align(image, text, batch).item() == pytest.approx(sum(per_text) / 3, rel=1e-4)


def test_class_tokens_of_matched_pairs_are_aligned():
    method, batch = made_method("dmlm"), made_batch(num=3)
    image, text = method.targets(batch)
    pairs = [
        squared_wasserstein(*(part[row, 0] for part in text), *(part[row, 0] for part in image)) for row in range(3)
    ]
    torch.testing.assert_close(method.align(image, text, batch), torch.stack(pairs).mean())


def test_zero_shot_by_distance_scores_exactly_the_difference_of_distances():
    method, batch = made_method("dmlm", zeroshot="w2").eval(), made_batch()
    films = method.encode_image(batch.images_BHW)
    texts = method.encode_text(batch.token_ids_BL, batch.token_is_real_BL)
    assert films.shape == texts.shape == (8, method.joint_width)
    image, text = method.gaussian_encoders()(batch.images_BHW, batch.token_ids_BL, batch.token_is_real_BL)
    for film in range(8):
        one, other = (
            squared_wasserstein(*(part[film, 0] for part in image), *(part[prompt, 0] for part in text))
            for prompt in (0, 1)
        )
        torch.testing.assert_close(films[film] @ (texts[0] - texts[1]), other - one, atol=1e-5, rtol=1e-4)
    assert (
        method.patch_text_similarity(batch.images_BHW, batch.token_ids_BL, batch.token_is_real_BL).abs().max() <= 1.01
    )


def test_the_share_of_texts_that_guide_is_measured():
    batch = made_batch()
    few = changed(batch, token_is_guide_BL=batch.token_is_guide_BL & (torch.arange(8) < 2)[:, None])
    assert made_method("dmlm")(few).measures["guided_fraction"].item() == pytest.approx(2 / 8)
    assert made_method("dmlm", text="report")(few).measures["guided_fraction"].item() == 0


def test_spread_is_the_deviation_of_class_means():
    method, batch = made_method("dmlm").eval(), made_batch()
    means, _ = method.project_image(batch.images_BHW)
    assert method(batch).measures["spread_im"].item() == pytest.approx(
        means.std(dim=0, correction=0).mean().item(), rel=1e-3
    )


def test_every_variant_of_the_paper_takes_a_step(repository):
    settings = yaml.safe_load((repository / "config/papers/dmlm.yaml").read_text())
    batch = made_batch()
    for name, overlay in settings["variants"].items():
        method = made_method("dmlm", **merge(overlay.get("method", {}), SMALL["dmlm"]))
        losses = method(batch)
        assert tuple(losses.terms) == method.phases[0].terms, name
        losses.total().backward()
        untouched = [n for n, p in method.named_parameters() if p.requires_grad and p.grad is None]
        assert untouched == [], name
        assert all(term.isfinite() for term in losses.terms.values()), name
        assert all(view.hidden_BN.any() for view in method.explain(batch)), name


@pytest.mark.parametrize("knobs", [{"align": False, "anchor": "none"}, {"aligned": "token_argmax", "anchor": "none"}])
def test_options_together_train_all_that_they_keep(knobs):
    method = made_method("dmlm", **knobs)
    method(made_batch()).total().backward()
    assert [n for n, p in method.named_parameters() if p.requires_grad and p.grad is None] == []


@pytest.mark.parametrize(
    "text", ["structured", "structured_without_definition", "structured_without_appearance", "report"]
)
def test_a_guided_stream_reads_a_text_with_appearance(text):
    (stream,) = made_method("dmlm", text=text).streams(DmlmConfig(text=text))
    assert (stream.guides == "appearance") == ("appearance" in style_of(stream.text).kinds)


def test_settings_that_do_not_fit_are_refused():
    for knobs in ({"mask": "none", "text_mask_fraction": 0, "align": False, "anchor": "none"}, {"latent_width": 50}):
        with pytest.raises(ValidationError):
            DmlmConfig(**knobs)
