"""Triplets (entity, position, exist), as in Masks & Manuscripts, Sec. 2.2, and where they come from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from maskray.config.preprocessing import ReportsConfig

Exist = Literal["present", "absent", "uncertain"]
Doubt = Literal["possible", "probable"]


@dataclass(frozen=True)
class Triplet:
    """One observation of a report.

    Attributes:
        entity: the finding, lower case.
        position: the body location, lower case; empty where none is named.
        exist: present, absent or uncertain.
        sentence: index into ``sentences.split_sentences(text)``.
        start, end: the characters ``[start, end)`` of the text that name the finding.
        doubt: of an uncertain one, where the source tells: probable ("likely", "A or B") or possible ("may be").
    """

    entity: str
    position: str
    exist: Exist
    sentence: int
    start: int
    end: int
    doubt: Doubt | None = None


class TripletSource(Protocol):
    """Something that reads triplets out of reports."""

    @abstractmethod
    def extract(self, texts: Sequence[str]) -> list[list[Triplet] | None]:
        """The triplets of each text in the order of the text; None for a text that the source could not read."""


def source_of(config: ReportsConfig) -> TripletSource:
    """The source that the settings ask for; :class:`InputError` where its model is not here."""
    if config.triplets == "radgraph":
        from maskray.reports.radgraph_source import RadGraphSource

        return RadGraphSource(config.radgraph_model, config.radgraph_cache)
    from maskray.reports.rules import RuleSource

    return RuleSource()
