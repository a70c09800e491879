"""scripts/render_report.py."""

import json

from scripts import render_report
from tests.scripts.programs import run_program

STAGE = {"data_note": "painted films", "made": True, "papers": {"mnm": {"title": "Masks & Manuscripts"}}}


def flags(tmp_path, tables=()):
    return [
        *("--settings", json.dumps(STAGE), "--tables", *map(str, tables)),
        *("--figures", "--report", str(tmp_path / "report.html")),
    ]


def test_help_answers():
    result = run_program("render_report", "--help")
    assert result.returncode == 0
    assert "one HTML page" in result.stdout


def test_page_is_written(tmp_path):
    render_report.main(flags(tmp_path))
    page = (tmp_path / "report.html").read_text()
    assert "MADE DATA:" in page
    assert "Masks &amp; Manuscripts" in page


def test_settings_may_be_a_file(tmp_path):
    (tmp_path / "report.yaml").write_text(json.dumps(STAGE))
    render_report.main(["--settings", str(tmp_path / "report.yaml"), *flags(tmp_path)[2:]])
    assert (tmp_path / "report.html").is_file()


def test_a_missing_table_is_one_line_and_no_output(tmp_path):
    result = run_program("render_report", *flags(tmp_path, [tmp_path / "mnm/table1.html"]))
    assert result.returncode == 1
    assert "table1.html: no such file" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "report.html").exists()
