"""Whether a finding is present, absent or uncertain, by the cues of its clause (their lists: ``cues.yaml``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from maskray.reports.phrases import Match

_MAX_BACKWARD_GAP = 6
_MAX_BETWEEN_GAP = 4
_MAX_PAST_GAP = 3
_COORDINATION = frozenset({"and", "or", "/", "versus", "vs", "+", "&", "nor"})
_NOUN_ENDS = frozenset({",", "and", "or", "is", "are", "was", "were", "with"})

Span = tuple[int, int]
Near = Mapping[str, Sequence[Match]]
# Two grades of doubt: "probably", "atelectasis or scarring" (one of the two is there); and "may represent".
Said = Literal["present", "absent", "probable", "possible"]


class Saying(NamedTuple):
    """What is said, and the words of the cues that say so; none of a plain presence."""

    said: Said
    cues: Sequence[Span] = ()


def cues_of(clause: Span, cues: Sequence[Match], words: Sequence[str]) -> Near:
    """Those of a clause by what they say, and those that head the whole sentence ("Indication: cough, effusion")."""
    near: dict[str, list[Match]] = {}
    for cue in cues:
        is_heading = cue.kind == "ignored_before" and words[cue.end : cue.end + 1] == [":"]
        if is_heading or clause[0] <= cue.start < clause[1]:
            near.setdefault(cue.kind.rpartition("_")[0], []).append(cue)
    return near


def said_of(
    target: Span, mentions: Sequence[Span], near: Near, words: Sequence[str], clause: Span, lasts: bool
) -> Saying | None:
    """What the clause says of the finding at words ``target``; None where it speaks of history, a question or a plan.

    Args:
        target: words of the finding's name.
        mentions: words of all findings of the clause, in order, the target among them.
        near: :func:`cues_of` the clause.
        words: words of the sentence.
        clause: words of the clause.
        lasts: True for a finding that stays ("old fracture"): its past is its present.
    """
    if not near:
        return Saying("present")
    if _is_ignored(target, near):
        return None
    if strong := _speaking(target, near, mentions, words, "uncertainty_strong"):
        return Saying("possible", _words(strong))
    if denials := _speaking(target, near, mentions, words, "negation"):
        return Saying("absent", _words(denials))
    if not lasts and _is_past(target, near, words):
        return None
    if doubts := _doubting(target, near, mentions, words, "uncertainty"):
        return Saying("possible", _words(doubts))
    choices = [
        cue
        for cue in near.get("uncertainty", ())
        if cue.kind == "uncertainty_between"
        and _stands_beside(target, cue, mentions)
        and "change" not in words[clause[0] : cue.start]
    ]
    likely = choices + _doubting(target, near, mentions, words, "probable")
    return Saying("probable", _words(likely)) if likely else Saying("present")


def _words(cues: Sequence[Match]) -> list[Span]:
    return [(cue.start, cue.end) for cue in cues]


def _doubting(target: Span, near: Near, mentions: Sequence[Span], words: Sequence[str], kind: str) -> list[Match]:
    """Cues of doubt that reach the target; one that looks back speaks of nothing where a finding follows it."""
    return [
        cue
        for cue in _speaking(target, near, mentions, words, kind)
        if not (cue.kind.endswith("_after") and _something_follows(cue, mentions))
    ]


def _is_ignored(target: Span, near: Near) -> bool:
    return any(
        cue.end <= target[0] if cue.kind == "ignored_before" else cue.start == target[1]
        for cue in near.get("ignored", ())
    )


def _is_past(target: Span, near: Near, words: Sequence[str]) -> bool:
    """ "Prior left pneumonia", "pneumonia on the prior exam"."""
    return any(
        0 <= target[0] - cue.end <= _MAX_PAST_GAP and _NOUN_ENDS.isdisjoint(words[cue.end : target[0]])
        if cue.kind == "past_before"
        else cue.start == target[1]
        for cue in near.get("past", ())
    )


def _speaking(target: Span, near: Near, mentions: Sequence[Span], words: Sequence[str], kind: str) -> list[Match]:
    """The cues of this kind that reach the target: before it, right after it, or as the answer at its clause's end."""
    return [cue for cue in near.get(kind, ()) if _reaches(cue, target, mentions, words)]


def _reaches(cue: Match, target: Span, mentions: Sequence[Span], words: Sequence[str]) -> bool:
    if cue.kind.endswith("_before"):
        return cue.end <= target[0]
    if cue.kind.endswith("_answer"):
        return target[1] <= cue.start
    return cue.kind.endswith("_after") and _looks_back(target, cue, mentions, words)


def _something_follows(cue: Match, mentions: Sequence[Span]) -> bool:
    return any(start >= cue.end for start, _ in mentions)


def _looks_back(target: Span, cue: Match, mentions: Sequence[Span], words: Sequence[str]) -> bool:
    """True where the cue speaks of the target: the nearest finding before it, or one joined to that ("A, B and C")."""
    before = [span for span in mentions if span[1] <= cue.start]
    if target not in before or cue.start - before[-1][1] > _MAX_BACKWARD_GAP:
        return False
    is_list = False
    for i in range(len(before) - 1, before.index(target), -1):
        gap = words[before[i - 1][1] : before[i][0]]
        is_joined = not _COORDINATION.isdisjoint(gap)
        if not (is_joined or (is_list and "," in gap)):
            return False
        is_list = True
    return True


def _stands_beside(target: Span, cue: Match, mentions: Sequence[Span]) -> bool:
    """True for the findings right before and right after "versus" or "or"."""
    before = [span for span in mentions if span[1] <= cue.start and cue.start - span[1] <= 1]
    after = [span for span in mentions if cue.end <= span[0] <= cue.end + _MAX_BETWEEN_GAP]
    return bool(before and after) and target in (before[-1], after[0])
