"""scripts/render_table.py."""

import csv
import json

import pytest

from maskray.tables import collect
from scripts import render_table
from tests.scripts.programs import run_program

GROUP = {"heading": "RSNA", "benchmark": "rsna_classification", "metrics": {"AUC": "auroc"}, "fractions": [0.01]}
STAGE = {
    "paper": "maco",
    "table_name": "table1",
    "table": {"title": "Classification", "rows": [{"name": "MaCo"}], "columns": [GROUP]},
    "data_note": "painted films",
    "made": True,
    "not_run": {"rsna": "rsna was not asked for"},
}
FORMS = ("csv", "md", "tex", "html")


@pytest.fixture
def flags(tmp_path, repository):
    def build(stage=STAGE):
        collect.write(collect.collect([]), tmp_path / "metrics.parquet")
        inputs = {
            "settings": json.dumps(stage),
            "table-metrics": tmp_path / "metrics.parquet",
            "published": repository / "config/published/maco.csv",
        }
        outputs = {form: tmp_path / f"out/table1.{form}" for form in FORMS}
        return [part for name, value in (inputs | outputs).items() for part in (f"--{name}", str(value))]

    return build


def test_help_answers():
    result = run_program("render_table", "--help")
    assert result.returncode == 0
    assert "not run" in result.stdout


def test_four_forms_are_written_and_a_missing_run_is_said(flags, tmp_path):
    render_table.main(flags())
    for form in FORMS:
        text = (tmp_path / f"out/table1.{form}").read_text()
        assert "MADE DATA" in text
        assert "not run" in text
        assert "rsna was not asked for" in text
    with (tmp_path / "out/table1.csv").open() as handle:
        lines = list(csv.DictReader(handle))
    assert [line["value"] for line in lines if line["row"] == "MaCo"] == ["91.2", ""]


def test_twice_the_same_bytes(flags, tmp_path):
    files = [tmp_path / f"out/table1.{form}" for form in FORMS]
    render_table.main(flags())
    first = [file.read_bytes() for file in files]
    render_table.main(flags())
    assert [file.read_bytes() for file in files] == first


def test_a_misspelt_setting_is_one_line_and_no_output(flags, tmp_path):
    result = run_program("render_table", *flags(STAGE | {"maid": True}))
    assert result.returncode == 1
    assert "maid" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()
