"""What every method must do; a new one is covered by its line in the register."""

import pytest
import torch

from maskray.config.base import Frozen
from maskray.errors import InputError
from maskray.methods import METHODS, Method, build_method
from tests.methods.made_methods import IMAGE, TEXT, VOCABULARY, build, made_batch, made_batches, made_method, part_of

each_method = pytest.mark.parametrize("name", METHODS)


@each_method
def test_declares_what_the_loop_needs(name):
    method = made_method(name)
    assert isinstance(method, Method)
    assert issubclass(method.Config, Frozen)
    assert method.streams(method.config)
    terms = tuple(method(*made_batches(name)).terms)
    assert terms == method.phases[-1].terms
    assert all(set(phase.terms) <= set(terms) for phase in method.phases)


@each_method
def test_every_knob_has_a_default_and_most_are_explained(name):
    fields = METHODS[name].Config.model_fields
    METHODS[name].Config.parse({}, name)
    assert sum(field.description is not None for field in fields.values()) >= 0.8 * len(fields)


@each_method
def test_losses_are_finite_scalars_in_float32_and_leave_the_global_generator_alone(name):
    method, batches = made_method(name), made_batches(name)
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    losses = method(*batches)
    assert torch.equal(torch.rand(2), expected)
    for value in (*losses.terms.values(), losses.total(), *losses.measures.values()):
        assert value.dtype == torch.float32
        assert value.shape == ()
        assert value.isfinite()
    assert not any(value.requires_grad for value in losses.measures.values())


@each_method
def test_same_seeds_same_losses_and_other_seeds_other_losses(name):
    method, batches = made_method(name), made_batches(name)
    assert torch.equal(method(*batches).total(), made_method(name)(*batches).total())
    others = made_batches(name)
    for other in others:
        other.sample_seeds_B.add_(77)
    assert not torch.equal(method(*batches).total(), method(*others).total())


@each_method
def test_the_mean_of_a_text_stands_for_it_where_asked(name):
    token, mean = made_method(name).eval(), made_method(name, text_feature="mean").eval()
    batches = made_batches(name)
    ids, is_real = batches[0].token_ids_BL, batches[0].token_is_real_BL
    compared = {"mnm": "itc", "dmlm": "itc"}.get(name, "align")
    assert not torch.equal(token(*batches).terms[compared], mean(*batches).terms[compared])
    features = mean.project_text(ids, is_real)
    assert not torch.allclose(features, token.project_text(ids, is_real), atol=1e-3)
    assert torch.allclose(features, mean.project_text(ids.masked_fill(~is_real, 9), is_real), atol=1e-5)


@each_method
def test_gradient_reaches_every_trainable_parameter(name):
    method = made_method(name)
    method(*made_batches(name)).total().backward()
    grouped = {id(p) for parameters in method.parameter_groups().values() for p in parameters}
    for parameter_name, parameter in method.named_parameters():
        assert (id(parameter) in grouped) == parameter.requires_grad
        if parameter.requires_grad:
            assert parameter.grad is not None, parameter_name
            assert parameter.grad.isfinite().all(), parameter_name
            # A bias of attention's keys shifts all scores of a query alike: its gradient is zero but for rounding.
            assert parameter.grad.any() or parameter_name.endswith(("key.bias", "k_proj.bias")), parameter_name
        else:
            assert parameter.grad is None, parameter_name


@each_method
def test_groups_name_both_encoders(name):
    method = made_method(name)
    groups = method.parameter_groups()
    assert set(groups) == {"image_encoder", "text_encoder", "rest"}
    assert {id(p) for p in groups["image_encoder"]} == {id(p) for p in method.image_encoder.parameters()}


@each_method
def test_one_batch_is_learned_by_heart(name):
    method, batches = made_method(name), made_batches(name)
    optimiser = torch.optim.AdamW(method.parameters(), lr=3e-3)
    first = method(*batches).total().item()
    for _ in range(60):
        optimiser.zero_grad()
        total = method(*batches).total()
        total.backward()
        optimiser.step()
    assert total.item() < 0.6 * first


