"""scripts/draw_grounding.py."""

import pytest
from PIL import Image

from maskray.errors import InputError
from scripts import draw_grounding
from tests.made_benchmark import write_inputs
from tests.made_phrases import write_phrases
from tests.scripts.programs import run_program


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    inputs = write_inputs(tmp_path_factory.mktemp("inputs"))
    write_phrases(inputs.paths)
    return inputs


def flags(inputs, tmp_path, **changes):
    more = {"num-phrases": 4, "data-note": "MADE DATA", "figure": tmp_path / "out" / "figure.png"}
    return inputs.flags({"grounding": {"taus": [0.1]}}, **(more | changes))


def test_help_answers():
    result = run_program("draw_grounding", "--help")
    assert result.returncode == 0
    assert "names its finding alone" in result.stdout


def test_a_picture_and_no_phrase_on_the_way(inputs, tmp_path, capsys, caplog):
    draw_grounding.main(flags(inputs, tmp_path))
    with Image.open(tmp_path / "out" / "figure.png") as picture:
        assert picture.size[0] > 600
    said = capsys.readouterr()
    assert "edema" not in said.out + said.err + caplog.text


def test_the_phrases_stand_in_it_where_that_is_asked_for(inputs, tmp_path):
    figure = tmp_path / "out" / "figure.png"
    draw_grounding.main(flags(inputs, tmp_path))
    without = figure.read_bytes()
    draw_grounding.main([*flags(inputs, tmp_path), "--show-phrases"])
    assert figure.read_bytes() != without


def test_less_than_one_phrase_is_refused(inputs, tmp_path):
    with pytest.raises(InputError, match="--num-phrases: at least 1"):
        draw_grounding.main(flags(inputs, tmp_path, **{"num-phrases": 0}))
    assert not (tmp_path / "out").exists()
