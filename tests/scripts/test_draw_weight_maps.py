"""scripts/draw_weight_maps.py."""

import pytest
from PIL import Image

from scripts import draw_weight_maps
from tests.scripts.programs import run_program

TWO_BY_THREE = ",".join(f"weights/{down}/{across}" for down in range(2) for across in range(3))


@pytest.fixture
def flags(tmp_path):
    def build(maps):
        (tmp_path / "maps.csv").write_text(maps)
        pairs = {
            "maps": tmp_path / "maps.csv",
            "title": "maco",
            "figure": tmp_path / "a.svg",
            "png": tmp_path / "a.png",
        }
        return [part for name, value in pairs.items() for part in (f"--{name}", str(value))]

    return build


def test_help_answers():
    result = run_program("draw_weight_maps", "--help")
    assert result.returncode == 0
    assert "epoch by epoch" in result.stdout


def test_both_pictures_are_drawn(flags, tmp_path):
    draw_weight_maps.main(flags(f"step,epoch,{TWO_BY_THREE}\n4,0,0,0,0,0,0,0\n9,1,1,2,3,-4,5,6\n"))
    assert (tmp_path / "a.svg").read_text().startswith("<?xml")
    assert Image.open(tmp_path / "a.png").size[0] > 500


def test_a_method_that_learns_none_is_one_line_and_no_output(flags, tmp_path):
    result = run_program("draw_weight_maps", *flags("step,epoch\n"))
    assert result.returncode == 1
    assert "learns none" in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.glob("*a.*[gG]"))
