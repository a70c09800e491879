"""MMCLIP: what guides and hides, what reaches what, both streams and phases, and every variant of the paper file."""

import dataclasses

import pytest
import torch
import yaml
from pydantic import ValidationError
from torch.nn import functional as F

from maskray.config.merge import merge
from maskray.config.training import OptimisationConfig
from maskray.decoders.pixels import patchify
from maskray.masking.text import causal_sight
from maskray.methods import METHODS
from maskray.methods.mmclip import CHEXPERT, MmclipConfig
from tests.methods.made_methods import PROMPTS, SMALL, made_batch, made_batches, made_method


def attend(method, batch, with_report=True):
    """Patches of the films and their attentions."""
    patches = method.embed_films(batch.images_BHW)[:, 1:]
    texts = batch.token_ids_BL, batch.token_is_real_BL
    report = (method.embed_texts(*texts), batch.token_is_real_BL) if with_report else None
    return patches, method.attend(patches, method.embed_prompts(), report)


def logits_of_all_places(method, batch, token_ids):
    """What the decoder says at every place about the next piece, under the masks of ``batch``."""
    hidden, _ = method.hide_words(batch)
    decoder, said = method.text_decoder, []
    hook = decoder.norm.register_forward_hook(lambda _module, _inputs, output: said.append(output))
    changed = dataclasses.replace(batch, token_ids_BL=token_ids)
    report = method.embed_texts(token_ids, batch.token_is_real_BL)
    method.model_text(changed, method.embed_films(batch.images_BHW), report)
    hook.remove()
    assert torch.equal(method.hide_words(changed)[0], hidden)
    return decoder.words(said[0], method.text_encoder.word_embeddings)


def with_other_pieces(batch, where_BL):
    """Ids with other words at these places."""
    return torch.where(where_BL, 5 + (batch.token_ids_BL - 5 + 17) % 55, batch.token_ids_BL)


def test_eq_01_projects_every_token_of_the_film():
    method, batch = made_method("mmclip"), made_batch()
    class_token, patches = method.image_encoder(batch.images_BHW)
    tokens = method.embed_films(batch.images_BHW)
    weight = method.project_films.weight
    assert tokens.shape == (8, 17, 32)
    assert torch.allclose(tokens[:, 0], class_token @ weight.T, atol=1e-6)
    assert torch.allclose(tokens[3, 5], patches[3, 4] @ weight.T, atol=1e-6)


def test_eq_02_projects_every_piece_and_the_last_stands_for_the_text():
    method, batch = made_method("mmclip"), made_batch()
    pieces = method.text_encoder(batch.token_ids_BL, batch.token_is_real_BL) @ method.project_words.weight.T
    assert torch.allclose(method.embed_texts(batch.token_ids_BL, batch.token_is_real_BL), pieces, atol=1e-6)
    texts = method.project_text(batch.token_ids_BL, batch.token_is_real_BL)
    for row, length in enumerate(batch.token_is_real_BL.sum(dim=1).tolist()):
        assert torch.allclose(texts[row], pieces[row, length - 1], atol=1e-6)


def test_eq_03_asks_each_prompt_alone_and_once_a_step(monkeypatch):
    method, batches = made_method("mmclip"), made_batches("mmclip")
    whole = method.embed_prompts()
    parts = [method.embed_texts(torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.bool))[0] for ids in PROMPTS]
    assert torch.allclose(whole[0], torch.cat(parts), atol=1e-5)
    assert not whole.requires_grad
    calls, embed = [], method.embed_prompts
    monkeypatch.setattr(method, "embed_prompts", lambda: calls.append(1) or embed())
    method(*batches)
    assert len(calls) == 1
    assert method.state_dict()["asked.ids_KL"].tolist() == [[*ids, *[0] * (5 - len(ids))] for ids in PROMPTS]


def test_prompts_are_chexperts_findings_in_sentences():
    prompts = METHODS["mmclip"].prompts(MmclipConfig())
    assert len(prompts) == len(CHEXPERT) == 14
    assert prompts[2] == "There is cardiomegaly."
    assert METHODS["mmclip"].prompts(MmclipConfig(prompt="{x}?", prompt_findings=("edema",))) == ["edema?"]
    with pytest.raises(ValidationError, match="prompt lacks"):
        MmclipConfig(prompt="anything")


