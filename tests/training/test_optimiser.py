"""Groups, rates and weight decay."""

import pytest
import torch
from torch import nn

from maskray.config.training import OptimisationConfig
from maskray.errors import InputError
from maskray.training.optimiser import build_optimiser, decaying_parameters, set_rates


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_its_steps_are_those_of_torch(name):
    ours, theirs = nn.Linear(3, 2), nn.Linear(3, 2)
    theirs.load_state_dict(ours.state_dict())
    settings = config(optimiser=name, weight_decay=0.1)
    shared = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
    plain = {
        "adamw": lambda groups: torch.optim.AdamW(groups, betas=settings.betas, **shared),
        "sgd": lambda groups: torch.optim.SGD(groups, momentum=settings.momentum, **shared),
    }
    groups = [{"params": [theirs.weight]}, {"params": [theirs.bias], "weight_decay": 0.0}]
    optimisers = {ours: build_optimiser(ours, {"all": list(ours.parameters())}, settings), theirs: plain[name](groups)}
    for _ in range(3):
        for model, optimiser in optimisers.items():
            optimiser.zero_grad()
            model(torch.ones(4, 3)).square().sum().backward()
            optimiser.step()
    assert torch.equal(ours.weight, theirs.weight)
    assert torch.equal(ours.bias, theirs.bias)
    assert ours.weight.requires_grad


class Parts(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)
        self.conv = nn.Conv2d(1, 2, 3)
        self.norm = nn.LayerNorm(3)
        self.words = nn.Embedding(5, 3)
        self.attention = nn.MultiheadAttention(4, 2)
        self.token = nn.Parameter(torch.zeros(1, 1, 3))
        self.positions = nn.Parameter(torch.zeros(1, 4, 3))
        self.temperature = nn.Parameter(torch.zeros(()))


def config(**changes):
    return OptimisationConfig(**({"batch_size": 4, "num_epochs": 1, "learning_rate": 0.1} | changes))


def test_weight_decay_on_weight_matrices_alone():
    parts = Parts()
    decaying = decaying_parameters(parts)
    names = {name for name, parameter in parts.named_parameters() if id(parameter) in decaying}
    assert names == {"linear.weight", "conv.weight", "attention.in_proj_weight", "attention.out_proj.weight"}


@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
def test_every_parameter_stands_once_with_its_rate(optimiser):
    parts = Parts()
    groups = {"image_encoder": list(parts.linear.parameters()) + list(parts.conv.parameters())}
    listed = {id(parameter) for parameter in groups["image_encoder"]}
    groups["rest"] = [parameter for parameter in parts.parameters() if id(parameter) not in listed]
    built = build_optimiser(parts, groups, config(optimiser=optimiser, group_learning_rates={"image_encoder": 0.01}))
    held = [id(parameter) for group in built.param_groups for parameter in group["params"]]
    assert sorted(held) == sorted(id(parameter) for parameter in parts.parameters())
    assert {group["name"]: group["lr"] for group in built.param_groups} == {"image_encoder": 0.01, "rest": 0.1}
    for group in built.param_groups:
        decays = {id(parameter) in decaying_parameters(parts) for parameter in group["params"]}
        assert decays == {group["weight_decay"] > 0}
    set_rates(built, 0.5)
    assert {group["name"]: group["lr"] for group in built.param_groups} == {
        "image_encoder": 0.005,
        "rest": 0.05,
    }


def test_frozen_parameters_are_left_out():
    parts = Parts()
    parts.linear.requires_grad_(False)
    built = build_optimiser(parts, {"rest": list(parts.parameters())}, config())
    held = {id(parameter) for group in built.param_groups for parameter in group["params"]}
    assert held.isdisjoint(id(parameter) for parameter in parts.linear.parameters())


def test_a_rate_for_an_unknown_group_names_the_groups():
    parts = Parts()
    with pytest.raises(InputError, match=r"no group encodr; its groups are image_encoder, rest"):
        build_optimiser(
            parts,
            {"image_encoder": [parts.token], "rest": []},
            config(group_learning_rates={"encodr": 1.0}),
        )
