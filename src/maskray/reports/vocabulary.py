"""The one vocabulary of findings (``findings.yaml``): names, phrases, synonyms, parents, data sets' spellings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskray.errors import InputError
from maskray.files import read_yaml

_TABLE = Path(__file__).with_name("findings.yaml")


@dataclass(frozen=True)
class Finding:
    """One row of the vocabulary.

    Attributes:
        name: unique name, in CheXpert's spelling where CheXpert has it.
        phrase: lower case, as manuscripts and prompts say it.
        synonyms: other words of reports, lower case, with their plurals.
        parents: names of the findings that are present whenever this one is.
        region: where it sits (a key of ``anatomy.yaml``), or None where a position says nothing.
        labels: data set -> its spelling.
        is_abnormal: False where the finding does not speak against "no finding".
        is_vague: True where only the denial says something ("no abnormality").
        lasts: True where the past is the present ("old fracture").
    """

    name: str
    phrase: str
    synonyms: tuple[str, ...]
    parents: tuple[str, ...]
    region: str | None
    labels: dict[str, str]
    is_abnormal: bool
    is_vague: bool
    lasts: bool


def read_findings(path: Path = _TABLE) -> dict[str, Finding]:
    """Name -> finding, in the order of the file; :class:`InputError` on an unknown parent or a word of two findings."""
    findings = {row["name"]: _finding(row) for row in read_yaml(path)}
    owner: dict[str, str] = {}
    for finding in findings.values():
        for parent in finding.parents:
            if parent not in findings:
                raise InputError(f"{path}: {finding.name}: unknown parent {parent}")
        for word in {finding.phrase, *finding.synonyms}:
            if owner.setdefault(word, finding.name) != finding.name:
                raise InputError(f"{path}: '{word}' stands under {owner[word]} and {finding.name}")
    return findings


def _finding(row: dict[str, Any]) -> Finding:
    return Finding(
        name=row["name"],
        phrase=row["phrase"],
        synonyms=tuple(with_plurals([row["phrase"], *row.get("synonyms", ())])),
        parents=tuple(row.get("parents", ())),
        region=row.get("region"),
        labels=row.get("labels", {}),
        is_abnormal=row.get("is_abnormal", True),
        is_vague=row.get("is_vague", False),
        lasts=row.get("lasts", False),
    )


def with_plurals(words: Iterable[str]) -> list[str]:
    """The words, each followed by its regular plural where it ends like a singular noun."""
    result: dict[str, None] = {}
    for word in (str(word).lower() for word in words):
        result[word] = None
        if word[-1].isalpha() and not word.endswith(("s", "x", "y", "ed")):
            result[word + "s"] = None
    return list(result)


FINDINGS: dict[str, Finding] = read_findings()
_BY_WORD = {word: finding for finding in FINDINGS.values() for word in finding.synonyms}


def _key(label: str) -> str:
    return label.replace("_", " ").strip().lower()


_BY_LABEL = {
    _key(spelling): finding
    for finding in reversed(FINDINGS.values())
    for spelling in (finding.name, *finding.labels.values())
}


def is_label(label: str) -> bool:
    """Whether this is a finding's name or a data set's label for it, and not just one of its words."""
    return _key(label) in _BY_LABEL


def finding_of_label(label: str) -> Finding:
    """The finding that a data set's label names, whatever its case and underscores; else :class:`InputError`.

    A label may also be any of a finding's words: "rib fracture".
    """
    finding = _BY_LABEL.get(_key(label)) or _BY_WORD.get(_key(label))
    if finding is None:
        allowed = ", ".join(sorted({name for f in FINDINGS.values() for name in (f.name, *f.labels.values())}))
        raise InputError(f"unknown label '{label}'; allowed: {allowed} (reports/findings.yaml)")
    return finding


def phrase(label: str) -> str:
    """How texts say a label: ``Pleural_Thickening`` -> "pleural thickening"; :class:`InputError` where unknown."""
    return finding_of_label(label).phrase


def finding_of_words(words: str) -> Finding | None:
    """The finding that these report words are a phrase or synonym of, or None."""
    return _BY_WORD.get(words.lower())


def ancestors(finding: Finding) -> list[Finding]:
    """Parents, their parents and so on, nearest first."""
    found: dict[str, Finding] = {}
    queue = list(finding.parents)
    while queue:
        name = queue.pop(0)
        if name not in found:
            found[name] = FINDINGS[name]
            queue.extend(FINDINGS[name].parents)
    return list(found.values())