def test_eq_04_to_06_padding_is_never_asked():
    method, batch = made_method("mmclip"), made_batch()
    padded = dataclasses.replace(batch, token_ids_BL=torch.where(batch.token_is_real_BL, batch.token_ids_BL, 33))
    for one, other in zip(attend(method, batch)[1].values(), attend(method, padded)[1].values(), strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_eq_07_and_08_hide_three_quarters_of_what_any_attention_points_at():
    method, batch = made_method("mmclip"), made_batch()
    _, attentions = attend(method, batch)
    assert list(attentions) == ["report", "prompt", "self"]
    tops = [method.hide_top(each)[:, :, 0] for each in attentions.values()]
    # 0.7 of 16 patches each.
    assert all((top.sum(dim=1) == 11).all() for top in tops)
    union = tops[0] | tops[1] | tops[2]
    hidden = method.hide_patches(attentions, batch)[:, :, 0]
    assert hidden.dtype == torch.bool
    assert not (hidden & ~union).any()
    assert hidden.sum(dim=1).tolist() == union.sum(dim=1).clamp(max=12).tolist()


def test_single_strategies_hide_their_own_top_and_random_hides_as_many():
    batch = made_batch()
    for guide in ("report", "prompt", "self"):
        method = made_method("mmclip", guides=[guide], guide_fraction=0.75)
        _, attentions = attend(method, batch)
        scores = attentions[guide].norm(dim=2)
        hidden = method.hide_patches(attentions, batch)[:, :, 0]
        assert (hidden.sum(dim=1) == 12).all()
        assert (scores.masked_fill(~hidden, 9e9).amin(dim=1) >= scores.masked_fill(hidden, -1).amax(dim=1)).all()
    method = made_method("mmclip", mask="random")
    _, attentions = attend(method, batch)
    assert attentions == {}
    assert (method.hide_patches({}, batch).sum(dim=(1, 2)) == 12).all()


def test_films_alone_are_guided_by_prompts_and_themselves_and_at_random_where_reports_alone_guide():
    method, batch = made_method("mmclip"), made_batch()
    assert list(attend(method, batch, with_report=False)[1]) == ["prompt", "self"]
    method = made_method("mmclip", guides=["report"])
    _, attentions = attend(method, batch, with_report=False)
    assert attentions == {}
    hidden = method.hide_patches(attentions, batch)
    other = dataclasses.replace(batch, sample_seeds_B=batch.sample_seeds_B + 50)
    assert (hidden.sum(dim=(1, 2)) == 12).all()
    assert not torch.equal(hidden, method.hide_patches({}, other))


def test_literal_masks_hide_elements_and_a_share_of_the_union():
    batch = made_batch()
    method = made_method("mmclip", mask_unit="element", placeholder="zero", mask_fraction_of="union")
    patches, attentions = attend(method, batch)
    tops = torch.stack([method.hide_top(each) for each in attentions.values()])
    assert (tops.sum(dim=(2, 3)) == round(0.7 * 16 * 32)).all()
    hidden = method.hide_patches(attentions, batch)
    wanted = torch.floor(tops.any(dim=0).sum(dim=(1, 2)).double() * 0.75 + 0.5)
    assert hidden.shape == (8, 16, 32)
    assert torch.equal(hidden.sum(dim=(1, 2)).double(), wanted)
    # Eq. (9) as printed: a product with what is visible.
    product = method.image_decoder(method.image_decoder.embed(patches * ~hidden))
    assert torch.allclose(method.restore(patches, hidden), product, atol=1e-6)
    assert not method.mask_token_E.requires_grad


def test_eq_09_hidden_patches_cannot_be_seen_and_true_is_hidden():
    method, batch = made_method("mmclip").eval(), made_batch()
    patches, attentions = attend(method, batch)
    hidden = method.hide_patches(attentions, batch)
    restored = method.restore(patches, hidden)
    noise = torch.randn_like(patches)
    assert torch.equal(restored, method.restore(torch.where(hidden, noise, patches), hidden))
    assert not torch.allclose(restored, method.restore(torch.where(hidden, patches, noise), hidden))


def test_eq_12_compares_hidden_patches_with_their_pixels():
    batch = made_batch()
    for target in ("normalised", "pixels"):
        method = made_method("mmclip", target=target)
        patches, attentions = attend(method, batch)
        hidden = method.hide_patches(attentions, batch)
        pixels = patchify(batch.images_BHW, 8)
        if target == "normalised":
            pixels = (pixels - pixels.mean(dim=2, keepdim=True)) / (pixels.var(dim=2, keepdim=True) + 1e-6).sqrt()
        errors = ((method.restore(patches, hidden) - pixels) ** 2).mean(dim=2)
        expected = torch.stack([errors[row][hidden[row, :, 0]].mean() for row in range(8)]).mean()
        assert method.model_film(batch, patches, attentions)[0].item() == pytest.approx(expected.item(), rel=1e-5)


def test_eq_10_hides_a_fifth_of_the_entities_and_nothing_else():
    method, batch = made_method("mmclip"), made_batch()
    hidden, counts = method.hide_words(batch)
    num = batch.token_is_guide_BL.sum(dim=1)
    assert torch.equal(hidden.sum(dim=1), torch.floor(num * 0.2 + 0.5).long().clamp(min=1).minimum(num))
    assert not (hidden & ~batch.token_is_guide_BL).any()
    assert torch.equal(counts, hidden)
    assert torch.equal(made_method("mmclip", text_loss="all").hide_words(batch)[0], hidden)


def test_eq_11_a_hidden_entity_is_seen_nowhere():
    method, batch = made_method("mmclip", text_mask_fraction=0.5).eval(), made_batch()
    hidden, _ = method.hide_words(batch)
    assert (hidden[:, 1:] & hidden[:, :-1]).any(), "pieces side by side must be among the hidden"
    others = with_other_pieces(batch, hidden)
    sees = causal_sight(batch.token_is_real_BL, hidden)
    one, two = (method.embed_texts(ids, batch.token_is_real_BL, sees) for ids in (batch.token_ids_BL, others))
    assert torch.equal(one[~hidden], two[~hidden])
    assert not torch.allclose(one[hidden], two[hidden])
    # In the decoder not even the place of a hidden piece knows it: it predicts its neighbour.
    one, two = (logits_of_all_places(method, batch, ids) for ids in (batch.token_ids_BL, others))
    assert torch.equal(one, two)
    visible = with_other_pieces(batch, batch.token_is_guide_BL & ~hidden)
    assert not torch.allclose(one, logits_of_all_places(method, batch, visible))


def test_the_literal_mask_leaves_hidden_entities_in_the_pieces_after_them():
    method, batch = made_method("mmclip", text_hiding="decoder").eval(), made_batch()
    hidden, _ = method.hide_words(batch)
    others = with_other_pieces(batch, hidden)
    one, two = (logits_of_all_places(method, batch, ids) for ids in (batch.token_ids_BL, others))
    assert not torch.allclose(one, two)


def test_eq_13_predicts_each_hidden_piece_from_the_place_before_and_the_film():
    method, batch = made_method("mmclip"), made_batch()
    images = method.embed_films(batch.images_BHW)
    report = method.embed_texts(batch.token_ids_BL, batch.token_is_real_BL)
    hidden, _ = method.hide_words(batch)
    logits = logits_of_all_places(method, batch, batch.token_ids_BL)
    texts = []
    for row in range(8):
        places = hidden[row].nonzero()[:, 0].tolist()
        losses = [F.cross_entropy(logits[row, place - 1], batch.token_ids_BL[row, place]) for place in places]
        texts.append(sum(losses) / len(losses))
    assert method.model_text(batch, images, report).item() == pytest.approx(torch.stack(texts).mean().item(), rel=1e-5)
    assert method.model_text(batch, images.roll(1, dims=0), report) != method.model_text(batch, images, report)


def test_no_place_sees_what_comes_after_it():
    method, batch = made_method("mmclip", text_mask="full").eval(), made_batch()
    later = torch.arange(24).expand(8, -1) >= 6
    one, two = (
        logits_of_all_places(method, batch, ids)
        for ids in (batch.token_ids_BL, with_other_pieces(batch, later & (batch.token_ids_BL > 4)))
    )
    assert torch.allclose(one[:, :6], two[:, :6], atol=1e-5)
    assert not torch.allclose(one[:, 6:], two[:, 6:], atol=1e-3)


def test_rows_of_table_4_hide_and_count_what_they_say():
    batch = made_batch()
    hidden, counts = made_method("mmclip", text_mask="full").hide_words(batch)
    assert not hidden.any()
    follows = batch.token_is_real_BL.clone()
    follows[:, 0] = False
    assert torch.equal(counts, follows)
    method = made_method("mmclip", text_mask="random", text_mask_fraction=0.5)
    hidden, _ = method.hide_words(batch)
    is_word = batch.token_is_real_BL & (batch.token_ids_BL > 4)
    assert not (hidden & ~is_word).any()
    assert torch.equal(hidden.sum(dim=1), torch.floor(is_word.sum(dim=1) * 0.5 + 0.5).long())
    assert torch.equal(made_method("mmclip", text_loss="all").hide_words(batch)[1], follows)
    assert "mlm" not in made_method("mmclip", text_mask="none")(*made_batches("mmclip")).terms


def test_reports_without_entities_are_no_loss():
    method, (pairs, films) = made_method("mmclip"), made_batches("mmclip")
    bare = dataclasses.replace(pairs, token_is_guide_BL=torch.zeros_like(pairs.token_is_guide_BL))
    losses = method(bare, films)
    losses.total().backward()
    assert losses.terms["mlm"].item() == 0
    assert all(p.grad is None or p.grad.isfinite().all() for p in method.parameters())


def test_eq_14_to_16_add_all_terms_of_pairs_and_of_films_alone():
    method, (pairs, films) = made_method("mmclip"), made_batches("mmclip")
    losses = method(pairs, films)
    assert list(losses.terms) == ["align", "mim", "mlm", "mim_images"]
    assert losses.total().item() == pytest.approx(sum(term.item() for term in losses.terms.values()), rel=1e-6)
    alone = made_method("mmclip", unpaired=False)(pairs)
    assert list(alone.terms) == ["align", "mim", "mlm"]
    assert all(torch.equal(alone.terms[name], losses.terms[name]) for name in alone.terms)
    patches, attentions = attend(method, films, with_report=False)
    expected = method.model_film(films, patches, attentions)[0]
    assert losses.terms["mim_images"].item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize(
    ("knobs", "first", "streams"),
    [
        ({}, ("mim", "mlm", "mim_images"), 2),
        ({"warm_up": "films"}, ("mim", "mim_images"), 2),
        ({"unpaired": False}, ("mim", "mlm"), 1),
        ({"text_mask": "none"}, ("mim", "mim_images"), 2),
        ({"mask": "none"}, ("mlm",), 1),
        ({"mask": "none", "text_mask": "none"}, ("align",), 1),
        ({"mask": "none", "warm_up": "films"}, ("align", "mlm"), 1),
    ],
)
def test_the_masked_objectives_warm_up_alone(knobs, first, streams):
    method = made_method("mmclip", **knobs)
    assert method.phases[0].terms == first
    assert len(method.streams(method.config)) == streams
    losses = method(*made_batches("mmclip", **knobs))
    losses.total(first).backward()
    # Not counted, the alignment still gives every parameter a gradient: the temperature's is zero.
    assert bool(method.sigma.log_tau.grad) == ("align" in first)


def test_masks_are_no_path_for_gradients():
    method, batch = made_method("mmclip"), made_batch()
    _, attentions = attend(method, batch)
    assert not any(each.requires_grad for each in attentions.values())


def test_views_show_each_attention_and_the_blended_mask():
    method, batch = made_method("mmclip").eval(), made_batch()
    *guided, blended = method.explain(batch)
    assert [view.name for view in guided] == ["attention to report", "attention to prompt", "attention to self"]
    union = torch.stack([view.hidden_BN for view in guided]).any(dim=0)
    assert not (blended.hidden_BN & ~union).any()
    pixels = blended.hidden_BN.view(8, 4, 4).repeat_interleave(8, 1).repeat_interleave(8, 2)
    assert torch.equal(blended.reconstruction_BHW[~pixels], batch.images_BHW[~pixels])
    assert made_method("mmclip", mask="none").explain(batch) == []


def test_every_variant_of_the_paper_takes_a_step(repository):
    settings = yaml.safe_load((repository / "config/papers/mmclip.yaml").read_text())
    for name, overlay in settings["variants"].items():
        merged = merge(settings, overlay)
        knobs = {key: value for key, value in merged["method"].items() if key not in SMALL["mmclip"]}
        method = made_method("mmclip", **knobs)
        lengths = OptimisationConfig.model_validate(merged["pretrain"]["optimisation"]).phase_steps
        assert len(lengths) == len(method.phases) - 1, name
        losses = method(*made_batches("mmclip", **knobs))
        assert tuple(losses.terms) == method.phases[-1].terms, name
        assert all(term.isfinite() for term in losses.terms.values()), name
        losses.total().backward()
        for parameter_name, parameter in method.named_parameters():
            if parameter.requires_grad:
                assert parameter.grad is not None, (name, parameter_name)
                assert parameter.grad.isfinite().all(), (name, parameter_name)
                assert parameter.grad.any() or parameter_name.endswith("k_proj.bias"), (name, parameter_name)
