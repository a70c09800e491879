"""Triplets (entity, position, exist), as in Masks & Manuscripts, Sec. 2.2, and where they come from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from maskray.config.preprocessing import ReportsConfig
from maskray.errors import InputError

Exist = Literal["present", "absent", "uncertain"]
Doubt = Literal["possible", "probable"]
Spans = tuple[tuple[int, int], ...]


class Triplet(NamedTuple):
    """One observation of a report.

    Attributes:
        entity: the finding, lower case.
        position: the body location, lower case; empty where none is named.
        exist: present, absent or uncertain.
        sentence: index into ``sentences.split_sentences(text)``.
        start, end: the characters ``[start, end)`` of the text that name the finding.
        doubt: of an uncertain one, where the source tells: probable ("likely", "A or B") or possible ("may be").
        owner: words apart from those that name the finding too: the structure of a state ("the heart is enlarged").
        places: the words that name the position.
        cues: the words that deny or doubt; none of a plain presence, nor where the source does not tell.
    """

    entity: str
    position: str
    exist: Exist
    sentence: int
    start: int
    end: int
    doubt: Doubt | None = None
    owner: Spans = ()
    places: Spans = ()
    cues: Spans = ()

    def moved(self, sentence: int, by: int) -> Triplet:
        """The same in a longer text: this sentence of it, whose characters begin ``by`` later."""
        return Triplet(
            self.entity, self.position, self.exist, sentence, self.start + by, self.end + by, self.doubt,
            _later(self.owner, by), _later(self.places, by), _later(self.cues, by),
        )  # fmt: skip


def _later(spans: Spans, by: int) -> Spans:
    return tuple([(start + by, end + by) for start, end in spans]) if spans else spans


@dataclass(frozen=True)
class Unread:
    """A report that a source could not read. ``reason`` follows the source's name; it never quotes the report."""

    reason: str


class TripletSource(Protocol):
    """Something that reads triplets out of reports."""

    @abstractmethod
    def extract(self, texts: Sequence[str], studies: Sequence[str] = ()) -> Sequence[list[Triplet] | Unread | None]:
        """For each text its triplets in the order of the text, or why there are none (None: no answer).

        Args:
            texts: findings and impression of each report.
            studies: the study of each text; only a source that looks its answers up needs them.
        """


def source_of(config: ReportsConfig) -> TripletSource:
    """The source that the settings ask for; :class:`InputError` where its model or file is not here."""
    if config.triplets == "radgraph":
        from maskray.reports.radgraph_source import RadGraphSource

        return RadGraphSource(config.radgraph_model, config.radgraph_cache)
    if config.triplets == "graphs":
        from maskray.reports.graphs_source import GraphsSource

        return GraphsSource(config.graphs)
    from maskray.reports.rules import RuleSource

    return RuleSource()


def read_triplets(
    source: TripletSource, texts: Sequence[str], studies: Sequence[str]
) -> Sequence[list[Triplet] | Unread]:
    """The source's answers; a text on which it fails is told apart, so that the others do not share its fate.

    Where it fails on each of several texts, the source is to blame: :class:`InputError`.
    """
    try:
        found = source.extract(texts, studies)
    except InputError:
        raise
    except Exception:
        found = list(_one_by_one(source, texts, studies))
    return [Unread("gave no answer") if each is None else each for each in found]


def _one_by_one(
    source: TripletSource, texts: Sequence[str], studies: Sequence[str]
) -> Iterator[list[Triplet] | Unread | None]:
    kinds: list[str] = []
    for text, study in zip(texts, studies, strict=True):
        try:
            yield source.extract([text], [study])[0]
        except InputError:
            raise
        except Exception as error:
            # The message may quote the report.
            kinds.append(type(error).__name__)
            yield Unread(f"failed ({kinds[-1]})")
    if len(kinds) == len(texts) > 1:
        raise InputError(
            f"{type(source).__name__} failed on each of {len(texts)} reports ({', '.join(sorted(set(kinds)))}): "
            "its installation is broken; mend it, or set reports.triplets: rules"
        ) from None