@each_method
def test_state_makes_a_round_trip(name):
    method, batches = made_method(name), made_batches(name)
    torch.manual_seed(99)
    again = build(name)
    assert not torch.equal(again(*batches).total(), method(*batches).total())
    again.load_state_dict(method.state_dict())
    assert torch.equal(again(*batches).total(), method(*batches).total())
    storages = [value.untyped_storage().data_ptr() for value in method.state_dict().values()]
    assert len(storages) == len(set(storages)), "safetensors does not write tensors that share memory"


@each_method
def test_bf16_autocast_works(name):
    method, batches = made_method(name), made_batches(name)
    batch = batches[0]
    with torch.autocast("cpu", torch.bfloat16):
        losses = method(*batches)
    losses.total().backward()
    assert losses.total().dtype == torch.float32
    assert losses.total().item() == pytest.approx(method(*batches).total().item(), rel=0.1)
    with torch.autocast("cpu", torch.bfloat16):
        assert method.encode_image(batch.images_BHW).dtype == torch.float32
        shown = [view.reconstruction_BHW for view in method.explain(batch) if view.reconstruction_BHW is not None]
        assert all(reconstruction.isfinite().all() for reconstruction in shown)


@each_method
def test_what_evaluation_sees(name):
    method, batch = made_method(name).eval(), made_batch()
    images = method.encode_image(batch.images_BHW)
    texts = method.encode_text(batch.token_ids_BL, batch.token_is_real_BL)
    assert images.shape == texts.shape == (8, method.joint_width)
    for features in (images, texts):
        assert torch.allclose(features.norm(dim=1), torch.ones(8), atol=1e-5)
    maps = method.patch_text_similarity(batch.images_BHW, batch.token_ids_BL, batch.token_is_real_BL)
    assert maps.shape == (8, 4, 4)
    assert (maps.abs() <= 1 + 1e-5).all()
    half = method.encode_text(batch.token_ids_BL[:3], batch.token_is_real_BL[:3])
    assert torch.allclose(half, texts[:3], atol=1e-5)


@each_method
def test_masks_of_a_sample_do_not_depend_on_its_batch(name):
    method, batch = made_method(name).eval(), made_batch()
    wholes, parts = method.explain(batch), method.explain(part_of(batch, slice(2, 6)))
    assert len({view.name for view in wholes}) == len(wholes) > 0
    for whole, part in zip(wholes, parts, strict=True):
        assert whole.hidden_BN.dtype == torch.bool
        assert torch.equal(whole.hidden_BN[2:6], part.hidden_BN)
        if whole.reconstruction_BHW is not None:
            assert torch.allclose(whole.reconstruction_BHW[2:6], part.reconstruction_BHW, atol=1e-5)
            assert ((whole.reconstruction_BHW >= 0) & (whole.reconstruction_BHW <= 1)).all()


@pytest.mark.parametrize("name", ["mnm", "maco"])
def test_visible_patches_are_shown_as_they_are(name):
    method, batch = made_method(name).eval(), made_batch()
    (view,) = method.explain(batch)
    hidden_pixels = view.hidden_BN.view(8, 4, 4).repeat_interleave(8, 1).repeat_interleave(8, 2)
    assert torch.equal(view.reconstruction_BHW[~hidden_pixels], batch.images_BHW[~hidden_pixels])


@each_method
def test_a_misspelt_knob_is_named(name):
    with pytest.raises(InputError, match=rf"method {name}: no_such_knob"):
        build_method(name, {"no_such_knob": 1}, IMAGE, TEXT, VOCABULARY)


def test_an_unknown_method_is_named_with_those_there_are():
    with pytest.raises(InputError, match=f"no method 'clipp'; there are {', '.join(sorted(METHODS))}"):
        build_method("clipp", {}, IMAGE, TEXT, VOCABULARY)


def test_a_text_encoder_of_another_kind_is_refused():
    with pytest.raises(InputError, match=r"text_encoder\.kind is clip, but maco reads texts as bert"):
        build_method("maco", {}, IMAGE, TEXT.model_copy(update={"kind": "clip"}), VOCABULARY)
