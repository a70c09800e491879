"""MaCo: the visible patches, the weights, the rows of Table 5, grounding."""

import math

import pytest
import torch
from torch.nn import functional as F

from maskray.decoders.pixels import patchify
from maskray.losses.contrastive import similarity_logits
from maskray.masking.apply import visible_index
from tests.methods.made_methods import made_batch, made_method


def test_eq_04_weighs_both_terms():
    losses = made_method("maco")(made_batch())
    expected = 0.9 * losses.terms["mae"] + 0.1 * losses.terms["align"]
    assert losses.total().item() == pytest.approx(expected.item())


def test_eq_01_compares_hidden_patches_with_their_normalised_pixels():
    method, batch = made_method("maco"), made_batch()
    hidden = method.hide_patches(batch)
    visible = visible_index(hidden)
    predicted = method.reconstruct(method.encode_visible(batch.images_BHW, visible), visible)
    patches = patchify(batch.images_BHW, 8)
    target = (patches - patches.mean(dim=2, keepdim=True)) / (patches.var(dim=2, keepdim=True) + 1e-6).sqrt()
    expected = F.mse_loss(predicted[hidden], target[hidden])
    assert method(batch).terms["mae"].item() == pytest.approx(expected.item(), rel=1e-5)


def test_eq_03_takes_the_learned_temperature_times_w_t():
    method, batch = made_method("maco", mirrored=False), made_batch()
    torch.nn.init.normal_(method.scorer.weight)
    hidden = method.hide_patches(batch)
    w_t, w_l = method.weigh(hidden)
    tokens = method.encode_visible(batch.images_BHW, visible_index(hidden))
    images = F.normalize(method.image_to_joint(tokens.mean(dim=1)), dim=1)
    texts = F.normalize(method.project_text(batch.token_ids_BL, batch.token_is_real_BL), dim=1)
    losses = [-(images[i] @ texts.T / (w_t[i] * method.tau_3())).log_softmax(dim=0)[i] for i in range(8)]
    groups = [sum(w_l[i] * losses[i] for i in group) for group in (range(4), range(4, 8))]
    assert method.tau_3().item() == pytest.approx(0.03)
    assert method(batch).terms["align"].item() == pytest.approx((sum(groups) / 2).item(), rel=1e-5)


def test_only_visible_patches_are_encoded_and_half_are():
    method, batch = made_method("maco").eval(), made_batch()
    hidden = method.hide_patches(batch)
    assert (hidden.sum(dim=1) == 8).all()
    visible = visible_index(hidden)
    pixels = hidden.view(8, 4, 4).repeat_interleave(8, 1).repeat_interleave(8, 2)
    others = torch.where(pixels, 1 - batch.images_BHW, batch.images_BHW)
    tokens = method.encode_visible(batch.images_BHW, visible)
    assert tokens.shape == (8, 8, 32)
    assert torch.equal(tokens, method.encode_visible(others, visible))
    assert method.reconstruct(tokens, visible).shape == (8, 16, 64)
    everything = method.encode_visible(batch.images_BHW, torch.arange(16).expand(8, -1))
    assert torch.allclose(everything, method.image_encoder(batch.images_BHW)[1], atol=1e-5)


def test_the_importance_score_sums_the_weights_of_visible_patches():
    method = made_method("maco")
    method.scorer.weight.data = torch.arange(16.0)[None]
    hidden = torch.ones(2, 16, dtype=torch.bool)
    hidden[0, [3, 5]] = False
    assert method.score_visible(hidden).tolist() == [8.0, 0.0]
    assert torch.equal(method.position_weights(), torch.arange(16.0).view(4, 4))


def test_training_begins_with_plain_contrast():
    batch = made_batch()
    method = made_method("maco")
    assert not method.scorer.weight.any()
    w_t, w_l = method.weigh(method.hide_patches(batch))
    assert torch.allclose(w_t, torch.full((8,), math.exp(1 / 4)))
    assert torch.allclose(w_l, torch.full((8,), 1 / 4))


def test_no_gradient_through_the_loss_weights():
    method, batch = made_method("maco"), made_batch()
    torch.nn.init.normal_(method.scorer.weight)
    w_t, w_l = method.weigh(method.hide_patches(batch))
    assert w_t.requires_grad
    assert not w_l.requires_grad


