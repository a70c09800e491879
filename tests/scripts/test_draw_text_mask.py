"""scripts/draw_text_mask.py."""

import pytest
import torch
from PIL import Image

from maskray.config.stages import PretrainStage
from maskray.config.training import RuntimeConfig
from maskray.training.loop import pretrain
from scripts import draw_text_mask
from tests.made_studies import make_source, stage
from tests.scripts.programs import run_program


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    top = tmp_path_factory.mktemp("text_mask")
    source = make_source(top / "made", 8)
    settings = stage("mmclip", num_epochs=1)
    settings["method"] |= {"unpaired": False}
    pretrain(PretrainStage.model_validate(settings), [source], 0, top / "out", RuntimeConfig())
    torch.use_deterministic_algorithms(False)
    return {"pretrained": top / "out"} | source.files()


def flags(inputs, folder):
    pairs = inputs | {"title": "mmclip: MADE DATA", "figure": folder / "a.svg", "png": folder / "a.png"}
    return [part for name, value in pairs.items() for part in (f"--{name}", str(value))]


def test_help_answers():
    result = run_program("draw_text_mask", "--help")
    assert result.returncode == 0
    assert "only for reports that anyone may read" in result.stdout


def test_words_stand_in_the_picture_on_request_alone(inputs, tmp_path):
    draw_text_mask.main(flags(inputs, tmp_path))
    numbered = (tmp_path / "a.svg").read_bytes()
    draw_text_mask.main([*flags(inputs, tmp_path), "--show-reports"])
    assert (tmp_path / "a.svg").read_bytes() != numbered
    assert Image.open(tmp_path / "a.png").size[0] > 600


def test_a_missing_model_is_one_line_and_no_output(inputs, tmp_path):
    result = run_program("draw_text_mask", *flags(inputs | {"pretrained": tmp_path / "none"}, tmp_path))
    assert result.returncode == 1
    assert str(tmp_path / "none") in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir())
