"""scripts/draw_chart.py."""

import json

import pytest
from PIL import Image

from maskray.errors import InputError
from maskray.tables import collect
from scripts import draw_chart
from tests.scripts.programs import run_program
from tests.scripts.test_render_table import STAGE


@pytest.fixture
def flags(tmp_path, repository):
    collect.write(collect.collect([]), tmp_path / "metrics.parquet")
    files = {
        "table-metrics": tmp_path / "metrics.parquet",
        "published": repository / "config/published/maco.csv",
        "figure": tmp_path / "out/chart.svg",
        "png": tmp_path / "out/chart.png",
    }
    return [part for name, value in files.items() for part in (f"--{name}", str(value))]


def test_help_answers():
    result = run_program("draw_chart", "--help")
    assert result.returncode == 0
    assert "95 % intervals" in result.stdout


def test_a_chart_says_which_data_it_stands_on(flags, tmp_path):
    draw_chart.main(["--settings", json.dumps(STAGE), *flags])
    with Image.open(tmp_path / "out/chart.png") as picture:
        assert picture.size[0] > 600
    assert (tmp_path / "out/chart.svg").stat().st_size > 1000


def test_settings_that_are_no_table_are_refused(flags, tmp_path):
    with pytest.raises(InputError, match="table"):
        draw_chart.main(["--settings", json.dumps({"paper": "maco"}), *flags])
    assert not (tmp_path / "out").exists()