@pytest.mark.parametrize(
    ("objective", "terms", "groups"),
    [
        ("weighted", ["mae", "align"], {"image_encoder", "text_encoder", "rest"}),
        ("mae_clip", ["mae", "align"], {"image_encoder", "text_encoder", "rest"}),
        ("mae", ["mae"], {"image_encoder", "rest"}),
    ],
)
def test_rows_of_table_5_train_all_that_they_keep(objective, terms, groups):
    method, batch = made_method("maco", objective=objective), made_batch()
    losses = method(batch)
    assert list(losses.terms) == terms
    assert method.phases[0].terms == tuple(terms)
    assert set(method.parameter_groups()) == groups
    losses.total().backward()
    trained = {name for name, p in method.named_parameters() if p.grad is not None}
    assert trained == {name for name, p in method.named_parameters() if p.requires_grad}
    assert ("scorer.weight" in trained) == (objective == "weighted")
    assert method.encode_text(batch.token_ids_BL, batch.token_is_real_BL).shape == (8, 48)


def plain_contrast(method, batch, scale=1.0):
    hidden = method.hide_patches(batch)
    tokens = method.encode_visible(batch.images_BHW, visible_index(hidden))
    texts = method.project_text(batch.token_ids_BL, batch.token_is_real_BL)
    logits = similarity_logits(method.image_to_joint(tokens.mean(dim=1)), texts, method.tau_3()) * scale
    targets = torch.arange(8)
    return F.cross_entropy(logits, targets), F.cross_entropy(logits.T, targets)


@pytest.mark.parametrize("mirrored", [True, False])
def test_mae_clip_is_info_nce(mirrored):
    method, batch = made_method("maco", objective="mae_clip", mirrored=mirrored), made_batch()
    one_way, other_way = plain_contrast(method, batch)
    expected = (one_way + other_way) / 2 if mirrored else one_way
    assert method(batch).terms["align"].item() == pytest.approx(expected.item(), rel=1e-5)


def test_released_weighting_multiplies_the_logits_without_groups():
    method, batch = made_method("maco", weighting="released", mirrored=False), made_batch(num=7)
    expected = F.softplus(torch.zeros(1)).item()
    w_t, w_l = method.weigh(method.hide_patches(batch))
    assert torch.allclose(1 / w_t, torch.full((7,), expected))
    assert (w_l == w_l[0]).all()
    method, batch = made_method("maco", weighting="released", mirrored=False), made_batch()
    assert method(batch).terms["align"].item() == pytest.approx(
        plain_contrast(method, batch, expected)[0].item(), rel=1e-5
    )


def test_a_batch_that_cannot_be_grouped_says_what_to_change():
    with pytest.raises(ValueError, match=r"global batch of 6 cannot be cut into groups of 4.*batch_size"):
        made_method("maco")(made_batch(num=6))


def test_the_text_feature_is_the_class_token():
    batch, method = made_batch(), made_method("maco").eval()
    tokens = method.text_encoder(batch.token_ids_BL, batch.token_is_real_BL)
    assert torch.equal(method.project_text(batch.token_ids_BL, batch.token_is_real_BL), tokens[:, 0])


def test_grounding_maps_are_cosines_times_softened_position_weights():
    method, batch = made_method("maco").eval(), made_batch()
    texts = batch.token_ids_BL, batch.token_is_real_BL
    flat = method.patch_text_similarity(batch.images_BHW, *texts)
    _, patches = method.project_image(batch.images_BHW)
    cosine = F.cosine_similarity(patches, method.project_text(*texts)[:, None], dim=2).view(8, 4, 4)
    assert torch.allclose(flat * 16, cosine, atol=1e-5)
    method.scorer.weight.data = torch.arange(16.0)[None] / 100
    expected = (torch.arange(16.0) / 100 / 0.1).softmax(dim=0).view(4, 4)
    assert torch.allclose(method.patch_text_similarity(batch.images_BHW, *texts), cosine * expected, atol=1e-6)
    softer = method.patch_text_similarity(batch.images_BHW, *texts, tau=1.0)
    assert torch.allclose(softer, cosine * (torch.arange(16.0) / 100).softmax(dim=0).view(4, 4), atol=1e-6)
