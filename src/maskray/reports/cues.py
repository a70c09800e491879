"""Whether a finding is present, absent or uncertain, by the cues around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

_MAX_BACKWARD_GAP = 6
_MAX_BETWEEN_GAP = 4
_COORDINATION = frozenset({"and", "or", "/", "versus", "vs", "vs.", "and/or"})

Span = tuple[int, int]


@dataclass(frozen=True)
class Cue:
    """A cue of one kind (``uncertainty_before``, ``ignored_after`` …; see ``cues.yaml``) at tokens ``[start, end)``."""

    kind: str
    start: int
    end: int


def exist_of(
    target: Span,
    mentions: Sequence[Span],
    cues: Sequence[Cue],
    words: Sequence[str],
    clause: Span,
    is_negated: bool,
) -> Literal["present", "absent", "uncertain"] | None:
    """What the clause says of the finding at tokens ``target``; None where it speaks of history, a question or a plan.

    Args:
        target: tokens of the finding's name.
        mentions: tokens of all findings of the clause, in order, the target among them.
        cues: cues of the sentence.
        words: lower-case tokens of the sentence.
        clause: tokens of the clause.
        is_negated: what the negation detector says.
    """
    near = [cue for cue in cues if clause[0] <= cue.start < clause[1]]
    if _is_ignored(target, cues, near, words):
        return None
    if _looks_forward(target, near, "uncertainty_strong_before") or any(
        _looks_back(target, cue, mentions, words) for cue in near if cue.kind == "uncertainty_strong_after"
    ):
        return "uncertain"
    if is_negated:
        return "absent"
    is_uncertain = (
        _looks_forward(target, near, "uncertainty_before")
        or any(
            _looks_back(target, cue, mentions, words) and not _something_follows(cue, mentions)
            for cue in near
            if cue.kind == "uncertainty_after"
        )
        or any(
            _stands_beside(target, cue, mentions) and "change" not in words[clause[0] : cue.start]
            for cue in near
            if cue.kind == "uncertainty_between"
        )
    )
    return "uncertain" if is_uncertain else "present"


def _is_ignored(target: Span, cues: Sequence[Cue], near: Sequence[Cue], words: Sequence[str]) -> bool:
    heads = [cue for cue in cues if cue.kind == "ignored_before" and words[cue.end : cue.end + 1] == [":"]]
    return (
        _looks_forward(target, near, "ignored_before")
        or any(cue.end <= target[0] for cue in heads)
        or any(cue.kind == "ignored_after" and cue.start == target[1] for cue in near)
    )


def _looks_forward(target: Span, cues: Sequence[Cue], kind: str) -> bool:
    return any(cue.kind == kind and cue.end <= target[0] for cue in cues)


def _something_follows(cue: Cue, mentions: Sequence[Span]) -> bool:
    return any(start >= cue.end for start, _ in mentions)


def _looks_back(target: Span, cue: Cue, mentions: Sequence[Span], words: Sequence[str]) -> bool:
    """True where the cue speaks of the target: the nearest finding before it, or one joined to that by "and", "or"."""
    before = [span for span in mentions if span[1] <= cue.start]
    if target not in before or cue.start - before[-1][1] > _MAX_BACKWARD_GAP:
        return False
    for earlier, later in zip(before[before.index(target) :], before[before.index(target) + 1 :], strict=False):
        if not _COORDINATION & set(words[earlier[1] : later[0]]):
            return False
    return True


def _stands_beside(target: Span, cue: Cue, mentions: Sequence[Span]) -> bool:
    """True for the findings right before and right after "versus" or "or"."""
    before = [span for span in mentions if span[1] <= cue.start and cue.start - span[1] <= 1]
    after = [span for span in mentions if cue.end <= span[0] <= cue.end + _MAX_BETWEEN_GAP]
    return bool(before and after) and target in (before[-1], after[0])
