"""Triplets by RadGraph (Jain et al., 2021, arXiv:2106.14463), as in Masks & Manuscripts, Sec. 2.2."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from maskray.errors import InputError
from maskray.reports.alignment import Span, align
from maskray.reports.lexicon import anatomy, structures
from maskray.reports.sentences import sentence_spans
from maskray.reports.triplets import Exist, Spans, Triplet, Unread
from maskray.reports.vocabulary import finding_of_words

_EXIST: Mapping[str, Exist] = {
    "Observation::definitely present": "present",
    "Observation::definitely absent": "absent",
    "Observation::uncertain": "uncertain",
}
# The spelling of the published MIMIC-CXR graphs.
_EXIST_SHORT: Mapping[str, Exist] = {"OBS-DP": "present", "OBS-DA": "absent", "OBS-U": "uncertain"}
# A text of which fewer words stand in the graph is another one.
_MIN_ALIGNED = 0.9
# These say which finding it is, not where: "pleural effusion", "pulmonary edema".
_ADJECTIVES = frozenset(
    {"pleural", "pulmonary", "cardiac", "cardiopulmonary", "lung", "vascular", "interstitial", "focal"}
)

# What may be part of a position's name; "3 cm" (a measurement) may not.
_PLACES = frozenset({"Anatomy::definitely present", "ANAT-DP"})

Graph = Mapping[str, Any]
Entity = Mapping[str, Any]


class _Statement(NamedTuple):
    """A triplet whose words are entities of the graph."""

    entity: str
    position: str
    exist: Exist
    owner: Sequence[Entity] = ()
    places: Sequence[Entity] = ()
    cues: Sequence[Entity] = ()


class RadGraphSource:
    """The published model, on the CPU. It reads one report at a time: split many reports over jobs."""

    def __init__(self, model: str, cache: str | None) -> None:
        self._model = _load(model, cache)

    def extract(self, texts: Sequence[str], studies: Sequence[str] = ()) -> list[list[Triplet] | Unread | None]:
        """The triplets of each text; None where the model left a text out of its answer."""
        # An empty text would be read as the word "None".
        said = [i for i, text in enumerate(texts) if text.strip()]
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            answer = self._model([texts[i] for i in said]) if said else {}
        result: list[list[Triplet] | Unread | None] = [[] for _ in texts]
        for key, i in enumerate(said):
            graph = answer.get(str(key))
            result[i] = None if graph is None else triplets_of_graph(graph, texts[i])
        return result


def triplets_of_graph(graph: Graph, text: str) -> list[Triplet] | Unread:
    """The triplets of one graph of RadGraph, in the order of the text.

    An observation that only modifies another one ("small") or that measures ("3 cm", RadGraph-XL) is no entity of its
    own. ``located_at`` gives the position. Word indices of the graph, which are inclusive, become character spans of
    ``text``; the graph may be of a longer text, whose other entities are left out.
    """
    entities: Mapping[str, Entity] = graph["entities"]
    spans, aligned = align(graph["text"].split(), text)
    if aligned < _MIN_ALIGNED:
        return Unread(f"has a graph of another text ({aligned:.0%} of the words align)")
    sentences = sentence_spans(text)
    found: list[Triplet] = []
    for key, entity in sorted(entities.items(), key=lambda item: (item[1]["start_ix"], int(item[0]))):
        exist = _exist(entity["label"])
        if exist is None or _only_modifies(entity, entities):
            continue
        own = _characters([entity], spans)
        if not own:
            continue
        ((start, end),) = own
        index = next((n for n, (first, last) in enumerate(sentences) if first <= start < last), 0)
        for said in _statements(key, entity, entities, exist):
            owner, places, cues = (_characters(parts, spans) for parts in (said.owner, said.places, said.cues))
            found.append(Triplet(said.entity, said.position, said.exist, index, start, end, None, owner, places, cues))
    return found


def _characters(parts: Iterable[Entity], spans: Sequence[Span | None]) -> Spans:
    """The characters of each part that stands in the text."""
    words = ([span for span in spans[part["start_ix"] : part["end_ix"] + 1] if span is not None] for part in parts)
    return tuple((each[0][0], each[-1][1]) for each in words if each)


def _statements(key: str, entity: Entity, entities: Mapping[str, Entity], exist: Exist) -> Iterator[_Statement]:
    """What the entity says, in the words of the vocabulary where it knows them, else in the report's."""
    words = entity["tokens"].lower()
    wholes = [_whole(other, entities) for kind, other in entity["relations"] if kind == "located_at"]
    modifiers = [[each] for each in _modifiers(key, entities)]
    for whole in wholes or [[]]:
        place = _words(whole)
        stated = list(_states(words, place, exist))
        if stated:
            # The graph holds no word that denies, but of "the lungs are clear" the state does.
            yield from (
                _Statement(name, "", state, owner=whole, cues=[entity] if state != exist else [])
                for name, state in stated
            )
            continue
        named = ((parts, finding_of_words(_words([*parts, entity]))) for parts in [whole, *modifiers, []])
        owner, finding = next(((parts, finding) for parts, finding in named if finding is not None), ([], None))
        position = "" if place in _ADJECTIVES else _position(place)
        yield _Statement(finding.phrase if finding else words, position, exist, owner, whole if position else [])


