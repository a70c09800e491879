"""scripts/compare_runs.py."""

import json

import pytest

from maskray.tables import collect
from scripts import compare_runs
from tests.made_runs import STAGE, write_results
from tests.scripts.programs import run_program

FORMS = ("csv", "md", "html")


@pytest.fixture
def flags(tmp_path):
    files = write_results(tmp_path / "results")
    collect.write(collect.collect(files), tmp_path / "metrics.parquet")
    (tmp_path / "published.csv").write_text("table,row,column,value\n")
    inputs = {
        "settings": json.dumps(STAGE),
        "table-metrics": tmp_path / "metrics.parquet",
        "published": tmp_path / "published.csv",
    }
    outputs = {form: tmp_path / f"out/ablation-comparisons.{form}" for form in FORMS}
    return [part for name, value in (inputs | outputs).items() for part in (f"--{name}", str(value))]


def test_help_says_which_test_and_which_correction():
    result = run_program("compare_runs", "--help")
    assert result.returncode == 0
    assert "DeLong" in result.stdout
    assert "Holm" in result.stdout


def test_three_forms_are_written_twice_the_same(flags, tmp_path):
    files = [tmp_path / f"out/ablation-comparisons.{form}" for form in FORMS]
    compare_runs.main(flags)
    first = [file.read_bytes() for file in files]
    compare_runs.main(flags)
    assert [file.read_bytes() for file in files] == first
    assert b"No ridge" in first[0]


def test_a_deleted_prediction_is_one_line_and_no_output(flags, tmp_path):
    gone = tmp_path / "results/mnm/no_ridge/seed0/nih_linear_probe/1%/seed1/predictions.parquet"
    gone.unlink()
    result = run_program("compare_runs", *flags)
    assert result.returncode == 1
    assert str(gone) in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()
