import csv
import re

import pytest

from maskray.benchmarks.report_labels import (
    NAMES,
    Labelled,
    agreement,
    answers_of_peer,
    answers_of_rules,
    coded_doubts,
    half_of,
    read_open_i,
    recall_on_certain,
)
from maskray.errors import InputError
from scripts import score_reports

TEXTS = {
    "CXR1": ("Small left effusion. No pneumothorax.", {"Effusion"}),
    "CXR2": ("No nodule. Opacity may represent pneumonia.", set()),
    "CXR3": ("Atelectasis or scarring.", {"Atelectasis"}),
    "CXR4": ("The heart is enlarged.", {"Cardiomegaly", "Mass"}),
}


@pytest.fixture
def folder(tmp_path):
    labels = [label for _, seen in TEXTS.values() for label in seen]
    names = sorted({*labels, "Infiltration", "Nodule", "Pneumonia", "Pneumothorax", "Consolidation", "Edema",
                    "Emphysema", "Fibrosis", "Pleural_Thickening"})  # fmt: skip
    (tmp_path / "ecgen-radiology").mkdir()
    with (tmp_path / "gold_labels.csv").open("w", newline="") as handle:
        rows = csv.DictWriter(handle, ["report_id", "has_gold", *names])
        rows.writeheader()
        for report, (text, seen) in TEXTS.items():
            rows.writerow({"report_id": report, "has_gold": 1} | {name: int(name in seen) for name in names})
            xml = f'<a><AbstractText Label="FINDINGS">{text}</AbstractText><AbstractText Label="IMPRESSION"/></a>'
            (tmp_path / "ecgen-radiology" / f"{report[3:]}.xml").write_text(xml)
        rows.writerow({"report_id": "CXR5", "has_gold": 0})
    return tmp_path


def test_reading(folder):
    reports = read_open_i(folder)
    assert [report.report_id for report in reports] == list(TEXTS)
    assert reports[0] == Labelled("CXR1", TEXTS["CXR1"][0], frozenset({"Pleural Effusion"}))
    halves = [half_of(reports, half) for half in ("tuning", "held_out")]
    assert sorted(report.report_id for half in halves for report in half) == list(TEXTS)


def test_damaged_folders(folder):
    (folder / "ecgen-radiology/2.xml").write_text("<a>")
    with pytest.raises(InputError, match=r"2\.xml: not a readable report"):
        read_open_i(folder)
    with pytest.raises(InputError, match=r"gold_labels\.csv: no such file"):
        read_open_i(folder / "none")


def test_agreement_counts_by_hand(folder):
    reports = read_open_i(folder)
    found = agreement(reports, answers_of_rules(reports, "probable"))
    # Effusion, atelectasis, cardiomegaly are found, the mass is missed.
    assert (found.num_positive, found.precision, found.recall) == (4, 1.0, 0.75)
    assert found.f1 == pytest.approx(6 / 7)
    positive = agreement(reports, answers_of_rules(reports, "positive"))
    assert positive.precision == 0.75
    assert agreement(reports, answers_of_rules(reports, "probable"), [NAMES[0]]).num_positive == 1
    # The atelectasis is in doubt; of the other three the mass is not found.
    assert recall_on_certain(reports, answers_of_rules(reports, "uncertain")) == pytest.approx(2 / 3)


def test_doubts_by_grade(folder):
    found = coded_doubts(read_open_i(folder))
    assert found == {("Pneumonia", "possible"): (0, 1), ("Atelectasis", "probable"): (1, 1)}


def test_peer_takes_every_mention_that_is_not_denied(folder):
    said = answers_of_peer(read_open_i(folder))
    assert said[0]["Pleural Effusion"] == "present"
    assert said[0]["Pneumothorax"] == said[1]["Nodule"] == "absent"
    assert said[1]["Pneumonia"] == said[1]["Lung Opacity"] == "present"
    assert said[3] == {}


def test_program_prints_tables(folder, capsys):
    score_reports.main(["--folder", str(folder), "--half", "tuning"])
    printed = capsys.readouterr().out
    assert "| rules, `probable` | " in printed
    assert "| pleural thickening | 0 | " in printed
    assert "2 reports." in printed
    assert re.search(r"\| all \| \d of \d \| \d of \d \|", printed)
