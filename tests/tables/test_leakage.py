"""Flags in all forms of a table, the page of a check, and the report."""

import json

import numpy as np
import pandas as pd
import pytest

from maskray.config.leakage import CheckedSplit, CheckStage, LeakageConfig
from maskray.config.stages import ReportStage, TableStage
from maskray.data.leakage.check import Checked
from maskray.data.leakage.films import Films, Pictures
from maskray.data.leakage.findings import compare
from maskray.data.leakage.verdict import as_json
from maskray.errors import InputError
from maskray.files import write_json
from maskray.tables import render
from maskray.tables.layout import lay_out
from maskray.tables.leakage import read_flags
from maskray.tables.leakage_page import render_page
from maskray.tables.published import read_published
from maskray.tables.report import Sources, render_report
from tests.tables.conftest import STAGE

FLAG = "3 of 300 test films are in the pre-training data MIMIC-CXR-JPG: as in the paper"
CHECKS = {"default": {"rsna_classification": ["rsna-mnm/rsna-mnm", "rsna-mnm/mimic-mnm"]}}


@pytest.fixture
def verdicts(tmp_path):
    files = []
    for trained, flags in (("rsna-mnm", []), ("mimic-mnm", [FLAG])):
        content = {"schema_version": 1, "tested": "rsna-mnm", "trained": trained, "flags": flags}
        files.append(tmp_path / f"{trained}.json")
        write_json(files[-1], content)
    return files


def stage():
    return TableStage.parse(STAGE | {"checks": CHECKS}, "stage")


def test_a_declared_finding_is_a_footnote_of_our_cells_in_all_forms(verdicts, metrics, published_file):
    layout = lay_out(stage(), read_published(published_file, "table1"), metrics, read_flags(stage(), verdicts))
    mark = layout.marks[FLAG]
    assert f"<sup>{mark}</sup> {FLAG}" in render.markdown(layout)
    assert rf"\textsuperscript{{{mark}}} {FLAG}" in render.latex(layout)
    assert FLAG in render.html(layout)
    flagged = [line for line in render.csv_text(layout).splitlines() if FLAG in line]
    assert {tuple(line.split(",")[2:4]) for line in flagged} == {("ours", "rsna|auc|1%"), ("difference", "rsna|auc|1%")}
    without = lay_out(stage(), read_published(published_file, "table1"), metrics)
    assert FLAG not in render.markdown(without)


def test_patients_shared_on_purpose_are_a_footnote_of_the_split_s_own_cells(verdicts, metrics, published_file):
    split = CheckedSplit(dataset="rsna", protocol="mnm", title="RSNA", owner="rsna", shares_patients=True)
    own = CheckStage(trained=split, tested=split, leakage=LeakageConfig(pictures=False))
    columns = ["image_id", "film", "person"]
    train, test = (
        Films(f"rsna-mnm {part}", pd.DataFrame(rows, columns=columns))
        for part, rows in (("train", [("a", 1, 1)]), ("test", [("b", 2, 1), ("c", 3, 2)]))
    )
    write_json(verdicts[0], as_json(own, compare(train, test, own.leakage, own.task), {}))
    layout = lay_out(stage(), read_published(published_file, "table1"), metrics, read_flags(stage(), verdicts))
    flag = "1 of 2 test films are of patients in the training part: shared on purpose, as the split says"
    assert any(text.startswith(flag) for text in layout.marks)
    assert flag in render.html(layout)


def test_a_cell_without_its_verdict_and_a_file_of_another_kind_are_refused(verdicts, tmp_path):
    with pytest.raises(InputError, match="rsna_classification of default: no verdict rsna-mnm/mimic-mnm"):
        read_flags(stage(), verdicts[:1])
    write_json(tmp_path / "other.json", {"flags": []})
    with pytest.raises(InputError, match=r"other\.json: not a verdict of check_leakage"):
        read_flags(stage(), [tmp_path / "other.json"])


@pytest.fixture
def checked():
    """One test film that looks like a training film of another patient."""
    rng = np.random.default_rng(0)
    film = rng.random((64, 64), dtype=np.float32) * 255

    def films(name, *ids, person):
        table = pd.DataFrame({"image_id": ids, "film": range(person, person + len(ids)), "person": person})
        shown = Pictures(
            np.zeros((len(ids), 32), np.uint8),
            np.ones(len(ids), bool),
            lambda rows: np.repeat(film[None], len(rows), 0),
        )
        return Films(name, table, shown)

    parts = films("nih-maco train", "a<b>", person=1), films("nih-maco test", "c", person=5)
    return Checked(compare(*parts, LeakageConfig(), LeakageConfig().task), {part.name: part for part in parts})


def check_stage():
    split = CheckedSplit(dataset="nih", protocol="maco", title="NIH", owner="nih")
    return CheckStage(trained=split, tested=split, leakage=LeakageConfig())


def test_the_page_shows_look_alikes_side_by_side_and_ids_escaped(checked):
    page = render_page(check_stage(), checked)
    assert page.count("data:image/png;base64,") == 2
    assert "a&lt;b&gt;" in page
    assert "0 of 256 bits differ, correlation 1.0000" in page
    assert render_page(check_stage(), checked) == page
    assert "No film, no patient and no picture is shared" in render_page(check_stage(), Checked([], checked.parts))


def test_the_report_lists_the_verdicts(checked, tmp_path):
    write_json(tmp_path / "nih-maco.json", as_json(check_stage(), checked.findings, {}))
    report = ReportStage.parse({"data_note": "films", "made": False}, "stage")
    page = render_report(report, Sources([], verdicts=[tmp_path / "nih-maco.json"]))
    assert "its own training part" in page
    assert "look the same as films of other patients in the training part (declared)" in page
    assert "No verdicts of the leakage guard" in render_report(report, Sources([]))
    assert json.loads((tmp_path / "nih-maco.json").read_text())["flags"] == [
        "1 of 1 test films look the same as films of other patients in the training part"
    ]
