"""scripts/draw_segmentation.py."""

import numpy as np
import pytest
from PIL import Image

from maskray.data.drawn_masks import DrawnMasks, pack, write_drawn_masks
from maskray.errors import InputError
from scripts import draw_segmentation
from tests.made_benchmark import write_benchmark
from tests.scripts.programs import run_program


@pytest.fixture
def flags(tmp_path):
    """The command line for two fractions of two films of 8 px."""
    bits = pack(np.tril(np.ones((2, 8, 8), bool)))
    for name, fraction in (("few", 0.1), ("all", 1.0)):
        write_drawn_masks(tmp_path / f"{name}.parquet", DrawnMasks(["test-000", "test-001"], bits, bits, 8, fraction))
    manifest = write_benchmark(tmp_path / "data").manifest
    return [
        *("--drawn", str(tmp_path / "few.parquet"), str(tmp_path / "all.parquet"), "--manifest", str(manifest)),
        *("--title", "mnm: segmentation", "--data-note", "MADE DATA", "--figure", str(tmp_path / "out/figure.png")),
    ]


def test_help_answers():
    result = run_program("draw_segmentation", "--help")
    assert result.returncode == 0
    assert "outlines" in result.stdout


def test_a_picture_is_drawn(flags, tmp_path):
    draw_segmentation.main([*flags, "--num-films", "2"])
    with Image.open(tmp_path / "out/figure.png") as picture:
        assert picture.size[0] > 600


def test_less_than_one_film_is_refused(flags, tmp_path):
    with pytest.raises(InputError, match="--num-films: at least 1"):
        draw_segmentation.main([*flags, "--num-films", "0"])
    assert not (tmp_path / "out").exists()
