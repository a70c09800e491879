"""Where clauses begin in a sentence: a denial or a doubt reaches to the end of its clause."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache

from maskray.reports.lexicon import clause_words
from maskray.reports.phrases import Match
from maskray.reports.words import DASH

_BREAKS = frozenset({";", ":", DASH})
_JOINERS = frozenset({",", "and"})
_BEFORE_A_START = _BREAKS | _JOINERS | {"with"}
_DETERMINERS = frozenset({"a", "an", "the", "this", "these"})
_CHOICES = frozenset({"or", "nor", "/"})
_LISTING = frozenset({"include", "includes", "including", "either"})
_SAYING = frozenset({"FINDING", "STATE"})


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(clause_words()[name])


def clause_starts(
    words: Sequence[str], terms: Sequence[Match], cues: Sequence[Match], openers: Collection[int]
) -> list[int]:
    """The words that begin a clause, in order; 0 always.

    Args:
        words: of one sentence.
        terms: findings, states and structures named in it.
        cues: a clause never begins inside a cue, nor with one that looks back ("no longer seen").
        openers: words that open a clause ("but", "without").
    """
    candidates = [i for i in range(1, len(words)) if words[i - 1] in _BEFORE_A_START or i in openers]
    if not candidates:
        return [0]
    kinds = [""] * len(words)
    for term in terms:
        kinds[term.start : term.end] = [term.kind] * (term.end - term.start)
    ahead = {cue.start for cue in cues if not cue.kind.endswith(("_after", "_answer"))}
    closed = {i for cue in cues for i in range(cue.start, cue.end) if i > cue.start or i not in ahead}
    starts = [0]
    for i in candidates:
        if i not in closed and (i in openers or _begins(words, kinds, starts[-1], i)):
            starts.append(i)
    return starts


def _begins(words: Sequence[str], kinds: Sequence[str], current: int, i: int) -> bool:
    word, before = words[i], words[i - 1]
    if before in _BREAKS:
        # "Effusion: small, left" is one statement.
        return not (before == ":" and set(kinds[current : i - 1]) == {"FINDING"})
    if before == "with":
        # "no cardiomegaly with small effusions" denies only the first.
        return word in _words("new_items") and "no" in words[current:i] and "FINDING" in kinds[current:i]
    if word in _JOINERS or word == "or":
        return False
    if before == "," and words[0] in _words("subordinators") and "," not in words[: i - 1]:
        return True
    end = i + _segment(words, i)
    left, right = words[current:i], words[i:end]
    left_is_complete = not _SAYING.isdisjoint(kinds[current:i])
    # "The differential includes atelectasis, small infiltrate, scarring" is one list.
    is_list = not _LISTING.isdisjoint(left)
    begins_item = left_is_complete and not is_list and _is_new_item(words, kinds, i, end)
    begins_anew = begins_item or (left_is_complete and word in _DETERMINERS)
    if word == "there" or ((_has_verb(left) or begins_anew) and _is_statement(right)):
        return True
    after_comma = "," in words[i - 2 : i]
    if left_is_complete and "STRUCTURE" in kinds[i : i + 2] and (_has_verb(right) or "STATE" in kinds[i : i + 4]):
        return True
    return after_comma and begins_item and _CHOICES.isdisjoint(words[i:])


def _is_new_item(words: Sequence[str], kinds: Sequence[str], i: int, end: int) -> bool:
    return words[i] in _words("new_items") and not _SAYING.isdisjoint(kinds[i:end])


def _segment(words: Sequence[str], i: int) -> int:
    """Number of words up to the next comma, semicolon or opener."""
    stops = _words("openers")
    return next(
        (n for n, word in enumerate(words[i:]) if n and (word == "," or word in _BREAKS or word in stops)),
        len(words) - i,
    )


def _has_verb(words: Sequence[str]) -> bool:
    return not _words("verbs").isdisjoint(words)


def _is_statement(words: Sequence[str]) -> bool:
    """True where the words hold a verb whose subject is not the end of a list ("effusion or pneumothorax is seen")."""
    first_verb = next((n for n, word in enumerate(words) if word in _words("verbs")), None)
    return first_verb is not None and first_verb > 0 and _CHOICES.isdisjoint(words[:first_verb])
