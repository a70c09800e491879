"""One check of the workflow: a pre-training part against the test part of another split, or the parts of one split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maskray.config.leakage import CheckStage
from maskray.data.leakage.excluded import read_excluded
from maskray.data.leakage.films import Films, identify
from maskray.data.leakage.findings import Finding, compare, resolved
from maskray.data.leakage.sources import SplitFiles, read_bridges, read_films, with_pictures

_PAIRS_OF_PARTS = (("train", "test"), ("validation", "test"), ("train", "validation"))


@dataclass(frozen=True)
class CheckFiles:
    """What one check reads.

    Attributes:
        tested: the split whose test part must be unseen.
        trained: the split whose training part is pre-trained on; None compares the parts of ``tested``.
        bridges: indexes that lead from films of the one to films of the other.
        excluded: the films that were taken out of the pre-training data.
    """

    tested: SplitFiles
    trained: SplitFiles | None = None
    bridges: Sequence[Path] = ()
    excluded: Path | None = None


@dataclass(frozen=True)
class Checked:
    """What was found, and the parts that were compared, by name."""

    findings: list[Finding]
    parts: dict[str, Films]


def check(stage: CheckStage, files: CheckFiles) -> Checked:
    """Compare what the stage names; what becomes of a finding stands in its verdict."""
    tables = [read_films(files.tested, stage.tested)]
    tables += [] if files.trained is None else [read_films(files.trained, stage.trained)]
    numbered = identify([*tables, *read_bridges(files.bridges, stage.bridges)])
    tested = with_pictures(stage.tested.name, numbered[0], files.tested)
    if files.trained is None:
        parts = {name: _part(tested, name) for name in ("train", "validation", "test")}
        pairs = [(parts[one], parts[other]) for one, other in _PAIRS_OF_PARTS]
        found = [f for one, other in pairs for f in compare(one, other, stage.leakage, stage.task)]
        return Checked(found, {part.name: part for part in parts.values()})
    test = _part(tested, "test")
    train = _part(with_pictures(stage.trained.name, numbered[1], files.trained), "train")
    is_out = train.table["image_id"].isin([] if files.excluded is None else read_excluded(files.excluded))
    kept = train.where(~is_out)
    found = compare(kept, test, stage.leakage, stage.leakage.pretraining)
    found += resolved(train.where(is_out), test, stage.leakage)
    return Checked(found, {part.name: part for part in (kept, test)})


def _part(films: Films, name: str) -> Films:
    return films.where(films.table["part"] == name, f"{films.name} {name}")
