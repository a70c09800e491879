"""Manuscripts: a report rewritten as questions with answers, then verdicts (Masks & Manuscripts, Fig. 3).

``Is there pleural effusion in the left pleural space? Yes. … Verdict: pleural effusion present. …``
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from maskray.config.preprocessing import ReportsConfig
from maskray.errors import InputError
from maskray.reports.triplets import Exist, Spans, Triplet
from maskray.reports.vocabulary import FINDINGS, ancestors, finding_of_words

_ANSWERS: Mapping[Exist, str] = {"present": "Yes", "absent": "No", "uncertain": "Uncertain"}
_RANK: Mapping[Exist, int] = {"absent": 0, "uncertain": 1, "present": 2}
NOTHING_STATED = "Verdict: no finding stated."
# A finding with all that are present whenever it is; and the vocabulary's order.
_LINES = {name: [name, *(parent.name for parent in ancestors(finding))] for name, finding in FINDINGS.items()}
_ORDER = {name: number for number, name in enumerate(FINDINGS)}

Key = tuple[str, str]
K = TypeVar("K")
T = TypeVar("T")


class Evidence(NamedTuple):
    """The words of the report that one statement stands on, as characters ``[start, end)``.

    Attributes:
        finding: what names it: "effusion"; "heart" and "enlarged".
        place: what names its position.
        answer: what decides the answer: words that deny or doubt; of a plain presence the finding's own words. Empty
            where the source of the triplets denies or doubts and does not tell by which words.
    """

    finding: Spans
    place: Spans
    answer: Spans


@dataclass(frozen=True)
class Manuscript:
    """The text, and where its words come from.

    Attributes:
        text: observations, then verdicts.
        answers: spans ``[start, end)`` of the text: the answer of each observation, then the word of each verdict.
        evidence: for each observation the statements of the report that say so, in its order.
        grounds: for each verdict the observations it stands on, as indices into ``evidence``.
    """

    text: str
    answers: Spans
    evidence: tuple[tuple[Evidence, ...], ...] = ()
    grounds: tuple[tuple[int, ...], ...] = ()


def write_manuscript(triplets: Iterable[Triplet], config: ReportsConfig) -> Manuscript:
    """The manuscript of one report; the same triplets always give the same text.

    Observations stand in the order of their first mention. Of several statements on one entity and position, present
    wins over uncertain, and uncertain over absent. A report that states nothing becomes :data:`NOTHING_STATED`,
    without answers.
    """
    evidence = _evidence(triplets, config)
    if not evidence:
        return Manuscript(NOTHING_STATED, ())
    observations = {key: exist for key, (exist, _) in evidence.items()}
    pieces: list[tuple[str, str]] = []
    for (entity, position), exist in observations.items():
        place = f" in the {position}" if position else ""
        pieces.append((f"Is there {entity}{place}? ", _ANSWERS[exist]))
    decided = _grounded(observations)
    for name, (exist, _) in decided.items():
        pieces.append((f"Verdict: {FINDINGS[name].phrase} ", exist))
    text, answers = _assembled(pieces)
    return Manuscript(
        text,
        answers,
        tuple(tuple(map(_evidence_of, statements)) for _, statements in evidence.values()),
        tuple(tuple(grounds) for _, grounds in decided.values()),
    )


def merged(triplets: Iterable[Triplet], config: ReportsConfig) -> dict[Key, Exist]:
    """(entity, position) -> exist after the policy on uncertainty, in the order of first mention."""
    return {key: exist for key, (exist, _) in _evidence(triplets, config).items()}


def verdicts(observations: Mapping[Key, Exist]) -> dict[str, Exist]:
    """Name -> exist for each finding of the vocabulary that the observations decide, in the vocabulary's order.

    A finding that is present or uncertain makes its parents so; an absent one says nothing of them. "No Finding" is
    decided, as present, where something is denied and nothing abnormal is present or uncertain.
    """
    return {name: exist for name, (exist, _) in _grounded(observations).items()}


def _evidence(triplets: Iterable[Triplet], config: ReportsConfig) -> dict[Key, tuple[Exist, list[Triplet]]]:
    """(entity, position) -> exist, and the statements of the report that say so."""
    found: dict[Key, tuple[Exist, list[Triplet]]] = {}
    for triplet in triplets:
        exist = _decided(triplet, config)
        if exist is not None:
            key = (triplet.entity.lower(), triplet.position.lower())
            _strengthen(found, key, exist, triplet)
    return found


def _evidence_of(triplet: Triplet) -> Evidence:
    named = (triplet.start, triplet.end)
    finding = tuple(sorted((*triplet.owner, named))) if triplet.owner else (named,)
    return Evidence(finding, triplet.places, triplet.cues or (finding if triplet.exist == "present" else ()))


def _grounded(observations: Mapping[Key, Exist]) -> dict[str, tuple[Exist, list[int]]]:
    """Verdicts (see :func:`verdicts`) with the observations they stand on."""
    decided: dict[str, tuple[Exist, list[int]]] = {}
    is_normal = True
    for number, ((entity, _), exist) in enumerate(observations.items()):
        finding = finding_of_words(entity)
        is_normal = is_normal and (exist == "absent" or (finding is not None and not finding.is_abnormal))
        if finding is not None and not finding.is_vague:
            for name in [finding.name] if exist == "absent" else _LINES[finding.name]:
                _strengthen(decided, name, exist, number)
    denied = [number for number, exist in enumerate(observations.values()) if exist == "absent"]
    if is_normal and denied:
        decided["No Finding"] = ("present", denied)
    return {name: decided[name] for name in sorted(decided, key=_ORDER.__getitem__)}


def _strengthen(found: dict[K, tuple[Exist, list[T]]], key: K, exist: Exist, reason: T) -> None:
    """Note a statement and its reason: the stronger statement wins, and reasons of equal ones add up."""
    known = found.get(key)
    if known is None or _RANK[exist] > _RANK[known[0]]:
        found[key] = (exist, [reason])
    elif exist == known[0]:
        known[1].append(reason)


def _decided(triplet: Triplet, config: ReportsConfig) -> Exist | None:
    """What an observation counts as under the policy on uncertainty; None where it is dropped."""
    if triplet.exist != "uncertain":
        return triplet.exist
    policy = config.uncertain
    if config.uncertain_by_finding and (finding := finding_of_words(triplet.entity)):
        policy = config.uncertain_by_finding.get(finding.name, policy)
    if policy == "uncertain":
        return "uncertain"
    is_yes = policy == "positive" or (policy == "probable" and triplet.doubt == "probable")
    return "present" if is_yes else None


def check_policy(config: ReportsConfig) -> None:
    """:class:`InputError` where the table of policies names a finding that the vocabulary does not have."""
    for name in config.uncertain_by_finding:
        if name not in FINDINGS:
            raise InputError(f"reports.uncertain_by_finding: unknown finding '{name}'; allowed: {', '.join(FINDINGS)}")


def _assembled(pieces: Iterable[tuple[str, str]]) -> tuple[str, Spans]:
    text = ""
    answers = []
    for lead, answer in pieces:
        text += (" " if text else "") + lead
        answers.append((len(text), len(text) + len(answer)))
        text += answer + "."
    return text, tuple(answers)
