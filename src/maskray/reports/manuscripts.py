"""Manuscripts: a report rewritten as questions with answers, then verdicts (Masks & Manuscripts, Fig. 3).

``Is there pleural effusion in the left pleural space? Yes. … Verdict: pleural effusion present. …``
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from maskray.config.preprocessing import ReportsConfig
from maskray.reports.triplets import Exist, Triplet
from maskray.reports.vocabulary import FINDINGS, ancestors, finding_of_words

_ANSWERS: Mapping[Exist, str] = {"present": "Yes", "absent": "No", "uncertain": "Uncertain"}
_RANK: Mapping[Exist, int] = {"absent": 0, "uncertain": 1, "present": 2}
NOTHING_STATED = "Verdict: no finding stated."


@dataclass(frozen=True)
class Manuscript:
    """The text, and the spans ``[start, end)`` of its answers and verdict words, in order."""

    text: str
    answers: tuple[tuple[int, int], ...]


def write_manuscript(triplets: Iterable[Triplet], config: ReportsConfig) -> Manuscript:
    """The manuscript of one report; the same triplets always give the same text.

    Observations stand in the order of their first mention. Of several statements on one entity and position, present
    wins over uncertain, and uncertain over absent. A report that states nothing becomes :data:`NOTHING_STATED`,
    without answers.
    """
    observations = merged(triplets, config)
    if not observations:
        return Manuscript(NOTHING_STATED, ())
    pieces: list[tuple[str, str]] = []
    for (entity, position), exist in observations.items():
        place = f" in the {position}" if position else ""
        pieces.append((f"Is there {entity}{place}? ", _ANSWERS[exist]))
    for name, exist in verdicts(observations).items():
        pieces.append((f"Verdict: {FINDINGS[name].phrase} ", exist))
    return _assembled(pieces)


def merged(triplets: Iterable[Triplet], config: ReportsConfig) -> dict[tuple[str, str], Exist]:
    """(entity, position) -> exist after the policy on uncertainty, in the order of first mention."""
    observations: dict[tuple[str, str], Exist] = {}
    for triplet in triplets:
        exist = _decided(triplet, config)
        if exist is None:
            continue
        key = (triplet.entity.lower(), triplet.position.lower())
        observations[key] = _stronger(observations.get(key), exist)
    return observations


def _decided(triplet: Triplet, config: ReportsConfig) -> Exist | None:
    """What an observation counts as under the policy on uncertainty; None where it is dropped."""
    if triplet.exist != "uncertain":
        return triplet.exist
    policy: str = config.uncertain
    if policy == "by_finding":
        finding = finding_of_words(triplet.entity)
        name = finding.name if finding else ""
        policy = config.uncertain_by_finding.get(name) or (finding.uncertain if finding else "probable")
    if policy == "probable":
        policy = "positive" if triplet.doubt == "probable" else "drop"
    return {"positive": "present", "uncertain": "uncertain"}.get(policy)  # type: ignore[return-value]


def verdicts(observations: Mapping[tuple[str, str], Exist]) -> dict[str, Exist]:
    """Name -> exist for each finding of the vocabulary that the observations decide, in the vocabulary's order.

    A finding that is present or uncertain makes its parents so; an absent one says nothing of them. "No Finding" is
    decided, as present, where something is denied and nothing abnormal is present or uncertain.
    """
    decided: dict[str, Exist] = {}
    for (entity, _), exist in observations.items():
        finding = finding_of_words(entity)
        if finding is None or finding.is_vague:
            continue
        for each in [finding, *(ancestors(finding) if exist != "absent" else [])]:
            decided[each.name] = _stronger(decided.get(each.name), exist)
    is_normal = not any(
        exist != "absent" and (finding is None or finding.is_abnormal)
        for (entity, _), exist in observations.items()
        for finding in [finding_of_words(entity)]
    )
    if is_normal and "absent" in observations.values():
        decided["No Finding"] = "present"
    return {name: decided[name] for name in FINDINGS if name in decided}


def _stronger(one: Exist | None, other: Exist) -> Exist:
    return other if one is None or _RANK[other] > _RANK[one] else one


def _assembled(pieces: Iterable[tuple[str, str]]) -> Manuscript:
    text = ""
    answers = []
    for lead, answer in pieces:
        text += (" " if text else "") + lead
        answers.append((len(text), len(text) + len(answer)))
        text += answer + "."
    return Manuscript(text, tuple(answers))
