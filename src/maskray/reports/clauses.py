"""Where clauses begin in a tokenised sentence: a negation or an uncertainty reaches to the end of its clause."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from maskray.reports.lexicon import cues

_BREAKS = frozenset({";", ":", "--", "."})
_JOINERS = frozenset({",", "and"})
_DETERMINERS = frozenset({"a", "an", "the", "this", "these"})


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(cues()["clauses"][name])


def clause_starts(words: Sequence[str], kinds: Sequence[str]) -> list[bool]:
    """True for each token that begins a clause.

    Args:
        words: lower-case tokens of one sentence.
        kinds: for each token the kind of term it belongs to: FINDING, STATE, STRUCTURE or empty.
    """
    starts = [False] * len(words)
    current = 0
    for i in range(len(words)):
        if i == 0 or _begins(words, kinds, current, i):
            starts[i] = True
            current = i
    return starts


def _begins(words: Sequence[str], kinds: Sequence[str], current: int, i: int) -> bool:
    word, before = words[i], words[i - 1]
    if before in _BREAKS:
        return True
    if word in _words("openers"):
        return words[i + 1 : i + 2] != ["longer"]
    if before == "with":
        # "no cardiomegaly with small effusions" denies only the first.
        return word in _words("new_items") and "no" in words[current:i] and "FINDING" in kinds[current:i]
    if before not in _JOINERS or word in _JOINERS or word == "or":
        return False
    left, right = words[current:i], words[i : i + _segment(words, i)]
    left_is_complete = bool({"FINDING", "STATE"} & set(kinds[current:i]))
    begins_anew = left_is_complete and (word in _DETERMINERS or word in _words("new_items"))
    if word == "there" or ((_has_verb(left) or begins_anew) and _is_statement(right)):
        return True
    after_comma = "," in words[i - 2 : i]
    if left_is_complete and "STRUCTURE" in kinds[i : i + 2] and (_has_verb(right) or "STATE" in kinds[i : i + 4]):
        return True
    return after_comma and left_is_complete and word in _words("new_items") and not {"or", "nor"} & set(words[i:])


def _segment(words: Sequence[str], i: int) -> int:
    """Number of tokens up to the next comma, semicolon or opener."""
    stops = {",", *_BREAKS} | _words("openers")
    return next((n for n, word in enumerate(words[i:]) if n and word in stops), len(words) - i)


def _has_verb(words: Sequence[str]) -> bool:
    return not _words("verbs").isdisjoint(words)


def _is_statement(words: Sequence[str]) -> bool:
    """True where the words hold a verb whose subject is not the end of a list ("effusion or pneumothorax is seen")."""
    first_verb = next((n for n, word in enumerate(words) if word in _words("verbs")), None)
    return first_verb is not None and first_verb > 0 and not {"or", "nor"} & set(words[:first_verb])
