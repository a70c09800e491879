import re
from dataclasses import replace

import pytest

from maskray.data.made import wording
from maskray.data.made.reports import PRESENT, UNCERTAIN, write_report
from maskray.data.made.studies import Finding, draw_study

NUM_REPORTS = 400


@pytest.fixture(scope="module")
def written():
    return [(study, write_report(study)) for study in (draw_study("mimic", 1, n) for n in range(NUM_REPORTS))]


def test_sides_are_the_painted_ones(written):
    num_checked = 0
    for _, report in written:
        for statement in report.statements:
            finding = statement.finding
            if finding is None or finding.side not in ("right", "left"):
                continue
            other = {"right": "left", "left": "right"}[finding.side]
            words = set(re.findall(r"\w+", statement.text.lower()))
            assert finding.side in words
            assert not words & {other, "both", "bilateral"}
            num_checked += 1
    assert num_checked > 200


def test_only_painted_findings_are_named_and_only_absent_ones_denied(written):
    for study, report in written:
        for statement in report.statements:
            assert statement.finding is None or statement.finding in study.findings
            assert not set(statement.denied) & study.labels()


def test_most_painted_findings_are_named_and_some_absent_ones_denied(written):
    painted = named = denied = 0
    for study, report in written:
        painted += len(study.findings)
        named += len({id(s.finding) for s in report.statements if s.finding})
        denied += any(s.denied for s in report.statements)
    assert 0.85 < named / painted < 1
    assert denied > 0.9 * NUM_REPORTS


def test_doubt_is_worded_as_doubt(written):
    doubt = re.compile(r"possible|cannot be excluded|may |questionable|suspicious")
    num_doubted = 0
    for _, report in written:
        for statement in report.statements:
            if statement.finding:
                assert bool(doubt.search(statement.text.lower())) == statement.finding.is_hedged
                num_doubted += statement.finding.is_hedged
    assert num_doubted > 25


def test_codes_are_what_the_text_says(written):
    for _, report in written:
        codes = report.chexpert_codes()
        for statement in report.statements:
            for label, code in statement.codes.items():
                assert codes[label] in (code, PRESENT, UNCERTAIN)
        # No Finding is never beside a disease.
        if "No Finding" in codes:
            assert not any(code != 0 for label, code in codes.items() if label not in ("No Finding", "Support Devices"))


def test_statements_stand_in_the_text(written):
    for _, report in written:
        text = " ".join(report.text.lower().split())
        assert all(" ".join(s.text.lower().split()) in text for s in report.statements)


def test_form_is_that_of_mimic(written):
    for _, report in written:
        lines = report.text.splitlines()
        assert lines[0] == " " * 33 + "FINAL REPORT"
        assert all(line.startswith(" ") and len(line) <= 80 for line in lines[1:])
        assert any(line.startswith(" INDICATION:") for line in lines)
        assert "{" not in report.text


def test_authors_differ(written):
    texts = [report.text for _, report in written]
    assert any(re.search(r"^ 1\. ", text, re.M) for text in texts)
    assert any(re.search(r"^ CONCLUSION:", text, re.M) for text in texts)
    assert any(re.search(r"^ FINDINGS:\n \n", text, re.M) for text in texts)
    assert any(re.search(r"^ FINDINGS:  [a-z]", text, re.M) for text in texts)
    neither = [t for t in texts if not re.search(r"^ (FINDINGS|IMPRESSION|CONCLUSION|CHEST, TWO VIEWS):", t, re.M)]
    assert 0 < len(neither) < 0.1 * NUM_REPORTS


def test_an_empty_film_is_called_so():
    study = replace(draw_study("mimic", 0, 0), findings=())
    codes = write_report(study).chexpert_codes()
    assert codes["No Finding"] == PRESENT


def test_a_disease_without_mention_is_not_passed_over():
    finding = Finding("Mass", side="left", zone="upper", is_mentioned=False)
    report = write_report(replace(draw_study("mimic", 0, 0), findings=(finding,)))
    assert report.chexpert_codes().get("Lung Lesion") == PRESENT


@pytest.mark.parametrize("label", wording.PHRASES)
def test_every_phrase_can_be_filled(label):
    fields = {"side", "pos", "size", "degree", "mm", "cm", "number", "region", "kind"}
    for phrase in wording.PHRASES[label] + wording.PLURALS.get(label, ()):
        assert set(re.findall(r"{(\w+)}", phrase)) <= fields
