"""What two lists of films share: films, patients, and pictures that look the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from maskray.config.leakage import LeakageConfig, LeakagePolicies
from maskray.data.leakage.films import Films
from maskray.data.leakage.pictures import look_alikes

Kind = Literal["image", "patient", "picture"]
Verdict = Literal["error", "declared", "resolved"]
KINDS: tuple[Kind, ...] = ("image", "patient", "picture")
_VERDICTS: dict[str, Verdict] = {"declare": "declared", "error": "error"}


@dataclass(frozen=True)
class Finding:
    """One kind of overlap between two lists.

    Attributes:
        num_tested_films: films of the tested list that are concerned, of ``num_tested`` in it.
        num_tested_people: people of the tested list that are concerned.
        num_trained_films: films of the trained list that are concerned.
        pairs: trained and tested (ids), one row for each tested film that is concerned; distance and correlation where
            pictures were compared.
    """

    kind: Kind
    verdict: Verdict
    trained: str
    tested: str
    num_tested: int
    num_tested_films: int
    num_tested_people: int
    num_trained_films: int
    pairs: pd.DataFrame


def compare(trained: Films, tested: Films, config: LeakageConfig, policies: LeakagePolicies) -> list[Finding]:
    """What the two lists share, each tested film under the first kind that holds: image, patient, picture."""
    found = [_shared("image", "film", trained, tested)]
    others = tested.where(~tested.table["image_id"].isin(found[0]["tested"]))
    found.append(_shared("patient", "person", trained, others))
    pairs = look_alikes(trained, tested, config)
    for side, films in (("trained", trained), ("tested", tested)):
        pairs[side] = films.table["image_id"].to_numpy()[pairs[side].astype(int)]
    found.append(pairs.assign(kind="picture"))
    return [_finding(pairs, trained, tested, policies) for pairs in found if len(pairs)]


def resolved(excluded: Films, tested: Films, config: LeakageConfig) -> list[Finding]:
    """What would be shared, were ``excluded`` not taken out."""
    return [replace(found, verdict="resolved") for found in compare(excluded, tested, config, LeakagePolicies())]


def worst(findings: Sequence[Finding]) -> Verdict | Literal["none"]:
    """The gravest verdict among the findings."""
    for verdict in ("error", "declared", "resolved"):
        if any(finding.verdict == verdict for finding in findings):
            return verdict
    return "none"


def _shared(kind: Kind, column: str, trained: Films, tested: Films) -> pd.DataFrame:
    """Each tested film with the first trained film of equal number."""
    first = trained.table.drop_duplicates(column).set_index(column)["image_id"]
    shared = tested.table[tested.table[column].isin(first.index)]
    return pd.DataFrame(
        {"trained": shared[column].map(first).to_numpy(), "tested": shared["image_id"].to_numpy(), "kind": kind}
    )


def _finding(pairs: pd.DataFrame, trained: Films, tested: Films, policies: LeakagePolicies) -> Finding:
    kind: Kind = pairs["kind"].iloc[0]
    concerned = tested.table[tested.table["image_id"].isin(pairs["tested"])]
    column = {"image": "film", "patient": "person"}.get(kind)
    if column is None:
        num_trained = pairs["trained"].nunique()
    else:
        num_trained = int(trained.table[column].isin(concerned[column]).sum())
    return Finding(
        kind=kind,
        verdict=_VERDICTS[getattr(policies, kind)],
        trained=trained.name,
        tested=tested.name,
        num_tested=len(tested),
        num_tested_films=len(concerned),
        num_tested_people=concerned["person"].nunique(),
        num_trained_films=int(num_trained),
        pairs=pairs.drop(columns="kind").reset_index(drop=True),
    )
