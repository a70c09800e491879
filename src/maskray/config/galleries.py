"""Which side-by-side galleries a run draws: the same films under the models of several variants of a paper."""

from __future__ import annotations

from typing import Any

from maskray.config.check import did_you_mean
from maskray.config.plan import Model, Plan
from maskray.errors import InputError


def galleries(plan: Plan, paper: str) -> list[str]:
    """The paper's galleries of which this run trains every variant anyway; a picture is no reason to train."""
    trained, seed = set(plan.models()), plan.seeds["pretrain"][0]
    names = plan.papers[paper].get("galleries", {})
    wanted = {name: gallery(plan, paper, name)["variants"].values() for name in names}
    return [name for name, variants in wanted.items() if {Model(paper, each, seed) for each in variants} <= trained]


def gallery(plan: Plan, paper: str, name: str) -> dict[str, Any]:
    """The settings of one gallery.

    Raises:
        InputError: the paper has no such gallery, or it names a variant that there is not or that is never trained.
    """
    source = f"config/papers/{paper}.yaml"
    settings = plan.papers[paper]
    found = settings.get("galleries", {})
    if name not in found:
        raise InputError(f"{source}: no gallery {name}{did_you_mean(name, found)}; there are: {', '.join(found)}")
    known = ["default", *settings.get("variants", {})]
    for variant in found[name]["variants"].values():
        if variant not in known:
            hint = did_you_mean(variant, known)
            raise InputError(f"{source}: galleries.{name}: no variant {variant}{hint}; there are: {', '.join(known)}")
        if not plan.is_trained(paper, variant):
            raise InputError(f"{source}: galleries.{name}: {variant} is not trained, and has nothing to show")
    return found[name]
