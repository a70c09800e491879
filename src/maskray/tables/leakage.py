"""What the leakage guard found, as tables and the report say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from maskray.config.stages import TableStage
from maskray.data.leakage.verdict import SCHEMA_VERSION
from maskray.errors import InputError
from maskray.files import read_json

Flags = Mapping[tuple[str, str], tuple[str, ...]]
"""(variant, benchmark) -> what its cells must say."""


def read_verdict(path: str | Path) -> dict[str, Any]:
    """A file of check_leakage; :class:`InputError` where it is missing or another one."""
    verdict = read_json(path)
    if not isinstance(verdict, dict) or verdict.get("schema_version") != SCHEMA_VERSION or "flags" not in verdict:
        raise InputError(f"{path}: not a verdict of check_leakage; delete it and run again")
    return verdict


def read_flags(stage: TableStage, paths: Iterable[str | Path]) -> Flags:
    """The flags of all cells of a table; :class:`InputError` where the verdict on one is missing."""
    verdicts = [read_verdict(path) for path in paths]
    flags_of = {f"{one['tested']}/{one['trained']}": one["flags"] for one in verdicts}
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for variant, benchmarks in stage.checks.items():
        for benchmark, names in benchmarks.items():
            if missing := [name for name in names if name not in flags_of]:
                raise InputError(f"{benchmark} of {variant}: no verdict {', '.join(missing)}; run check_leakage")
            found[variant, benchmark] = tuple(dict.fromkeys(flag for name in names for flag in flags_of[name]))
    return found
