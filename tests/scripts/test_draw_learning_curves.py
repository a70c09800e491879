"""scripts/draw_learning_curves.py."""

import pytest
from PIL import Image

from scripts import draw_learning_curves
from tests.scripts.programs import run_program


@pytest.fixture
def flags(tmp_path):
    def build(log):
        (tmp_path / "log.csv").write_text(log)
        pairs = {"log": tmp_path / "log.csv", "title": "maco", "figure": tmp_path / "a.svg", "png": tmp_path / "a.png"}
        return [part for name, value in pairs.items() for part in (f"--{name}", str(value))]

    return build


def test_help_answers():
    result = run_program("draw_learning_curves", "--help")
    assert result.returncode == 0
    assert "total loss" in result.stdout


def test_both_pictures_are_drawn(flags, tmp_path):
    draw_learning_curves.main(flags("step,epoch,total\n0,0,3.0\n1,0,2.0\n"))
    assert (tmp_path / "a.svg").read_text().startswith("<?xml")
    assert Image.open(tmp_path / "a.png").size[0] > 500


def test_a_log_of_something_else_is_one_line_and_no_output(flags, tmp_path):
    result = run_program("draw_learning_curves", *flags("a,b\n1,2\n"))
    assert result.returncode == 1
    assert "log.csv" in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.glob("*a.*"))
