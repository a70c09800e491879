"""A batch in parts has the losses and the gradient of the whole, in float64."""

import pytest
import torch
from tests.methods.made_methods import made_batches, made_method

from maskray.config.training import RuntimeConfig
from maskray.errors import InputError
from maskray.methods import METHODS
from maskray.training.fabric import start_fabric
from maskray.training.parts import backward_in_parts, check_parts

# Batch norm needs its batch as one.
KNOBS = {"medim": {"guides": []}}


@pytest.fixture(autouse=True)
def _in_float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def batches_of(name):
    """Eight samples, with films in float64."""
    changed = []
    for batch in made_batches(name):
        fields = {key: getattr(batch, key) for key in batch.__dataclass_fields__}
        changed.append(type(batch)(**{k: v.double() if v.is_floating_point() else v for k, v in fields.items()}))
    return tuple(changed)


def method_of(name):
    return made_method(name, **KNOBS.get(name, {})).double().eval()


def gradients(method):
    return {name: p.grad for name, p in method.named_parameters() if p.grad is not None}


def outputs_of(losses):
    return {"losses": {**losses.terms, "total": losses.total()}, "measures": {}}


def in_parts(name, num_parts):
    method = method_of(name)
    fabric = start_fabric(RuntimeConfig())
    compute = lambda part, batches: outputs_of(method(*batches))  # noqa: E731
    outputs = backward_in_parts(fabric, fabric.setup_module(method), batches_of(name), num_parts, compute)
    return outputs["losses"], gradients(method)


@pytest.mark.parametrize("num_parts", [2, 4])
@pytest.mark.parametrize("name", METHODS)
def test_parts_equal_the_whole(name, num_parts):
    whole = method_of(name)
    expected = outputs_of(whole(*batches_of(name)))["losses"]
    expected["total"].backward()
    losses, found = in_parts(name, num_parts)
    assert set(losses) == set(expected)
    for key, value in expected.items():
        assert losses[key].item() == pytest.approx(value.item(), rel=1e-6), key  # summed up in float32 for the log
    wanted = gradients(whole)
    assert set(found) == set(wanted)
    for key, gradient in wanted.items():
        # MaCo gathers its scores in float32.
        rtol, atol = (1e-4, 1e-6) if key.startswith("scorer") else (1e-9, 1e-12)
        assert torch.allclose(found[key], gradient, rtol=rtol, atol=atol), key


def test_plain_accumulation_would_not():
    """The difference that the above would show."""
    whole, parted = method_of("mnm"), method_of("mnm")
    whole(*batches_of("mnm")).total().backward()
    for part in batches_of("mnm")[0].split(2):
        (parted(part).total() / 2).backward()
    wanted = gradients(whole)
    assert any(not torch.allclose(gradient, wanted[key], rtol=1e-2) for key, gradient in gradients(parted).items())


def test_what_cannot_be_parted_is_said():
    with pytest.raises(InputError, match="3 equal parts of 8 films are not possible"):
        check_parts(method_of("mnm"), 8, 3)
    with pytest.raises(InputError, match=r"decoder.* is a batch norm"):
        check_parts(made_method("medim"), 8, 2)
    check_parts(made_method("medim"), 8, 1)
