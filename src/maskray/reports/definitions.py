"""What each finding is and how it looks on a film (``definitions.json``): the knowledge in structured reports.

Ours is written by hand in our own words; ``generate_definitions`` makes other ones with a language model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from maskray.errors import InputError
from maskray.files import read_json, write_json
from maskray.reports.vocabulary import FINDINGS

Kind = Literal["definition", "appearance"]
KINDS: tuple[Kind, ...] = get_args(Kind)
# D-MLM, Sec. 2.1, as printed there.
_PROMPTS: Mapping[Kind, str] = {
    "definition": "Define {name}. Give me only a single paragraph and short definition of the disease.",
    "appearance": "What are the distinguishing radiographic signs of {name} compared to other similar conditions?",
}
_TABLE = Path(__file__).with_name("definitions.json")


@dataclass(frozen=True)
class Definition:
    """One finding's knowledge.

    Attributes:
        definition: what it is.
        appearance: the signs that tell it from similar conditions on a chest film.
        sources: where the facts can be looked up; empty where a model wrote the texts.
        prompts: kind -> what was asked.
        model: who answered.
    """

    definition: str
    appearance: str
    sources: tuple[str, ...]
    prompts: Mapping[Kind, str]
    model: str


def prompt_of(name: str, kind: Kind) -> str:
    """The paper's question about one finding; :class:`InputError` for anything that is no name of the vocabulary."""
    if name not in FINDINGS:
        raise InputError("not a finding of the vocabulary (reports/findings.yaml); only its names are ever asked about")
    return _PROMPTS[kind].format(name=FINDINGS[name].phrase)


@lru_cache(maxsize=4)
def read_definitions(path: str | Path | None = None) -> Mapping[str, Definition]:
    """Name -> knowledge for the whole vocabulary, in its order; from a file of generate_definitions, else ours.

    :class:`InputError` names the finding that lacks a text or is not in the vocabulary.
    """
    path = Path(path or _TABLE)
    table = read_json(path)
    if not isinstance(table, dict) or not isinstance(table.get("findings"), dict):
        raise InputError(f"{path}: no key findings: not a file of generate_definitions")
    rows, sources = table["findings"], table.get("sources", {})
    strangers, missing = sorted(set(rows) - set(FINDINGS)), [name for name in FINDINGS if name not in rows]
    if strangers or missing:
        raise InputError(
            f"{path}: lacks {', '.join(missing) or 'nothing'}; unknown: {', '.join(strangers) or 'none'}: "
            "run generate_definitions"
        )
    return {name: _definition(rows[name], sources, f"{path}: {name}") for name in FINDINGS}


def write_definitions(path: Path, definitions: Mapping[str, Definition]) -> None:
    """Write what :func:`read_definitions` reads, whole or not at all."""
    write_json(path, {"sources": {}, "findings": {name: asdict(each) for name, each in definitions.items()}})


def _definition(row: Any, sources: Mapping[str, str], where: str) -> Definition:
    def text(key: str) -> str:
        value = row.get(key) if isinstance(row, dict) else None
        if not isinstance(value, str) or not value.strip():
            raise InputError(f"{where}: {key} is empty; run generate_definitions again")
        return value

    texts = {key: text(key) for key in (*KINDS, "model")}
    try:
        named = tuple(sources[key] for key in row.get("sources", ()))
    except KeyError as error:
        raise InputError(f"{where}: source {error} is not listed under sources") from None
    return Definition(**texts, sources=named, prompts=row.get("prompts", {}))
