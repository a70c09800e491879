"""scripts/retrieve.py."""

import pytest

from maskray.errors import InputError
from maskray.evaluation.measurements import read_measurements
from maskray.files import read_json
from scripts import retrieve
from tests.made_benchmark import write_inputs
from tests.made_reports import NUM_TEST_STUDIES, write_reports
from tests.scripts.programs import run_program

SETTINGS = {"retrieval": {"num_candidates": 12}}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    inputs = write_inputs(tmp_path_factory.mktemp("inputs"), "medim")
    write_reports(inputs.paths)
    return inputs


def flags(inputs, tmp_path, **changes):
    outputs = {"predictions": tmp_path / "out" / "predictions.parquet", "provenance": tmp_path / "out" / "p.json"}
    return inputs.flags(SETTINGS, **{"reports": inputs.paths.index.with_name("reports.parquet")} | outputs | changes)


def test_help_answers():
    result = run_program("retrieve", "--help")
    assert result.returncode == 0
    assert "ties are hits" in result.stdout


def test_measurements_with_the_number_of_candidates(inputs, tmp_path):
    retrieve.main(flags(inputs, tmp_path))
    read = read_measurements(tmp_path / "out" / "predictions.parquet")
    assert len(read.item_ids) == read.settings["num_candidates"] == 12 < NUM_TEST_STUDIES
    assert set(read_json(tmp_path / "out" / "p.json")["inputs"]) >= {"reports", "weights", "index", "manifest"}


def test_missing_reports_are_named_and_nothing_is_written(inputs, tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.parquet: no such file"):
        retrieve.main(flags(inputs, tmp_path, reports=tmp_path / "nowhere.parquet"))
    assert not (tmp_path / "out").exists()
