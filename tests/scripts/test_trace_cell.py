"""scripts/trace_cell.py."""

import json

import pytest

from maskray.tables import collect
from scripts import render_table
from tests.made_runs import STAGE, write_results
from tests.scripts.programs import run_program


@pytest.fixture
def table(tmp_path):
    """A table that render_table wrote, in its results root."""
    root = tmp_path / "results"
    collect.write(collect.collect(write_results(root)), tmp_path / "metrics.parquet")
    (tmp_path / "published.csv").write_text("table,row,column,value\n")
    inputs = {
        "settings": json.dumps(STAGE),
        "table-metrics": tmp_path / "metrics.parquet",
        "published": tmp_path / "published.csv",
    }
    outputs = {form: root / f"tables/mnm/ablation.{form}" for form in ("csv", "md", "tex", "html")}
    render_table.main([part for name, value in (inputs | outputs).items() for part in (f"--{name}", str(value))])
    return root / "tables/mnm/ablation.md"


def test_help_answers():
    result = run_program("trace_cell", "--help")
    assert result.returncode == 0
    assert "which command makes it again" in result.stdout


def test_cells_are_listed_and_one_is_traced(table):
    listed = run_program("trace_cell", "--table", str(table))
    assert "nih|f1|1%" in listed.stdout
    traced = run_program("trace_cell", "--table", str(table), "--row", "No ridge", "--column", "nih|f1|1%")
    assert traced.returncode == 0
    assert "f1_oracle of macro" in traced.stdout
    assert "--force -- " in traced.stdout


def test_a_misspelt_row_is_one_line(table):
    result = run_program("trace_cell", "--table", str(table), "--row", "No rige", "--column", "nih|f1|1%")
    assert result.returncode == 1
    assert "did you mean No ridge?" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_row_without_a_column_is_refused(table):
    result = run_program("trace_cell", "--table", str(table), "--row", "M&M")
    assert result.returncode == 2
    assert "needs --row and --column" in result.stderr
