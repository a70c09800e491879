"""scripts/ground.py."""

import pytest

from maskray.errors import InputError
from maskray.evaluation.measurements import read_measurements
from scripts import ground
from tests.made_benchmark import write_inputs
from tests.made_phrases import NUM_PHRASES, write_phrases
from tests.scripts.programs import run_program

SETTINGS = {"grounding": {"taus": [0.1, 1.0]}}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    inputs = write_inputs(tmp_path_factory.mktemp("inputs"))
    write_phrases(inputs.paths)
    return inputs


def flags(inputs, tmp_path, settings=SETTINGS):
    outputs = {"predictions": tmp_path / "out" / "predictions.parquet", "provenance": tmp_path / "out" / "p.json"}
    return inputs.flags(settings, **outputs)


def test_help_answers():
    result = run_program("ground", "--help")
    assert result.returncode == 0
    assert "pointing game" in result.stdout


def test_measurements_of_each_phrase_without_its_text(inputs, tmp_path):
    ground.main(flags(inputs, tmp_path))
    path = tmp_path / "out" / "predictions.parquet"
    read = read_measurements(path)
    assert len(read.item_ids) == NUM_PHRASES
    assert {"miou", "cnr", "pointing_game", "box_share", "miou/tau=0.1", "cnr/tau=1"} <= set(read.values)
    assert read.settings["smoothing_sigma"] == 1.5
    assert b"edema" not in path.read_bytes()  # the category is Edema; the phrase is in small letters
    assert (tmp_path / "out" / "p.json").is_file()


def test_wrong_settings_stop_it(inputs, tmp_path):
    with pytest.raises(InputError, match=r"grounding\.thresholds"):
        ground.main(flags(inputs, tmp_path, {"grounding": {"thresholds": []}}))
    assert not (tmp_path / "out").exists()
