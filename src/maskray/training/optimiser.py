"""The optimiser: a learning rate by parameter group of the method, weight decay on weight matrices only."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from maskray.config.training import OptimisationConfig
from maskray.errors import InputError

# Learned tokens, positions, temperatures, embeddings, norms and biases belong to no such layer, or have one axis.
_LAYERS_WITH_DECAY = (nn.Linear, nn.Bilinear, nn.MultiheadAttention, nn.modules.conv._ConvNd)


def _exempt_from_compilation() -> None:
    """Spare a job the import of torch's compiler (four seconds), which no job uses.

    torch imports it at the first optimiser, to make versions of ``add_param_group`` and others that are never
    compiled. It keeps those as an attribute of the plain function; here the plain function itself takes the place.
    A torch that keeps them elsewhere never looks at the attribute.
    """
    for wrapper in vars(Optimizer).values():
        plain = getattr(wrapper, "__wrapped__", None)
        if inspect.isfunction(plain) and not hasattr(plain, "__dynamo_disable"):
            plain.__dynamo_disable = plain  # type: ignore[attr-defined]


def _uncompiled(step: Callable[..., Any]) -> Callable[..., Any]:
    """An optimiser's ``step`` without its outer layer, which imports the compiler to tell it about ``no_grad``."""
    return torch.no_grad()(inspect.unwrap(step))


_exempt_from_compilation()


class AdamW(torch.optim.AdamW):
    """torch's AdamW, without its compiler."""

    step = _uncompiled(torch.optim.AdamW.step)


class SGD(torch.optim.SGD):
    """torch's SGD, without its compiler."""

    step = _uncompiled(torch.optim.SGD.step)


def build_optimiser(
    module: nn.Module, groups: Mapping[str, Sequence[nn.Parameter]], config: OptimisationConfig
) -> Optimizer:
    """AdamW or SGD over the method's parameter groups; ``name`` and ``base_rate`` are kept in each torch group.

    Args:
        module: owns the parameters; the kind of layer decides about weight decay.
        groups: name -> parameters, as the method declares them.
        config: rates by group name; a group without its own takes ``learning_rate``.

    Raises:
        InputError: a rate is given for a group that the method does not have.
    """
    strangers = sorted(set(config.group_learning_rates) - set(groups))
    if strangers:
        raise InputError(
            f"optimisation.group_learning_rates: the method has no group {', '.join(strangers)}; "
            f"its groups are {', '.join(groups)}"
        )
    decaying = decaying_parameters(module)
    torch_groups: list[dict[str, Any]] = []
    for name, parameters in groups.items():
        rate = config.group_learning_rates.get(name, config.learning_rate)
        trained = [parameter for parameter in parameters if parameter.requires_grad]
        for decays in (True, False):
            chosen = [parameter for parameter in trained if (id(parameter) in decaying) == decays]
            if chosen:
                decay = config.weight_decay if decays else 0.0
                torch_groups.append(
                    {"params": chosen, "name": name, "lr": rate, "base_rate": rate, "weight_decay": decay}
                )
    if config.optimiser == "sgd":
        return SGD(torch_groups, lr=config.learning_rate, momentum=config.momentum)
    return AdamW(torch_groups, lr=config.learning_rate, betas=config.betas)


def decaying_parameters(module: nn.Module) -> set[int]:
    """``id`` of every parameter that takes weight decay: the weight matrices and kernels of layers."""
    return {
        id(parameter)
        for layer in module.modules()
        if isinstance(layer, _LAYERS_WITH_DECAY)
        for parameter in layer.parameters(recurse=False)
        if parameter.ndim > 1
    }


def set_rates(optimiser: Optimizer, factor: float) -> None:
    """Set every group's learning rate to ``factor`` times its base."""
    for group in optimiser.param_groups:
        group["lr"] = factor * group["base_rate"]
