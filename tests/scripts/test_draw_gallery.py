"""scripts/draw_gallery.py."""

import pandas as pd
import pytest
import torch
from PIL import Image

from maskray.config.stages import PretrainStage
from maskray.config.training import RuntimeConfig
from maskray.training.loop import pretrain
from scripts import draw_gallery
from tests.made_studies import make_source, stage
from tests.scripts.programs import run_program


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    top = tmp_path_factory.mktemp("gallery")
    source = make_source(top / "made", 8)
    pd.read_csv(source.split, dtype=str).replace({"part": {"test": "validation"}}).to_csv(source.split, index=False)
    pretrain(PretrainStage.model_validate(stage("maco", num_epochs=1)), [source], 0, top / "out", RuntimeConfig())
    torch.use_deterministic_algorithms(False)
    return {"pretrained": top / "out"} | source.files()


def flags(inputs, figure, num_images="2"):
    pairs = inputs | {"num-images": num_images, "title": "maco", "data-note": "MADE DATA", "figure": figure}
    return [part for name, value in pairs.items() for part in (f"--{name}", str(value))]


def test_help_answers():
    result = run_program("draw_gallery", "--help")
    assert result.returncode == 0
    assert "only for reports that anyone may read" in result.stdout


def test_films_are_drawn_the_same_twice(inputs, tmp_path):
    for name in ("a.png", "b.png"):
        draw_gallery.main(flags(inputs, tmp_path / name))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert Image.open(tmp_path / "a.png").size[1] > 400


def test_the_report_is_shown_where_it_may_be(inputs, tmp_path):
    draw_gallery.main(flags(inputs, tmp_path / "without.png"))
    draw_gallery.main([*flags(inputs, tmp_path / "with.png"), "--show-reports"])
    without, shown = (Image.open(tmp_path / f"{name}.png").size for name in ("without", "with"))
    assert shown[1] == without[1]
    assert (tmp_path / "with.png").read_bytes() != (tmp_path / "without.png").read_bytes()


def test_two_models_stand_side_by_side(inputs, tmp_path):
    one, *rest = flags(inputs, tmp_path / "one.png"), "--names", "(a) one", "(b) other"
    draw_gallery.main(one)
    two = flags(inputs, tmp_path / "two.png")
    draw_gallery.main([*two[:2], str(inputs["pretrained"]), *two[2:], *rest])
    one, two = (Image.open(tmp_path / f"{name}.png").size for name in ("one", "two"))
    assert two[0] > one[0]


def test_a_missing_model_is_one_line_and_no_output(inputs, tmp_path):
    result = run_program("draw_gallery", *flags(inputs | {"pretrained": tmp_path / "none"}, tmp_path / "a.png"))
    assert result.returncode == 1
    assert str(tmp_path / "none") in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "a.png").exists()