def _states(words: str, place: str, exist: Exist) -> Iterator[tuple[str, Exist]]:
    """ "clear" located at "lungs" denies opacities; "enlarged" at "heart" states cardiomegaly."""
    names, table, states = structures()
    structure, state = table.get(names.get(place, "")), states.get(words)
    if structure is None or state is None:
        return
    if state == "normal":
        if exist == "present":
            yield from ((finding.phrase, "absent") for finding in structure.denied)
    elif state in structure.states:
        yield structure.states[state].phrase, exist


def _position(place: str) -> str:
    """The name that ``anatomy.yaml`` gives the place, else the report's words."""
    lexicon = anatomy()
    if place in lexicon.whole:
        return lexicon.whole[place]
    side, _, rest = place.partition(" ")
    if side in lexicon.sides and rest in lexicon.parts:
        return lexicon.parts[rest].on_side(lexicon.sides[side])
    return lexicon.parts[place].name if place in lexicon.parts else place


def _words(parts: Sequence[Entity]) -> str:
    return " ".join(part["tokens"].lower() for part in parts)


def _whole(key: str, entities: Mapping[str, Entity]) -> list[Entity]:
    """An anatomy with its anatomic modifiers, in the order of the text: "right" + "lower" + "lobe"."""
    own = [entities[key]] + [
        other
        for other in entities.values()
        if other["label"] in _PLACES and ["modify", key] in [list(r) for r in other["relations"]]
    ]
    return sorted(own, key=lambda part: part["start_ix"])


def _modifiers(key: str, entities: Mapping[str, Entity]) -> list[Entity]:
    return [
        other
        for other in entities.values()
        if any(list(relation) == ["modify", key] for relation in other["relations"])
    ]


def _only_modifies(entity: Entity, entities: Mapping[str, Entity]) -> bool:
    return any(kind == "modify" and _exist(entities[other]["label"]) is not None for kind, other in entity["relations"])


def _exist(label: str) -> Exist | None:
    return _EXIST.get(label) or _EXIST_SHORT.get(label)


def _load(model: str, cache: str | None) -> Any:
    """The model of the cache folder; :class:`InputError` says how to fetch it where it is not there."""
    advice = (
        f"fetch {model}.tar.gz of StanfordAIMI/RRG_scorers from the Hugging Face hub, unpack it as {model}/ in a "
        "folder, and set reports.radgraph_cache to that folder; or use reports.triplets: rules"
    )
    folder = Path(cache or "") / model
    if cache is None or not all((folder / name).exists() for name in ("config.json", "weights.th", "vocabulary")):
        raise InputError(
            f"the RadGraph model is not in {folder if cache else 'reports.radgraph_cache (not set)'}: {advice}"
        )
    from maskray.torchvision_shim import ensure_torchvision_imports

    ensure_torchvision_imports()
    complete_tokenizers()
    try:
        from radgraph import RadGraph
    except ImportError:
        raise InputError("the package radgraph is not installed: pip install radgraph==0.1.18") from None
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return RadGraph(model_type=model, model_cache_dir=str(cache), cuda=-1)
    except OSError as error:
        raise InputError(
            f"{folder}: the model or its base encoder does not load ({type(error).__name__}): {advice}"
        ) from None


def complete_tokenizers() -> None:
    """Give transformers 5 the three tokenizer methods that RadGraph 0.1.18 calls and 5 dropped."""
    from transformers import PreTrainedTokenizerBase

    def call(self: Any, *args: Any, **settings: Any) -> Any:
        return self(*args, **settings)

    def with_special_tokens(self: Any, first: list[int], second: list[int] | None = None) -> list[int]:
        ids = [self.cls_token_id, *first, self.sep_token_id]
        return ids if second is None else [*ids, *second, self.sep_token_id]

    for name, method in {
        "encode_plus": call,
        "batch_encode_plus": call,
        "build_inputs_with_special_tokens": with_special_tokens,
    }.items():
        if not hasattr(PreTrainedTokenizerBase, name):
            setattr(PreTrainedTokenizerBase, name, method)
