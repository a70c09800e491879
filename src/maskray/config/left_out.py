"""What a run leaves out of the tables: cells that then say so. Planning reads this: neither torch nor pydantic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maskray.config.check import did_you_mean
from maskray.config.fractions import fraction_name
from maskray.errors import InputError

LEFT_OUT = "left out of this run"


@dataclass(frozen=True)
class LeftOut:
    """The section ``left_out`` of a run."""

    benchmarks: tuple[str, ...] = ()
    fractions: Mapping[str, list[float]] = field(default_factory=dict)
    variants: Mapping[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, config: Mapping[str, Any], papers: Mapping[str, Mapping[str, Any]], tasks: Iterable[str], top: Path
    ) -> LeftOut:
        """As a run's config says. What another paper has may be named, too: a file may serve for some of its papers.

        Args:
            config: the run's.
            papers: the settings of its papers.
            tasks: how benchmarks' names end.
            top: the repository.

        Raises:
            InputError: a name that nothing has, or a label fraction that no table of the run has.
        """
        left_out = cls(**config.get("left_out", {}))
        known = sorted({name for paper in papers.values() for name in paper["benchmarks"]})
        datasets, keys = (sorted(f.stem for f in (top / "config" / k).glob("*.yaml")) for k in ("datasets", "papers"))
        possible = {f"{dataset}_{task}" for dataset in datasets for task in tasks}
        for name in (*left_out.benchmarks, *left_out.fractions):
            if name not in possible:
                raise InputError(_unknown("benchmark", name, known))
        for key, names in left_out.variants.items():
            if key not in keys:
                raise InputError(_unknown("paper", key, keys))
            variants = ["default", *papers[key].get("variants", {})] if key in papers else names
            if wrong := sorted(set(names) - set(variants)):
                raise InputError(_unknown(f"variant of {key}", wrong[0], variants))
        groups = [g for paper in papers.values() for table in paper["tables"].values() for g in table["columns"]]
        for benchmark, fractions in left_out.fractions.items():
            found = sorted({f for g in groups if g["benchmark"] == benchmark for f in g.get("fractions", ())})
            if found and set(fractions) - set(found):
                raise InputError(f"left_out.fractions.{benchmark}: no table has {fractions}; there are: {found}")
        return left_out

    def fractions_of(self, benchmark: str) -> list[str]:
        """Label fractions that are not computed, as paths write them."""
        return [fraction_name(fraction) for fraction in self.fractions.get(benchmark, ())]

    def reasons(self, paper: str, benchmarks: Iterable[str]) -> dict[str, str]:
        """Variant, or benchmark and fraction -> what its cells say."""
        names = [*self.variants.get(paper, ()), *(f"{b} {each}" for b in benchmarks for each in self.fractions_of(b))]
        return dict.fromkeys(names, LEFT_OUT)


def _unknown(kind: str, name: str, known: Sequence[str]) -> str:
    return f"left_out: no {kind} {name}{did_you_mean(name, known)}; there are: {', '.join(known)}"
