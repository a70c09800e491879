"""Writing the report of a study: true to what is painted, in one of several authors' manners.

Most painted findings are named, some of them doubtfully; some absent ones are denied; never is a painted finding denied
or placed on the wrong side. The layout is that of the free-text reports of MIMIC-CXR.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from maskray.data.made import wording
from maskray.data.made.labels import CHEXPERT_LABELS
from maskray.data.made.studies import Finding, Study

PRESENT, ABSENT, UNCERTAIN = 1, 0, -1


@dataclass(frozen=True)
class Statement:
    """One sentence: the finding it names (None in a denial or an aside), and CheXpert's codes that it gives."""

    text: str
    finding: Finding | None = None
    denied: tuple[str, ...] = ()
    codes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """The text, and the statements it was written from."""

    text: str
    statements: tuple[Statement, ...]

    def chexpert_codes(self) -> dict[str, int]:
        """What a perfect labeller would read: 1, 0 or -1 per label stated; a positive mention outweighs doubt."""
        codes: dict[str, int] = {}
        rank = {ABSENT: 0, UNCERTAIN: 1, PRESENT: 2}
        for statement in self.statements:
            for label, code in statement.codes.items():
                if label not in codes or rank[code] > rank[codes[label]]:
                    codes[label] = code
        # A sure finding that CheXpert has no label for is a finding all the same.
        has_finding = any(s.finding and s.finding.label != "Support Devices" for s in self.statements)
        if not has_finding:
            codes["No Finding"] = PRESENT
        return {label: codes[label] for label in CHEXPERT_LABELS if label in codes}


@dataclass(frozen=True)
class Author:
    """A manner of writing."""

    is_brief: bool = False
    numbers_impression: bool = False
    writes_lower_case: bool = False
    heading_on_own_line: bool = False
    findings_heading: str = "FINDINGS"
    impression_heading: str = "IMPRESSION"


AUTHORS = (
    Author(is_brief=True),
    Author(heading_on_own_line=True),
    Author(numbers_impression=True, heading_on_own_line=True),
    Author(findings_heading="CHEST, TWO VIEWS", impression_heading="CONCLUSION"),
    Author(writes_lower_case=True),
    Author(),
)


def write_report(study: Study) -> Report:
    """Write a study's report; the same study gives the same text."""
    rng = study.rng("report")
    author = AUTHORS[int(rng.integers(len(AUTHORS)))]
    named = [f for f in study.findings if f.is_mentioned]
    diseases = [f for f in study.findings if f.label != "Support Devices"]
    if diseases and not any(f in named for f in diseases):
        named.append(diseases[0])
    affirmations = [_affirm(f, study, author, rng) for f in named]
    denials = _deny(study, rng)
    asides = [Statement(str(t)) for t in rng.choice(wording.UNRELATED, rng.integers(0, 3), replace=False)]
    findings = affirmations + denials + asides
    findings = [findings[i] for i in rng.permutation(len(findings))]
    impression = [_affirm(f, study, author, rng) for f in named if f.label != "Support Devices"]
    if not diseases:
        impression = [Statement(str(rng.choice(wording.NOTHING_ACUTE)))]
    return _assemble(study, author, findings, impression, rng)


def _phrase(finding: Finding, rng: np.random.Generator, sure: bool) -> tuple[str, bool]:
    plural = finding.label in wording.PLURALS and (finding.side == "bilateral" or finding.count > 1)
    phrases = (wording.PLURALS if plural else wording.PHRASES)[finding.label]
    if not sure:
        # Within a doubtful sentence an opacity would be doubted together with its cause.
        phrases = tuple(p for p in phrases if "due to" not in p)
    position = wording.POSITIONS.get((finding.side, finding.zone), ("lung",))
    step = finding.grade - 1 if finding.grade else min(int(finding.size * 3), 2)
    text = str(rng.choice(phrases)).format(
        side=finding.side,
        pos=str(rng.choice(position)),
        size=wording.SIZES[step],
        degree=wording.DEGREES[step],
        mm=int(14 + 10 * finding.size),
        cm=f"{4 + 3 * finding.size:.1f}",
        number={2: "two", 3: "three"}.get(finding.count, "several"),
        region="apical" if finding.zone == "upper" else "lateral",
        kind=finding.kind,
    )
    if "wires" in text:
        text = text.removeprefix("a ")
    return text, plural or "wires" in text or "markings" in text


