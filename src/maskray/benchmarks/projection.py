"""What the papers' full pre-training would cost on the hardware that was measured, with the arithmetic."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maskray.benchmarks.measure import Row
from maskray.files import read_yaml
from maskray.methods import METHODS

# MIMIC-CXR-JPG 2.0.0's official training part, of 377,110 films (doi 10.1038/s41597-019-0322-0).
_OFFICIAL_TRAINING_PART = 368_960
# "Over 210,000" frontal pairs, of them 80 % (MedIM, Sec. 3.1).
_NUM_FILMS = {"medim": 168_000}
_SECONDS_PER_HOUR = 3600


@dataclasses.dataclass(frozen=True)
class Projection:
    """Hours of a paper's pre-training at the images a second of its measured step.

    Attributes:
        arithmetic: how ``num_images`` comes about: epochs, films, steps of a first phase.
        num_images: films with their reports, each as often as it is taken.
    """

    paper: str
    arithmetic: str
    num_images: int
    images_per_second: float
    hours: float

    def as_values(self) -> dict[str, Any]:
        """For JSON."""
        return dataclasses.asdict(self)


def project(rows: Sequence[Row], top: Path) -> list[Projection]:
    """One for each method whose step at the paper's size is among ``rows``; ``top`` is the repository."""
    rates = {name: row.ours.median for name in METHODS for row in rows if f"step, {name}, ViT-B/16" in row.what}
    return [_project(name, rate, top) for name, rate in rates.items()]


def _project(name: str, images_per_second: float, top: Path) -> Projection:
    optimisation = read_yaml(top / "config/papers" / f"{name}.yaml")["pretrain"]["optimisation"]
    num_films, num_epochs = _NUM_FILMS.get(name, _OFFICIAL_TRAINING_PART), optimisation["num_epochs"]
    first_steps, batch_size = sum(optimisation.get("phase_steps", ())), optimisation["batch_size"]
    first_phase = f"{first_steps:,} steps x {batch_size} + " if first_steps else ""
    num_images = first_steps * batch_size + num_epochs * num_films
    return Projection(
        paper=name,
        arithmetic=f"{first_phase}{num_epochs} epochs x {num_films:,} films",
        num_images=num_images,
        images_per_second=images_per_second,
        hours=num_images / images_per_second / _SECONDS_PER_HOUR,
    )
