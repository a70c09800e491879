"""scripts/zeroshot.py."""

import pytest

from maskray.errors import InputError
from maskray.evaluation.predictions import read_predictions
from scripts import zeroshot
from tests.made_benchmark import write_inputs
from tests.scripts.programs import run_program

SETTINGS = {"zeroshot": {"positive": "{x}", "negative": "no {x}"}}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return write_inputs(tmp_path_factory.mktemp("inputs"))


def flags(inputs, tmp_path, settings=SETTINGS):
    outputs = {"predictions": tmp_path / "out" / "predictions.parquet", "provenance": tmp_path / "out" / "p.json"}
    return inputs.flags(settings, **outputs)


def test_help_answers():
    result = run_program("zeroshot", "--help")
    assert result.returncode == 0
    assert "pair of prompts" in result.stdout


def test_predictions_with_their_prompts(inputs, tmp_path):
    zeroshot.main(flags(inputs, tmp_path))
    read = read_predictions(tmp_path / "out" / "predictions.parquet")
    assert len(read.part("validation").image_ids) == 20
    assert read.notes["prompts"] == {
        "Edema": ["pulmonary edema", "no pulmonary edema"],
        "Cardiomegaly": ["cardiomegaly", "no cardiomegaly"],
    }
    assert (abs(read.scores_NL) <= 2).all()
    assert (tmp_path / "out" / "p.json").is_file()


def test_a_label_that_the_index_has_not_stops_it(inputs, tmp_path):
    with pytest.raises(InputError, match=r"index\.parquet: no label Hernia; it has Edema, Cardiomegaly"):
        zeroshot.main(flags(inputs, tmp_path, SETTINGS | {"labels": ["Hernia"]}))
    assert not (tmp_path / "out").exists()