def _affirm(finding: Finding, study: Study, author: Author, rng: np.random.Generator) -> Statement:
    text, plural = _phrase(finding, rng, sure=not finding.is_hedged)
    patterns: tuple[str, ...]
    if finding.is_hedged:
        patterns = wording.DOUBTED
    elif author.is_brief:
        patterns = wording.AFFIRMED_BRIEFLY
    else:
        patterns = wording.AFFIRMED + (wording.AFFIRMED_AGAIN if study.visit else ())
    bare = text.removeprefix("an ").removeprefix("a ")
    sentence = str(rng.choice(patterns)).format(
        np=text, Np=_capital(text), bare=bare, Bare=_capital(bare), **{"is": "are" if plural else "is"}
    )
    code = UNCERTAIN if finding.is_hedged else PRESENT
    labels = list(wording.MENTIONED.get(finding.label, ()))
    labels += ["Lung Opacity"] if "opacity" in sentence else []
    return Statement(sentence, finding, codes=dict.fromkeys(labels, code))


def _deny(study: Study, rng: np.random.Generator) -> list[Statement]:
    painted = study.labels()
    kept = painted.union(*(wording.DOUBTFUL_TO_DENY.get(label, set()) for label in painted))
    candidates = [label for label in wording.DENIABLE if label not in kept]
    weights = np.array([wording.DENIAL_WEIGHTS.get(label, 1.0) for label in candidates])
    num_denied = min(len(candidates), int(rng.integers(1, 7)))
    chosen = [str(c) for c in rng.choice(candidates, num_denied, replace=False, p=weights / weights.sum())]
    statements = []
    if "Cardiomegaly" in chosen and rng.random() < 0.7:
        chosen.remove("Cardiomegaly")
        text = str(rng.choice(wording.NORMAL_HEART))
        statements.append(Statement(text, denied=("Cardiomegaly",), codes={"Cardiomegaly": ABSENT}))
    while chosen:
        group, chosen = chosen[:3], chosen[3:]
        patterns = (wording.DENIED_ONE, wording.DENIED_TWO, wording.DENIED_THREE)[len(group) - 1]
        words = [str(rng.choice(wording.DENIABLE[label])) for label in group]
        named = dict(zip("abc", words, strict=False))
        text = str(rng.choice(patterns)).format(A=_capital(words[0]), **named)
        labels = [code for label in group for code in wording.MENTIONED.get(label, ())]
        statements.append(Statement(text, denied=tuple(group), codes=dict.fromkeys(labels, ABSENT)))
    return statements


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _assemble(
    study: Study,
    author: Author,
    findings: list[Statement],
    impression: list[Statement],
    rng: np.random.Generator,
) -> Report:
    who = "woman" if study.sex == "F" else "man"
    views = "PA and lateral" if study.has_lateral else "PA" if study.view == "PA" else "Portable AP"
    compared = "Chest radiograph from ___." if study.visit else str(rng.choice(("None.", "___.", "None available.")))
    parts = [
        ("EXAMINATION", f"CHEST ({views.upper()})"),
        ("INDICATION", f"___ year old {who} with {rng.choice(wording.REASONS)}."),
        ("TECHNIQUE", f"{views} view{'s' if study.has_lateral else ''} of the chest."),
        ("COMPARISON", compared),
    ]
    if rng.random() < 0.4:
        parts = [part for part in parts if part[0] in ("INDICATION", "COMPARISON")]
    form = str(rng.choice(("both", "impression", "findings", "paragraph"), p=(0.78, 0.09, 0.09, 0.04)))
    body, summary = _join(findings, author), _join(impression, author, is_summary=True)
    blocks = [_section(name, text, author) for name, text in parts]
    if form == "both":
        blocks.append(_section(author.findings_heading, body, author))
        blocks.append(_section(author.impression_heading, summary, author))
    elif form == "paragraph":
        blocks.append(_wrap(body))
    else:
        heading = author.findings_heading if form == "findings" else author.impression_heading
        blocks.append(_section(heading, body, author))
    text = " " * 33 + "FINAL REPORT\n" + " \n".join(blocks)
    return Report(text, tuple(findings + impression if form == "both" else findings))


def _section(heading: str, text: str, author: Author) -> str:
    if author.heading_on_own_line and heading not in ("EXAMINATION", "INDICATION", "TECHNIQUE", "COMPARISON"):
        return f" {heading}:\n \n{_wrap(text)}"
    return _wrap(f"{heading}:  {text}")


def _join(statements: Iterable[Statement], author: Author, is_summary: bool = False) -> str:
    sentences = [s.text.lower() if author.writes_lower_case else s.text for s in statements]
    if is_summary and author.numbers_impression and len(sentences) > 1:
        return "\n".join(f"{number}. {text}" for number, text in enumerate(sentences, 1))
    return "  ".join(sentences)


def _wrap(text: str) -> str:
    lines = [line for part in text.split("\n") for line in textwrap.wrap(part, 78)]
    return "".join(f" {line}\n" for line in lines)
