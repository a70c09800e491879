"""Medical Subject Headings in reports (MedIM, Sec. 2.2): the words that say where to look on the film.

MeSH is made by the U.S. National Library of Medicine: https://www.nlm.nih.gov/mesh/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from maskray.config.preprocessing import MeshConfig
from maskray.errors import InputError
from maskray.files import read_yaml
from maskray.reports.mesh_files import Descriptor, read_mesh

# Anatomy, diseases, and techniques with equipment (methods: trees A, C, E).
TREES = "ACE"
_TABLE = Path(__file__).with_name("mesh_thoracic.yaml")
_WORD = re.compile(r"[^\W_]+")
_CACHED_WORDS = 1 << 16
_IRREGULAR = {
    "apices": "apex", "bronchi": "bronchus", "calculi": "calculus", "cortices": "cortex", "emboli": "embolus",
    "foramina": "foramen", "hila": "hilum", "hili": "hilum", "hilus": "hilum", "lumina": "lumen", "septa": "septum",
    "sterna": "sternum", "thoraces": "thorax", "thrombi": "thrombus", "viscera": "viscus", "phalanges": "phalanx",
}  # fmt: skip
# Longest first: "metastases" is no "metastase", "masses" no "masse", "granulomata" no "granulomata".
_ENDINGS = (
    ("thoraces", "thorax"), ("omata", "oma"), ("ctases", "ctasis"), ("stases", "stasis"), ("noses", "nosis"),
    ("roses", "rosis"), ("lioses", "liosis"), ("phoses", "phosis"), ("theses", "thesis"), ("culoses", "culosis"),
    ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"), ("ruses", "rus"), ("nuses", "nus"), ("ies", "y"),
    ("ae", "a"),
)  # fmt: skip
_SINGULAR_ENDINGS = ("ss", "us", "is")
_SHORT_LETTERS = 3

Span = tuple[int, int]


@lru_cache(maxsize=_CACHED_WORDS)
def singular(word: str) -> str:
    """A lower-case noun in its singular as far as English and medical Latin endings tell; other words as they are."""
    if len(word) <= _SHORT_LETTERS:
        return word
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    for plural, single in _ENDINGS:
        if word.endswith(plural):
            return word.removesuffix(plural) + single
    return word[:-1] if word.endswith("s") and not word.endswith(_SINGULAR_ENDINGS) else word


def unchanged(word: str) -> str:
    """The form of a word that is looked up as it is written."""
    return word


class MeshMatcher:
    """Finds the longest terms, word by word, in any case; words are joined by spaces or hyphens, never by commas.

    Args:
        terms: descriptor names and entry terms; "Pneumonia, Viral" is read as "viral pneumonia" too.
        stop_terms: terms that say nothing on a chest film.
        words: ``phrases``: terms of one or more words, singular or plural; ``single``: terms of one word, as written.
    """

    def __init__(self, terms: Iterable[str], stop_terms: Iterable[str], words: str = "phrases") -> None:
        self._form = singular if words == "phrases" else unchanged
        stopped = {self._key(term) for term in stop_terms}
        keys = {self._key(form) for term in terms for form in _forms(term)} - stopped
        # First word -> the rest of each term that begins with it, longest first.
        self._rests: dict[str, list[tuple[str, ...]]] = {}
        for first, *rest in sorted((key for key in keys if key), key=lambda key: (-len(key), key)):
            if words == "phrases" or not rest:
                self._rests.setdefault(first, []).append(tuple(rest))

    def __len__(self) -> int:
        """Number of different terms."""
        return sum(map(len, self._rests.values()))

    def spans(self, text: str) -> list[Span]:
        """Character spans ``[start, end)`` of the terms in a text, in order, without overlap."""
        found = [(match.start(), match.end()) for match in _WORD.finditer(text)]
        forms = [self._form(text[start:end].lower()) for start, end in found]
        spans, number = [], 0
        while number < len(forms):
            length = self._length(text, found, forms, number)
            if length:
                spans.append((found[number][0], found[number + length - 1][1]))
            number += length or 1
        return spans

    def _length(self, text: str, found: list[Span], forms: list[str], first: int) -> int:
        """Number of words of the longest term that begins with this word; 0 for none."""
        for rest in self._rests.get(forms[first], ()):
            last = first + len(rest)
            if tuple(forms[first + 1 : last + 1]) == rest and all(
                text[found[n][1] : found[n + 1][0]].strip() in {"", "-"} for n in range(first, last)
            ):
                return len(rest) + 1
        return 0

    def _key(self, term: str) -> tuple[str, ...]:
        return tuple(self._form(word) for word in _WORD.findall(term.lower()))


def mesh_spans(text: str, config: MeshConfig) -> list[Span]:
    """The MeSH words of a text by these settings; see :class:`MeshMatcher`."""
    return matcher_of(config).spans(text)


@lru_cache(maxsize=4)
def matcher_of(config: MeshConfig) -> MeshMatcher:
    """The matcher that the settings ask for; :class:`InputError` where NLM's file is missing or damaged.

    The radiological additions of the thoracic list belong to ``phrases`` alone, whatever the source.
    """
    table = read_yaml(_TABLE)
    if config.source == "thoracic":
        terms = [term for tree in TREES for each in table[tree].values() for term in each]
    else:
        terms = [term for each in _of_trees(read_mesh(Path(config.source)), config.source) for term in each.terms]
    additions = table["radiological"] if config.words == "phrases" else []
    return MeshMatcher([*terms, *additions], table["stop"], config.words)


def _of_trees(descriptors: Iterable[Descriptor], source: str) -> Iterator[Descriptor]:
    is_empty = True
    for descriptor in descriptors:
        if any(number[:1] in TREES for number in descriptor.trees):
            is_empty = False
            yield descriptor
    if is_empty:
        raise InputError(f"{source}: no descriptor of the trees {', '.join(TREES)}; is it the whole file of NLM?")


def _forms(term: str) -> Iterator[str]:
    """A term, and an inverted one as it is spoken."""
    yield term
    parts = term.split(", ")
    if len(parts) > 1:
        yield " ".join(reversed(parts))
