"""Who is examined, when, and what is found: drawn before anything is painted or written.

A study is a pure function of (data set, seed, number): each purpose has its own random stream, so that painting
a film without one of its findings leaves every other pixel as it was.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import numpy as np

from maskray.data.made.labels import COMPANIONS, CONFLICTS, SHARES, SITES

# Studies per patient within each block of consecutive studies: most patients come once, some return.
_BLOCK = (1, 2, 1, 3, 1)
_NONE_FRACTION = 0.32
_COUNT_SHARES = (0.40, 0.34, 0.18, 0.08)
_EXTRA_FRACTION = 0.1
# Data sets gathered for one disease hold more of it.
_COVIDX = {"Pneumonia": 4.0, "Consolidation": 4.0, "Infiltration": 6.0}
_BOOSTS = {
    "rsna": {"Pneumonia": 2.0},
    "siim": {"Pneumothorax": 4.0},
    "covidx": _COVIDX,
    "covid_chestxray": {"Pneumonia": 6.0},
    "covid_rural": {"Pneumonia": 12.0, "Infiltration": 12.0, "Consolidation": 6.0},
}
_DEVICES = (
    "endotracheal tube",
    "nasogastric tube",
    "right internal jugular central venous catheter",
    "left pectoral pacemaker",
    "median sternotomy wires",
    "right chest port",
)


@dataclass(frozen=True)
class Finding:
    """One thing painted: where, how large (0..1) and how surely the report names it."""

    label: str
    side: str = ""  # right, left, bilateral, or "" where sides make no sense; always the patient's
    zone: str = ""  # upper, mid, lower, or ""
    size: float = 0.5
    grade: int = 0  # 1 to 3, edema only
    count: int = 1
    kind: str = ""  # which device
    is_hedged: bool = False
    is_mentioned: bool = True


@dataclass(frozen=True)
class Study:
    """One visit of one patient."""

    dataset: str
    seed: int
    number: int
    patient: int
    visit: int
    num_visits: int
    sex: str
    age: int
    view: str
    has_lateral: bool
    findings: tuple[Finding, ...] = field(default_factory=tuple)

    def rng(self, purpose: str) -> np.random.Generator:
        """The study's random stream for one purpose."""
        return stream(self.dataset, self.seed, self.number, purpose)

    def person_rng(self) -> np.random.Generator:
        """The patient's random stream: the same in all visits."""
        return stream(self.dataset, self.seed, self.patient, "person")

    def labels(self) -> set[str]:
        """Names of what is painted."""
        return {finding.label for finding in self.findings}


def stream(dataset: str, seed: int, number: int, purpose: str) -> np.random.Generator:
    """A random stream that depends on its four arguments and nothing else."""
    return np.random.default_rng([seed, zlib.crc32(dataset.encode()), number, zlib.crc32(purpose.encode())])


def visit_of(number: int) -> tuple[int, int, int]:
    """Patient, visit and the patient's number of visits for a study number."""
    block, rest = divmod(number, sum(_BLOCK))
    for index, num_visits in enumerate(_BLOCK):
        if rest < num_visits:
            return block * len(_BLOCK) + index, rest, num_visits
        rest -= num_visits
    raise AssertionError("a block holds all of its studies")


def draw_study(dataset: str, seed: int, number: int) -> Study:
    """The study with this number."""
    patient, visit, num_visits = visit_of(number)
    person = stream(dataset, seed, patient, "who")
    sex = "F" if person.random() < 0.47 else "M"
    age = int(np.clip(person.normal(58, 17), 18, 95)) + visit
    rng = stream(dataset, seed, number, "study")
    view = "AP" if rng.random() < 0.35 else "PA"
    has_lateral = view == "PA" and rng.random() < 0.45
    findings = _draw_findings(rng, dataset, view)
    return Study(dataset, seed, number, patient, visit, num_visits, sex, age, view, has_lateral, tuple(findings))


def _draw_findings(rng: np.random.Generator, dataset: str, view: str) -> list[Finding]:
    boosts = _BOOSTS.get(dataset, {})
    weights = {label: share * boosts.get(label, 1.0) for label, share in SHARES.items()}
    chosen: list[str] = []
    if rng.random() >= _NONE_FRACTION:
        num_findings = 1 + int(rng.choice(len(_COUNT_SHARES), p=_COUNT_SHARES))
        while len(chosen) < num_findings:
            chosen.append(_draw_label(rng, weights, chosen))
        for extra in ("Fracture", "Enlarged Cardiomediastinum"):
            if rng.random() < _EXTRA_FRACTION and len(chosen) < len(_COUNT_SHARES):
                chosen.append(extra)
    findings: list[Finding] = []
    for label in chosen:
        findings.append(_draw_finding(rng, label, findings))
    if rng.random() < (0.4 if view == "AP" else 0.14):
        kind = str(rng.choice(_DEVICES))
        findings.append(Finding("Support Devices", kind=kind, is_mentioned=rng.random() < 0.92))
    return findings


def _draw_label(rng: np.random.Generator, weights: dict[str, float], chosen: list[str]) -> str:
    names = [name for name in weights if name not in chosen and not any(name in CONFLICTS.get(c, ()) for c in chosen)]
    raw = [weights[n] * np.prod([COMPANIONS.get(c, {}).get(n, 1.0) for c in chosen]) for n in names]
    return str(rng.choice(names, p=np.array(raw) / sum(raw)))


def _draw_finding(rng: np.random.Generator, label: str, placed: list[Finding]) -> Finding:
    sides, zones = SITES[label]
    taken = {(other.side, other.zone) for other in placed}
    for _ in range(5):
        side = str(rng.choice(sides)) if sides else ""
        zone = str(rng.choice(zones)) if zones else ""
        if (side, zone) not in taken:
            break
    return Finding(
        label,
        side=side,
        zone=zone,
        size=float(rng.random()),
        grade=int(rng.integers(1, 4)) if label == "Edema" else 0,
        count=int(rng.choice((1, 1, 2, 3))) if label == "Nodule" else 1,
        is_hedged=bool(rng.random() < 0.15),
        is_mentioned=bool(rng.random() < 0.93),
    )
