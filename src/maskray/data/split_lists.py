"""A user's own lists: which ids stand in ``train.txt``, ``validation.txt`` and ``test.txt``, one id a line.

``train_0.01.txt`` and ``train_0.1.txt`` may name the label fractions, as the protocol has them. What the lists say must
be one split: an id in two parts is refused. What they merely do not cover is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd

from maskray.config.dataset import SplitConfig
from maskray.config.split_rules import hash_of_lists
from maskray.data.tables import read_list
from maskray.errors import InputError

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Lists:
    """Lists that fit each other and the index.

    Attributes:
        part_of: id -> part.
        fraction_of: id of the training part -> the smallest label fraction that names it; None without such lists.
        facts: what ``summary.json`` says of them.
    """

    part_of: pd.Series
    fraction_of: pd.Series | None
    facts: dict[str, Any]

    def notes(self) -> list[str]:
        """What does not fit, in words."""
        words = {
            "num_repeated": "stand there twice",
            "num_not_in_index": "are not in the index",
            "num_not_used": "are of images that the protocol does not use",
        }
        return [
            f"Of the ids of {name}, {facts[key]} {said}."
            for name, facts in self.facts["files"].items()
            for key, said in words.items()
            if facts.get(key)
        ]


def read_lists(folder: Path, index: pd.DataFrame, used: pd.DataFrame, config: SplitConfig) -> Lists:
    """Read and check the lists of a folder.

    Args:
        folder: holds the lists.
        index: all images.
        used: those that the protocol uses.
        config: whose ids stand in the lists, and which label fractions there are.

    Raises InputError naming file and line for an id in two parts, a label fraction that is not nested, a missing or an
    empty list, and a list of which no id is known.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder of lists; it holds train.txt, validation.txt and test.txt")
    column = f"{config.lists_of}_id"
    files = {part: _read(folder / f"{part}.txt") for part in PARTS}
    lines = pd.concat([lines.assign(part=part) for part, lines in files.items()]).drop_duplicates(["id", "part"])
    _refuse_two_parts(folder, lines)
    fractions = _read_fractions(folder, config.fractions, files["train"])
    facts: dict[str, Any] = {"of": config.lists_of, "sha256": hash_of_lists(folder), "files": {}}
    for name, of_file in [*files.items(), *((f"train_{share:g}", of) for share, of in fractions.items())]:
        facts["files"][f"{name}.txt"] = _facts(folder / f"{name}.txt", of_file["id"], index[column], used[column])
    part_of = lines.set_index("id")["part"]
    return Lists(part_of, _smallest(fractions, files["train"]) if fractions else None, facts)


def _read(path: Path) -> pd.DataFrame:
    """id and line (from 1) of each id of a list."""
    if not path.is_file():
        raise InputError(f"{path}: no such list; a folder of lists holds train.txt, validation.txt and test.txt")
    ids = read_list(path)
    if ids.empty:
        raise InputError(f"{path}: the list is empty; each part needs an id")
    return pd.DataFrame({"id": ids, "line": ids.index + 1})


def _refuse_two_parts(folder: Path, lines: pd.DataFrame) -> None:
    twice = lines[lines["id"].duplicated(keep=False)]
    if twice.empty:
        return
    places = (twice["part"] + ".txt, line " + twice["line"].astype("str")).groupby(twice["id"], sort=False).agg(list)
    said = "; ".join(f"{name} ({' and '.join(where)})" for name, where in places.head(5).items())
    first = twice.drop_duplicates("id", keep="last").iloc[0]
    raise InputError(
        f"{folder / first['part']}.txt, line {first['line']}: {len(places)} id(s) stand in two parts: {said}; an image"
        " has one part: correct the lists"
    )


def _read_fractions(folder: Path, shares: Sequence[float], train: pd.DataFrame) -> dict[float, pd.DataFrame]:
    """Share -> its list, rising; all shares below 1 or none."""
    names = {f"train_{share:g}.txt": share for share in sorted(shares) if share < 1}
    there = sorted(path.name for path in folder.glob("train_*.txt"))
    if not there:
        return {}
    if there != sorted(names):
        raise InputError(
            f"{folder}: has {', '.join(there)}; the protocol's label fractions need all of {', '.join(names)}, or none"
        )
    fractions = {share: _read(folder / name) for name, share in names.items()}
    for (share, small), (name, large) in pairwise([*fractions.items(), ("", train)]):
        is_outside = ~small["id"].isin(large["id"])
        if is_outside.any():
            first = small[is_outside].iloc[0]
            raise InputError(
                f"{folder}/train_{share:g}.txt, line {first['line']}: {first['id']} is not in"
                f" train{f'_{name:g}' if name else ''}.txt ({is_outside.sum()} such id(s)); label fractions are nested"
            )
    return fractions


def _smallest(fractions: dict[float, pd.DataFrame], train: pd.DataFrame) -> pd.Series:
    by_share = pd.concat([of.assign(share=share) for share, of in [*fractions.items(), (1.0, train)]])
    return by_share.drop_duplicates("id").set_index("id")["share"]


def _facts(path: Path, ids: pd.Series, in_index: pd.Series, used: pd.Series) -> dict[str, int]:
    distinct = ids.drop_duplicates()
    is_known, is_used = distinct.isin(in_index), distinct.isin(used)
    if not is_used.any():
        raise InputError(
            f"{path}: none of its {len(distinct)} ids, e.g. {distinct.iloc[0]}, is among those that the protocol uses,"
            f" e.g. {used.min()}; are they {used.name}s of this data set?"
        )
    return {
        "num_ids": len(distinct),
        "num_repeated": int(ids.duplicated().sum()),
        "num_not_in_index": int((~is_known).sum()),
        "num_not_used": int((is_known & ~is_used).sum()),
    }
