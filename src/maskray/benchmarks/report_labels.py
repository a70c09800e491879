"""The report rules against labels given by people: Open-i, whose reports were coded by hand in MeSH terms.

The word lists were written while reading errors of one half of the reports; numbers speak of the other half.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from defusedxml import ElementTree
from numpy.typing import NDArray

from maskray.benchmarks.peer import peer_pipeline
from maskray.config.preprocessing import ReportsConfig, UncertainPolicy
from maskray.errors import InputError
from maskray.metrics.intervals import percentile_interval, resample_patients
from maskray.reports.manuscripts import merged, verdicts
from maskray.reports.rules import RuleSource
from maskray.reports.structure import text_of
from maskray.reports.vocabulary import FINDINGS, ancestors, finding_of_label, finding_of_words

# No report has Hernia in the gold file, although many name a hiatal hernia: it was not labelled.
_LABELS = (
    "Atelectasis", "Cardiomegaly", "Effusion", "Infiltration", "Mass", "Nodule", "Pneumonia", "Pneumothorax",
    "Consolidation", "Edema", "Emphysema", "Fibrosis", "Pleural_Thickening",
)  # fmt: skip
NAMES = tuple(finding_of_label(label).name for label in _LABELS)
_NUM_REPLICATES = 2000
_CONFIDENCE = 0.95

# For each report, finding -> what is said of it.
Answers = list[dict[str, str]]


@dataclass(frozen=True)
class Labelled:
    """A report's findings and impression, and the names of the findings that people saw in it."""

    report_id: str
    text: str
    present: frozenset[str]


@dataclass(frozen=True)
class Agreement:
    """How answers agree with people: of one finding, or of all together (micro). F1 with its interval."""

    num_positive: int
    precision: float
    recall: float
    f1: float
    f1_low: float
    f1_high: float


def read_open_i(folder: Path) -> list[Labelled]:
    """The reports with gold labels of ``gold_labels.csv``, sorted by id, texts from ``ecgen-radiology``."""
    table = folder / "gold_labels.csv"
    if not table.is_file():
        raise InputError(f"{table}: no such file (report_id, has_gold and the findings as 0 or 1)")
    with table.open(newline="", encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if row["has_gold"] == "1"]
    return [
        Labelled(
            row["report_id"],
            _text(folder / "ecgen-radiology" / f"{row['report_id'].removeprefix('CXR')}.xml"),
            frozenset(name for label, name in zip(_LABELS, NAMES, strict=True) if row[label] == "1"),
        )
        for row in sorted(rows, key=lambda row: row["report_id"])
    ]


def half_of(reports: Sequence[Labelled], half: Literal["tuning", "held_out"]) -> list[Labelled]:
    """One half of the reports, drawn with a fixed seed."""
    shuffled = sorted(reports, key=lambda report: report.report_id)
    random.Random(0).shuffle(shuffled)  # noqa: S311  (a split, no secret)
    return shuffled[0 if half == "tuning" else 1 :: 2]


def answers_of_rules(reports: Iterable[Labelled], policy: UncertainPolicy) -> Answers:
    """The verdicts of the rules under a policy on uncertainty."""
    config = ReportsConfig(uncertain=policy)
    found = RuleSource().extract([report.text for report in reports])
    return [dict(verdicts(merged(triplets or (), config))) for triplets in found]


def answers_of_peer(reports: Iterable[Labelled]) -> Answers:
    """Names of findings by spaCy, denied or not by negspacy; any mention that is not denied counts as present."""
    answers: Answers = []
    for doc in peer_pipeline().pipe(report.text for report in reports):
        said: dict[str, str] = {}
        for entity in doc.ents:
            finding = FINDINGS[entity.ent_id_]
            for each in [finding] if entity._.negex else [finding, *ancestors(finding)]:
                if not entity._.negex or each.name not in said:
                    said[each.name] = "absent" if entity._.negex else "present"
        answers.append(said)
    return answers


def agreement(reports: Sequence[Labelled], answers: Answers, names: Iterable[str] = NAMES) -> Agreement:
    """Of these findings together, with a bootstrap over reports."""
    counts_N3 = np.array(
        [
            np.sum([_outcome(said.get(name) == "present", name in report.present) for name in names], axis=0)
            for report, said in zip(reports, answers, strict=True)
        ]
    )
    hits, false_alarms, misses = counts_N3.sum(0)
    weights_NR = resample_patients([report.report_id for report in reports], _NUM_REPLICATES, 0).weights_PR
    # The resamples are in the order of the sorted ids.
    order = np.argsort([report.report_id for report in reports])
    interval = percentile_interval(_f1(*(weights_NR.T.astype(float) @ counts_N3[order]).T), _CONFIDENCE)
    return Agreement(
        num_positive=int(hits + misses),
        precision=_ratio(hits, hits + false_alarms),
        recall=_ratio(hits, hits + misses),
        f1=float(_f1(hits, false_alarms, misses)),
        f1_low=interval.low,
        f1_high=interval.high,
    )


