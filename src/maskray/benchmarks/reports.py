"""Reports to manuscripts, beside spaCy and negspacy used plainly with the same names of findings."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from maskray.benchmarks.machine import least_seconds
from maskray.benchmarks.made import report_texts
from maskray.benchmarks.measure import Row, Sizes, compare
from maskray.benchmarks.peer import peer_pipeline
from maskray.config.preprocessing import ReportsConfig
from maskray.reports.manuscripts import write_manuscript
from maskray.reports.rules import RuleSource
from maskray.reports.sections import described, split_sections
from maskray.reports.sentences import split_sentences
from maskray.reports.styles import text_of
from maskray.reports.triplets import Triplet
from maskray.reports.vocabulary import finding_of_words

_CONFIG = ReportsConfig()
_NUM_COMPARED = 200
_FULL_STOP = re.compile(r"(?<=[a-z]{3})\.(?=\s|$)")

Statement = tuple[int, str, str]


def measure_reports(sizes: Sizes, seconds: float) -> list[Row]:
    """From sections to manuscripts, and as far again with the sections to be found, which the peer has nothing for.

    Once as written, once with every sentence made unlike all others.
    Ours remembers sentences it has read; made reports repeat themselves, as real ones do, perhaps more. Each repeat
    starts with nothing remembered.
    """
    reports = report_texts(sizes.num_reports)
    numbers = itertools.count()
    unlike = [_FULL_STOP.sub(lambda _: f" (image {next(numbers)}).", report) for report in reports]
    return [
        measure_texts("sections to manuscripts", reports, seconds),
        measure_texts("sections to manuscripts, no sentence twice", unlike, seconds),
    ]


def measure_texts(what: str, reports: Sequence[str], seconds: float) -> Row:
    """One row of any reports, so that those that must stay where they are can be measured there."""
    nlp = peer_pipeline()
    texts = [_text(report) for report in reports]
    row = compare(
        what,
        "reports/s",
        lambda _: partial(_manuscripts, texts),
        lambda _: partial(_peer_manuscripts, nlp, texts),
        peer_name="spaCy, sentencizer, negspacy",
        num_items=len(reports),
        seconds=seconds,
        agreement=_agreement(nlp, texts) | {"different sentences": _distinct_fraction(texts)},
    )
    from_reports = least_seconds(lambda: _manuscripts([_text(report) for report in reports]))
    return row.with_agreement("reports/s at best with the sections to be found", len(reports) / from_reports)


def _text(report: str) -> str:
    part = described(split_sections(report))
    return text_of(part.get("findings", ""), part.get("impression", ""))


def _manuscripts(texts: Sequence[str]) -> list[str]:
    return [write_manuscript(triplets, _CONFIG).text for triplets in RuleSource().extract(texts)]


def _peer_manuscripts(nlp: Any, texts: Sequence[str]) -> list[str]:
    return [
        " ".join(f"Is there {entity.text.lower()}? {'No' if entity._.negex else 'Yes'}." for entity in doc.ents)
        for doc in nlp.pipe(texts)
    ]


def _agreement(nlp: Any, texts: Sequence[str]) -> dict[str, float]:
    """The share of the peer's statements (report, finding, present or absent) that ours makes too; warms both."""
    some = texts[:_NUM_COMPARED]
    ours = {
        statement
        for number, triplets in enumerate(RuleSource().extract(some))
        for triplet in triplets
        for statement in _statements(number, triplet)
    }
    peer = {
        (number, entity.ent_id_, "absent" if entity._.negex else "present")
        for number, doc in enumerate(nlp.pipe(some))
        for entity in doc.ents
    }
    return {"answers shared": len(peer & ours) / max(1, len(peer))}


def _statements(number: int, triplet: Triplet) -> list[Statement]:
    finding = finding_of_words(triplet.entity)
    return [] if finding is None else [(number, finding.name, triplet.exist)]


def _distinct_fraction(texts: Sequence[str]) -> float:
    sentences = [sentence for text in texts for sentence in split_sentences(text)]
    return len(set(sentences)) / max(1, len(sentences))
