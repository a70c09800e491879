"""What the schema cannot say of a split: which settings go together, and what its job is told of a user's lists.

Plain values, so that the plan knows it as well as :class:`maskray.config.dataset.SplitConfig`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maskray.config.check import did_you_mean
from maskray.config.merge import merge
from maskray.errors import InputError
from maskray.files import hash_of, hash_of_file


def why_impossible(split: Mapping[str, Any]) -> str | None:
    """Why these settings make no split; None where they do. A user's lists decide alone."""
    if split.get("lists"):
        return None
    if split.get("whole_test"):
        if any(split.get(name) for name in ("train", "test", "validation", "official_test", "official_validation")):
            return "whole_test leaves nothing for train, validation, test or the official parts"
        return None
    if split.get("official_test"):
        return _why_official_is_impossible(split)
    if split.get("official_validation") or split.get("test_studies"):
        return "official_validation and test_studies go with official_test: true"
    train, test = split.get("train"), split.get("test")
    if train is None or test is None:
        return "give train and test as shares, or official_test: true, or lists"
    if abs(train + split.get("validation", 0) + test - 1) > 1e-6:
        return "train, validation and test must add up to 1"
    return None


def _why_official_is_impossible(split: Mapping[str, Any]) -> str | None:
    if split.get("official_parts"):
        return "official_parts goes with shares, not with official_test"
    if split.get("official_validation") and split.get("official_test_part", "test") != "test":
        return "official_validation goes with official_test_part: test"
    sources = [name for name in ("validation", "official_validation", "test_studies") if split.get(name)]
    if len(sources) != 1:
        return (
            "say where validation comes from: validation as a share or a number of images, or official_validation:"
            " true, or test_studies, which leaves the rest for validation; one of them"
        )
    return None


def lay_splits(dataset: Mapping[str, Any], overlay: Mapping[str, Any], source: str) -> dict[str, Any]:
    """A data set's settings with a run's own ``splits:`` laid over its protocols.

    A note that the run does not give says what the run changed, since the file's is about the file's own split.
    """
    known = dataset.get("splits", {})
    laid = {}
    for protocol, changes in overlay.items():
        if protocol not in known:
            hint = did_you_mean(protocol, known)
            raise InputError(f"{source}: no split {protocol}{hint}; there are: {', '.join(known)}")
        if changes.get("lists"):
            note = "not the protocol's own split: this run's own lists"
        else:
            note = f"{known[protocol].get('note', '')}; this run changes {', '.join(sorted(changes))}".removeprefix(
                "; "
            )
        laid[protocol] = merge(known[protocol], {"note": note}, changes)
    return merge(dataset, {"splits": laid}) if laid else dict(dataset)


def split_stage(split: Mapping[str, Any]) -> dict[str, Any]:
    """A split as its job is told: the contents of the user's lists by hash, so that moving them reruns nothing."""
    lists = split.get("lists")
    return dict(split) | ({"lists": hash_of_lists(lists)} if lists else {})


def hash_of_lists(folder: str | Path) -> str:
    """SHA-256 over the names and contents of a folder's lists; a folder that is not there has none."""
    return hash_of({path.name: hash_of_file(path) for path in Path(folder).glob("*.txt")})
