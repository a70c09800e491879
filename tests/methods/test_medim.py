"""MedIM: what each mask looks at, what reaches what, and every variant of the paper file."""

import pytest
import torch
import yaml

from maskray.config.merge import merge
from maskray.methods import METHODS
from tests.methods.made_methods import SMALL, made_batch, made_method


def changed(batch, **fields):
    return type(batch)(**{name: fields.get(name, getattr(batch, name)) for name in batch.__dataclass_fields__})


def test_total_is_alpha_times_both_terms_plus_the_alignment():
    losses = made_method("medim")(made_batch())
    terms = {name: value.item() for name, value in losses.terms.items()}
    assert list(terms) == ["restore_words", "restore_sentence", "align"]
    expected = 10 * (terms["restore_words"] + terms["restore_sentence"]) + terms["align"]
    assert losses.total().item() == pytest.approx(expected, rel=1e-5)


def test_mesh_words_guide_one_mask_and_a_sentence_the_other():
    method, batch = made_method("medim"), made_batch()
    encoded = method.encode(batch)
    num_words = encoded.words_BTE.shape[1]
    words = method.choose_words(batch, num_words)
    for row in range(8):
        marked = set(batch.token_word_BL[row][batch.token_is_guide_BL[row]].tolist())
        assert set((words[row].nonzero()[:, 0] + 1).tolist()) == marked
    inside = method.choose_sentence(batch, num_words)
    drawn = set()
    for row in range(8):
        numbers = (inside[row].nonzero()[:, 0] + 1).tolist()
        # Words may straddle the made sentences: the sentence is the one that all of its words touch.
        sentences = [set(batch.token_sentence_BL[row][batch.token_word_BL[row] == n].tolist()) for n in numbers]
        common = set.intersection(*sentences)
        assert len(common) >= 1
        drawn |= common
    assert len(drawn) > 1


def test_every_sentence_is_drawn_and_none_of_those_that_do_not_count():
    method, batch = made_method("medim"), made_batch(1)
    sentence = torch.where(batch.token_sentence_BL == 2, 0, batch.token_sentence_BL.clamp(max=3))
    sentence = torch.where(sentence == 3, 2, sentence)
    seen = set()
    for seed in range(40):
        chosen = method.choose_sentence(
            changed(batch, token_sentence_BL=sentence, sample_seeds_B=torch.tensor([seed])), 12
        )
        seen.add(tuple(chosen[0].tolist()))
    assert len(seen) == 2


def test_masks_follow_the_words():
    method, batch = made_method("medim"), made_batch()
    encoded = method.encode(batch)
    other = changed(batch, token_is_guide_BL=batch.token_is_guide_BL.roll(1, dims=1) & (batch.token_word_BL > 0))
    one = method.hide_patches(encoded, batch, "words")
    two = method.hide_patches(encoded, other, "words")
    assert not torch.equal(one, two)
    assert torch.equal(method.hide_patches(encoded, batch, "sentence"), method.hide_patches(encoded, other, "sentence"))


def test_a_report_without_mesh_words_gets_a_random_mask_of_the_same_size():
    method, batch = made_method("medim"), made_batch()
    nothing = changed(batch, token_is_guide_BL=torch.zeros_like(batch.token_is_guide_BL))
    hidden = method.hide_patches(method.encode(nothing), nothing, "words")
    assert (hidden.sum(dim=1) == 8).all()
    other = changed(nothing, sample_seeds_B=nothing.sample_seeds_B + 100)
    assert not torch.equal(hidden, method.hide_patches(method.encode(other), other, "words"))


def test_the_restored_film_knows_nothing_of_hidden_patches():
    method, batch = made_method("medim").eval(), made_batch()
    encoded = method.encode(batch)
    hidden = method.hide_patches(encoded, batch, "words")
    noise = torch.randn_like(encoded.patches_BNC)
    other = type(encoded)(
        **(vars(encoded) | {"patches_BNC": torch.where(hidden[:, :, None], noise, encoded.patches_BNC)})
    )
    assert torch.equal(method.restore(encoded, [hidden, hidden])[0], method.restore(other, [hidden, hidden])[0])


def test_low_and_high_are_the_two_halves():
    batch = made_batch()
    high, low = (made_method("medim", mask=mask) for mask in ("high", "low"))
    encoded = high.encode(batch)
    assert torch.equal(high.hide_patches(encoded, batch, "words"), ~low.hide_patches(encoded, batch, "words"))


def test_views_show_attention_mask_and_film_of_each_strategy():
    method, batch = made_method("medim").eval(), made_batch()
    views = method.explain(batch)
    assert [view.name for view in views] == ["MeSH words", "one sentence"]
    for view in views:
        lowest_hidden = view.attention_BN.masked_fill(~view.hidden_BN, 9).amin(dim=1)
        highest_seen = view.attention_BN.masked_fill(view.hidden_BN, -9).amax(dim=1)
        assert (lowest_hidden >= highest_seen).all()


def test_every_variant_of_the_paper_takes_a_step(repository):
    settings = yaml.safe_load((repository / "config/papers/medim.yaml").read_text())
    batch = made_batch()
    for name, overlay in settings["variants"].items():
        method = made_method("medim", **merge(overlay.get("method", {}), SMALL["medim"]))
        losses = method(batch)
        assert set(losses.terms) == set(method.phases[0].terms), name
        losses.total().backward()
        untouched = [n for n, p in method.named_parameters() if p.requires_grad and p.grad is None]
        assert untouched == [], name
        assert all(term.isfinite() for term in losses.terms.values()), name


def test_alignments_can_be_had_one_by_one():
    batch = made_batch()
    names = ("instance_weight", "token_weight", "prototype_weight")
    alone = [
        made_method("medim", guides=[], **{each: float(each == name) for each in names})(batch).total().item()
        for name in names
    ]
    together = made_method("medim", guides=[])(batch).total().item()
    assert sum(alone) == pytest.approx(together, rel=1e-4)


def test_the_paper_file_names_the_method():
    assert METHODS["medim"].Config().guides == ("words", "sentence")
