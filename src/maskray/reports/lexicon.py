"""The word lists of the report rules: anatomy, structures with their states, and cues (the YAML files beside this)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from maskray.files import read_yaml
from maskray.reports.phrases import expanded
from maskray.reports.vocabulary import FINDINGS, Finding, with_plurals

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Part:
    """A part of the anatomy. ``name`` is singular ("lung base"), ``plural`` goes with "bilateral"."""

    name: str
    plural: str
    region: str

    def on_side(self, side: str | None) -> str:
        """ "left" -> "left lung base", "bilateral" -> "bilateral lung bases", None -> "lung base"."""
        if side is None:
            return self.name
        return f"{side} {self.plural if side == 'bilateral' else self.name}"


@dataclass(frozen=True)
class Anatomy:
    """Where findings sit.

    Attributes:
        sides: report words -> side.
        parts: report words -> part.
        whole: report words -> position, where one word says side and part.
        default_parts: region of a finding -> the part meant by a side alone.
        located_by: region of a finding -> regions of the parts that can locate it.
    """

    sides: Mapping[str, str]
    parts: Mapping[str, Part]
    whole: Mapping[str, str]
    default_parts: Mapping[str, Part]
    located_by: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Structure:
    """Anatomy whose state is a finding: state -> finding stated; ``denied`` are those that a normal state denies."""

    states: Mapping[str, Finding]
    denied: tuple[Finding, ...]


@cache
def anatomy() -> Anatomy:
    """``anatomy.yaml``."""
    table = read_yaml(_FOLDER / "anatomy.yaml")
    parts = {row["name"]: Part(row["name"], row["plural"], row["region"]) for row in table["parts"]}
    return Anatomy(
        sides=_inverted(table["sides"]),
        parts={word: parts[row["name"]] for row in table["parts"] for word in with_plurals(row["words"])},
        whole=_inverted(table["whole"]),
        default_parts={region: parts[name] for region, name in table["default_parts"].items()},
        located_by={region: tuple(allowed) for region, allowed in table["located_by"].items()},
    )


@cache
def structures() -> tuple[dict[str, str], dict[str, Structure], dict[str, str]]:
    """``structures.yaml``: report words -> structure name, name -> structure, report words -> state."""
    table = read_yaml(_FOLDER / "structures.yaml")
    words = {word: name for name, row in table["structures"].items() for word in with_plurals(row["words"])}
    rows = {
        name: Structure(
            states={state: FINDINGS[finding] for state, finding in row["states"].items()},
            denied=tuple(FINDINGS[finding] for finding in row["denied_when_normal"]),
        )
        for name, row in table["structures"].items()
    }
    return words, rows, _inverted(table["states"])


@cache
def cues() -> dict[str, list[str]]:
    """``cues.yaml``: kind of cue -> its phrases, choices written out."""
    return _written_out(read_yaml(_FOLDER / "cues.yaml")["cues"])


@cache
def clause_words() -> dict[str, list[str]]:
    """``cues.yaml``: what parts clauses."""
    return _written_out(read_yaml(_FOLDER / "cues.yaml")["clauses"])


def _written_out(table: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return {kind: [phrase for pattern in rows for phrase in expanded(str(pattern))] for kind, rows in table.items()}


def _inverted(table: Mapping[str, list[str]]) -> dict[str, str]:
    return {str(word).lower(): name for name, words in table.items() for word in words}
