"""Which named anatomy a finding sits in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from maskray.reports.lexicon import Part, anatomy
from maskray.reports.phrases import Match
from maskray.reports.vocabulary import Finding

_MAX_BEFORE = 4
_MAX_AFTER = 9
_MAX_SIDE_GAP = 4
_PREPOSITIONS = frozenset({
    "in", "of", "at", "within", "over", "overlying", "involving", "along", "near", "throughout", "to", "on", "about",
    "bilaterally", "adjacent", "projecting",
})  # fmt: skip
_LINKS = frozenset({"and", "or", ",", "/", "the", "&", "as", "well", "a", "to", "-"})


class Place(NamedTuple):
    """Anatomy named by tokens ``[start, end)``: a side, a part, or both."""

    start: int
    end: int
    side: str | None
    part: Part | None
    whole: str | None = None

    def name_for(self, region: str | None) -> str:
        """The position of a finding of this region; empty where the place cannot locate it."""
        if self.whole is not None:
            return self.whole if "lung" in anatomy().located_by.get(region or "", ()) else ""
        part = self.part or anatomy().default_parts.get(region or "")
        if part is None or part.region not in anatomy().located_by.get(region or "", ()):
            return ""
        return part.on_side(self.side)


def places(matches: Sequence[Match], words: Sequence[str]) -> list[Place]:
    """Places of one sentence from the matches of anatomy's words, in order; a side joins the part after it."""
    if not matches:
        return []
    lexicon = anatomy()
    found: list[Place] = []
    sides: list[tuple[int, int, str]] = []
    for start, end, _, text in matches:
        if text in lexicon.sides:
            sides.append((start, end, lexicon.sides[text]))
        elif text in lexicon.whole:
            found.append(Place(start, end, None, None, lexicon.whole[text]))
        else:
            found += _sided(start, end, lexicon.parts[text], sides, words)
    used = [(place.start, place.end) for place in found]
    alone = [
        Place(start, end, side, None)
        for start, end, side in sides
        if not any(first <= start < last for first, last in used)
    ]
    return sorted(found + alone, key=lambda place: place.start)


def _sided(
    start: int, end: int, part: Part, sides: Sequence[tuple[int, int, str]], words: Sequence[str]
) -> list[Place]:
    """The part with each side before it: "right and left lower lobe" are two places."""
    near = [
        side
        for side in sides
        if 0 <= start - side[1] <= _MAX_SIDE_GAP and not {",", "with", "of"} & set(words[side[1] : start])
    ]
    if not near:
        return [Place(start, end, None, part)]
    last = near[-1]
    joined = [side for side in near if side is last or set(words[side[1] : last[0]]) <= _LINKS]
    return [Place(first, end, side, part) for first, _, side in joined]


def positions_of(
    finding: Finding,
    start: int,
    end: int,
    nearby: Sequence[Place],
    words: Sequence[str],
    is_finding: Sequence[bool],
) -> dict[str, list[tuple[int, int]]]:
    """Positions of the finding named by tokens ``[start, end)``, in the order of the text, with the tokens that say so;
    empty where none is named.

    Args:
        finding: what is to be located.
        start: first token of its name.
        end: token after its name.
        nearby: the places of its clause.
        words: lower-case tokens of the sentence.
        is_finding: True on tokens that belong to the name of any finding.
    """
    region = finding.region
    fitting = [place for place in nearby if place.name_for(region)]
    if not fitting:
        return {}
    # "bilateral lung opacities": the place reaches into the name; "lung opacities" alone names no place.
    inside = [
        p for p in fitting if p.start < end and p.end > start and (p.side or p.whole or p.name_for(region) != "lung")
    ]
    before = [p for p in fitting if p.end <= start and _modifies(p.end, start, words, is_finding)]
    after = [p for p in fitting if p.start >= end and _is_location(end, p.start, words, is_finding)]
    if inside:
        anchor = inside[-1]
    elif before and not (after and before[-1].part is None):
        anchor = before[-1]
    elif after:
        anchor = after[0]
    else:
        return {}
    first = last = fitting.index(anchor)
    while last + 1 < len(fitting) and _joins(fitting[last + 1], fitting[last], words):
        last += 1
    while first and _joins(fitting[first], fitting[first - 1], words):
        first -= 1
    named: dict[str, list[tuple[int, int]]] = {}
    for place in fitting[first : last + 1]:
        named.setdefault(place.name_for(region), []).append((place.start, place.end))
    return named


def _modifies(end: int, start: int, words: Sequence[str], is_finding: Sequence[bool]) -> bool:
    """ "left lower lobe patchy opacity", "left base atelectasis and scarring": near, with at most findings between."""
    gap = [word for i, word in enumerate(words[end:start], end) if not is_finding[i]]
    if len(gap) > _MAX_BEFORE or {"with", ";", "is", "are"} & set(gap):
        return False
    return any(is_finding[end:start]) or not {"and", ",", "or"} & set(gap)


def _is_location(end: int, start: int, words: Sequence[str], is_finding: Sequence[bool]) -> bool:
    """ "opacity is seen in the right upper lobe": a preposition, or "opacities bilaterally"."""
    gap = [word for i, word in enumerate(words[end:start], end) if not is_finding[i]]
    if len(gap) > _MAX_AFTER or {"with", ";"} & set(gap):
        return False
    return bool(_PREPOSITIONS & {*gap, words[start]}) or gap in ([], [","]) or gap[0] == ":"


def _joins(later: Place, earlier: Place, words: Sequence[str]) -> bool:
    """ "right and left lower lobe" (which share their part), "right upper lobe and left base"."""
    if earlier.end == later.end:
        return True
    return earlier.end <= later.start and set(words[earlier.end : later.start]) <= _LINKS
