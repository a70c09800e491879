"""The page of one leakage check: counts, verdicts, pairs, and films that look the same side by side."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from markupsafe import Markup
from PIL import Image

from maskray.config.leakage import CheckStage
from maskray.data.leakage.check import Checked, CheckFiles, check
from maskray.data.leakage.films import Films
from maskray.data.leakage.findings import Finding
from maskray.data.leakage.verdict import as_json, refuse
from maskray.files import write_json, write_text
from maskray.tables.render import environment, style

_NUM_EXAMPLES = 12
_SHOWN_PX = 128


@dataclass(frozen=True)
class Example:
    """Two films that look the same."""

    trained: str
    tested: str
    distance: int
    correlation: float
    uris: tuple[str, str]


def write_check(stage: CheckStage, files: CheckFiles, verdict: Path, page: Path) -> None:
    """Check, and write the verdict and the page.

    Raises:
        InputError: a finding is an error by the settings; all pairs then stand in ``<verdict>.leaks.csv``.
    """
    checked = check(stage, files)
    refuse(stage, checked.findings, verdict.with_suffix(".leaks.csv"))
    write_text(page, render_page(stage, checked))
    write_json(verdict, as_json(stage, checked.findings, {name: len(part) for name, part in checked.parts.items()}))


def render_page(stage: CheckStage, checked: Checked) -> str:
    """The page; it needs no other file and no network."""
    told = as_json(stage, checked.findings, {name: len(part) for name, part in checked.parts.items()})
    examples = [
        example for finding in checked.findings if finding.kind == "picture" for example in _examples(finding, checked)
    ]
    template = environment().get_template("leakage.html.j2")
    sheet = style() + resources.files("maskray.tables").joinpath("report.css").read_text("utf-8")
    return template.render(stage=stage, told=told, examples=examples, style=Markup(sheet))  # noqa: S704


def _examples(finding: Finding, checked: Checked) -> list[Example]:
    pairs = finding.pairs.head(_NUM_EXAMPLES)
    # What was taken out is not among the parts any more.
    sides = [checked.parts.get(name) for name in (finding.trained, finding.tested)]
    if finding.verdict == "resolved" or None in sides:
        return []
    pictures = [
        _pictures(films, pairs[side]) for films, side in zip(sides, ("trained", "tested"), strict=True) if films
    ]
    rows = zip(pairs.itertuples(), *pictures, strict=True)
    return [
        Example(row.trained, row.tested, int(row.distance), float(row.correlation), (one, other))
        for row, one, other in rows
    ]


def _pictures(films: Films, image_ids: list[str]) -> list[str]:
    """Small PNG pictures as data addresses; as the guard saw the films, stretched to a square."""
    if films.pictures is None:
        return []
    row_of = {image_id: row for row, image_id in enumerate(films.table["image_id"])}
    shrunk = films.pictures.shrunk(np.array([row_of[image_id] for image_id in image_ids]))
    uris = []
    for film in shrunk:
        buffer = io.BytesIO()
        picture = Image.fromarray(np.rint(film.clip(0, 255)).astype(np.uint8))
        picture.resize((_SHOWN_PX, _SHOWN_PX), Image.Resampling.BICUBIC).save(buffer, "PNG")
        uris.append("data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii"))
    return uris
