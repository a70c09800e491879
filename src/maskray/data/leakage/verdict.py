"""What was found, in words and as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from maskray.config.leakage import CheckStage
from maskray.data.leakage.findings import Finding, worst
from maskray.errors import InputError
from maskray.files import written_whole

SCHEMA_VERSION = 1
_NUM_NAMED = 10
_NUM_PAIRS = 100
_WHAT = {
    "image": "are in {place}",
    "patient": "are of patients in {place}",
    "picture": "look the same as films of other patients in {place}",
}
_ON_PURPOSE = "shared on purpose, as the split says (shared_patients: declare)"


def describe(finding: Finding, place: str) -> str:
    """One sentence without an end: how many films of the tested list are concerned."""
    what = _WHAT[finding.kind].format(place=place)
    return f"{finding.num_tested_films:,} of {finding.num_tested:,} films of {finding.tested} {what}"


def refuse(stage: CheckStage, findings: Sequence[Finding], pairs: Path) -> None:
    """Raise :class:`InputError` where a finding is an error; all pairs are written beside for people to look up."""
    errors = [finding for finding in findings if finding.verdict == "error"]
    if not errors:
        return
    write_pairs(errors, pairs)
    told = "; ".join(f"{describe(finding, finding.trained)}, e.g. {named(finding)}" for finding in errors)
    raise InputError(f"leakage: {told}. All pairs are in {pairs}. {_remedy(stage, errors)}")


def named(finding: Finding) -> str:
    """The first pairs, by their ids alone."""
    pairs = finding.pairs.head(_NUM_NAMED)
    texts = [tested if tested == trained else f"{tested} ~ {trained}" for trained, tested in pairs_of(pairs)]
    return ", ".join(texts) + (" …" if len(finding.pairs) > _NUM_NAMED else "")


def write_pairs(findings: Sequence[Finding], path: Path) -> None:
    """A CSV of all pairs: kind, the two lists, the two ids, and how near the pictures are."""
    tables = [f.pairs.assign(kind=f.kind, trained_list=f.trained, tested_list=f.tested) for f in findings]
    columns = ["kind", "trained_list", "trained", "tested_list", "tested", "distance", "correlation"]
    with written_whole(path) as partial:
        pd.concat(tables).reindex(columns=columns).to_csv(
            partial, index=False, lineterminator="\n", float_format="%.4f"
        )


def as_json(stage: CheckStage, findings: Sequence[Finding], num_films: Mapping[str, int]) -> dict[str, Any]:
    """The verdict file: counts, findings with the first pairs, and the flags that table cells carry."""
    return {
        "schema_version": SCHEMA_VERSION,
        "trained": stage.trained.name,
        "tested": stage.tested.name,
        "verdict": worst(findings),
        "relation": stage.relation,
        "compares_pictures": stage.leakage.pictures,
        "num_films": dict(num_films),
        "findings": [_plain(stage, finding) for finding in findings],
        "flags": [_flag(stage, finding) for finding in findings if _is_flagged(finding)],
    }


def pairs_of(pairs: pd.DataFrame) -> list[tuple[str, str]]:
    """(trained, tested) ids."""
    return list(zip(pairs["trained"], pairs["tested"], strict=True))


def _plain(stage: CheckStage, finding: Finding) -> dict[str, Any]:
    counts = {name: value for name, value in vars(finding).items() if name != "pairs"}
    pairs = finding.pairs.head(_NUM_PAIRS).round(4).to_dict("records")
    because = f": {_ON_PURPOSE}" if _is_on_purpose(stage, finding) else ""
    return counts | {"text": describe(finding, _place(stage, finding)) + because, "pairs": pairs}


def _is_flagged(finding: Finding) -> bool:
    """Cells speak of test films; what validation shares is for the report."""
    return finding.verdict == "declared" and finding.tested.endswith(" test")


def _flag(stage: CheckStage, finding: Finding) -> str:
    what = _WHAT[finding.kind].format(place=_place(stage, finding))
    reason = _ON_PURPOSE if _is_on_purpose(stage, finding) else stage.relation
    because = f": {reason}" if reason else ""
    return f"{finding.num_tested_films:,} of {finding.num_tested:,} test films {what}{because}"


def _place(stage: CheckStage, finding: Finding) -> str:
    if _is_task(stage):
        return f"the {finding.trained.rpartition(' ')[2].replace('train', 'training')} part"
    return f"the pre-training data {stage.trained.title}"


def _is_on_purpose(stage: CheckStage, finding: Finding) -> bool:
    return _is_task(stage) and stage.tested.shares_patients and finding.kind == "patient"


def _is_task(stage: CheckStage) -> bool:
    return stage.trained == stage.tested


def _remedy(stage: CheckStage, errors: Sequence[Finding]) -> str:
    scope = "task" if _is_task(stage) else "pretraining"
    keys = ", ".join(dict.fromkeys(f"leakage.{scope}.{finding.kind}" for finding in errors))
    if scope == "task":
        own = ", or of this split alone shared_patients: declare" if any(e.kind == "patient" for e in errors) else ""
        return (
            "Correct the lists so that each patient is in one part, or draw the parts by patient; to go on and say so "
            f"under the tables, set {keys}: declare{own}"
        )
    drop = f"{{{stage.tested.dataset}: [{stage.tested.protocol}]}}"
    return f"Take them out of pre-training with leakage.drop: {drop}, or say so under the tables with {keys}: declare"