def recall_on_certain(reports: Sequence[Labelled], answers: Answers) -> float:
    """The share of people's findings that are present, among those that ``answers`` does not call uncertain.

    ``answers`` are those of the policy "uncertain", which leaves doubt as it is.
    """
    said = [answer.get(name) for report, answer in zip(reports, answers, strict=True) for name in report.present]
    certain = [exist for exist in said if exist != "uncertain"]
    return _ratio(certain.count("present"), len(certain))


def coded_doubts(reports: Sequence[Labelled]) -> dict[tuple[str, str], tuple[int, int]]:
    """(finding, grade of doubt) -> uncertain mentions that people coded as present, and all."""
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    found = RuleSource().extract([report.text for report in reports])
    for report, triplets in zip(reports, found, strict=True):
        for triplet in triplets or ():
            finding = finding_of_words(triplet.entity)
            if triplet.doubt and finding and finding.name in NAMES:
                coded, total = counts.get((finding.name, triplet.doubt), (0, 0))
                counts[finding.name, triplet.doubt] = (coded + (finding.name in report.present), total + 1)
    return counts


def render(reports: Sequence[Labelled]) -> str:
    """All of this as Markdown tables."""
    by_policy: Mapping[str, Callable[[], Answers]] = {
        "rules, `probable`": lambda: answers_of_rules(reports, "probable"),
        "rules, `drop`": lambda: answers_of_rules(reports, "drop"),
        "rules, `positive`": lambda: answers_of_rules(reports, "positive"),
        "spaCy and negspacy": lambda: answers_of_peer(reports),
    }
    answers = {name: answer() for name, answer in by_policy.items()}
    head = "| {} | positive | precision | recall | F1 (95 % interval) |\n| --- | --- | --- | --- | --- |"
    lines = [head.format("all findings together")]
    lines += [_line(name, agreement(reports, answer)) for name, answer in answers.items()]
    lines += ["", head.format("rules, `probable`")]
    chosen = next(iter(answers.values()))
    lines += [_line(FINDINGS[name].phrase, agreement(reports, chosen, [name])) for name in NAMES]
    doubts = coded_doubts(reports)
    lines += ["", "| uncertain mentions coded as present | probable | possible |", "| --- | --- | --- |"]
    lines += [_doubt_line(FINDINGS[name].phrase, doubts, [name]) for name in NAMES]
    lines += [_doubt_line("all", doubts, NAMES)]
    certain = recall_on_certain(reports, answers_of_rules(reports, "uncertain"))
    return "\n".join([*lines, "", f"{len(reports)} reports. Recall on certain mentions: {certain:.3f}."]) + "\n"


def _line(name: str, found: Agreement) -> str:
    interval = f"{found.f1:.3f} ({found.f1_low:.3f} to {found.f1_high:.3f})"
    return f"| {name} | {found.num_positive} | {found.precision:.3f} | {found.recall:.3f} | {interval} |"


def _doubt_line(title: str, doubts: Mapping[tuple[str, str], tuple[int, int]], names: Iterable[str]) -> str:
    cells = [title]
    for grade in ("probable", "possible"):
        coded, total = np.sum([doubts.get((name, grade), (0, 0)) for name in names], axis=0)
        cells.append(f"{coded} of {total}")
    return f"| {' | '.join(cells)} |"


def _outcome(is_said: bool, is_true: bool) -> tuple[int, int, int]:
    return int(is_said and is_true), int(is_said and not is_true), int(is_true and not is_said)


def _f1(
    hits: NDArray[np.float64], false_alarms: NDArray[np.float64], misses: NDArray[np.float64]
) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        return 2 * hits / (2 * hits + false_alarms + misses)


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def _text(path: Path) -> str:
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise InputError(f"{path}: not a readable report ({type(error).__name__})") from None
    parts = {element.get("Label"): element.text or "" for element in root.iter("AbstractText")}
    return text_of(parts.get("FINDINGS", ""), parts.get("IMPRESSION", ""))
