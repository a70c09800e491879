"""Which data sets a benchmark is possible on. Planning reads this: neither torch nor pydantic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def why_unfit(benchmark: str, dataset: Mapping[str, Any]) -> str:
    """Why a data set with these settings cannot have a benchmark; empty where it can."""
    name, is_exclusive = dataset["name"], dataset.get("exclusive")
    if benchmark.endswith("_retrieval") and not dataset.get("has_reports"):
        return f"{name} has no reports"
    if benchmark.endswith("_grading") and not is_exclusive:
        return f"{name} has no exclusive grades"
    if benchmark.endswith("_zeroshot") and is_exclusive:
        return f"the classes of {name} exclude each other; prompts ask for one finding at a time, present or absent"
    return ""
