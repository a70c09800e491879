"""What a run leaves out of the tables: cells that then say so. Planning reads this: neither torch nor pydantic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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
    def of(cls, config: Mapping[str, Any], benchmarks: Iterable[str]) -> LeftOut:
        """As a run's config says; :class:`InputError` for a benchmark that no paper of the run has."""
        left_out, known = cls(**config.get("left_out", {})), sorted(set(benchmarks))
        for name in (*left_out.benchmarks, *left_out.fractions):
            if name not in known:
                there_are = f"{did_you_mean(name, known)}; there are: {', '.join(known)}"
                raise InputError(f"left_out: no benchmark {name}{there_are}")
        return left_out

    def fractions_of(self, benchmark: str) -> list[str]:
        """Label fractions that are not computed, as paths write them."""
        return [fraction_name(fraction) for fraction in self.fractions.get(benchmark, ())]

    def reasons(self, paper: str, benchmarks: Iterable[str]) -> dict[str, str]:
        """Variant, or benchmark and fraction -> what its cells say."""
        names = [*self.variants.get(paper, ()), *(f"{b} {each}" for b in benchmarks for each in self.fractions_of(b))]
        return dict.fromkeys(names, LEFT_OUT)
