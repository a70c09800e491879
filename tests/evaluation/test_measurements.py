"""The file of items measured one by one."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from maskray.errors import InputError
from maskray.evaluation.measurements import Measurements, holds_measurements, read_measurements, write_measurements
from maskray.evaluation.predictions import Predictions, write_predictions

NAN = float("nan")


def make(**changes):
    values = {"miou": np.array([0.5, 0.25, NAN], np.float32), "miou/tau=0.2": np.array([1, 0, 0], np.float32)}
    made = Measurements(["c", "a", "b"], ["p1", "p2", "p2"], ["Edema", "", "Edema"], values, {"tau": 0.1})
    return replace(made, **changes)


def test_what_is_written_is_read_sorted_by_item(tmp_path):
    write_measurements(tmp_path / "m.parquet", make())
    read = read_measurements(tmp_path / "m.parquet")
    assert (read.item_ids, read.patient_ids, read.labels) == (
        ["a", "b", "c"],
        ["p2", "p2", "p1"],
        ["", "Edema", "Edema"],
    )
    np.testing.assert_array_equal(read.values["miou"], np.array([0.25, NAN, 0.5], np.float32))
    np.testing.assert_array_equal(read.values["miou/tau=0.2"], np.array([0, 0, 1], np.float32))
    assert read.settings == {"tau": 0.1}


def test_equal_measurements_are_equal_bytes_whatever_their_order(tmp_path):
    write_measurements(tmp_path / "first.parquet", make())
    write_measurements(tmp_path / "second.parquet", read_measurements(tmp_path / "first.parquet"))
    assert (tmp_path / "first.parquet").read_bytes() == (tmp_path / "second.parquet").read_bytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"item_ids": ["a", "a", "b"]}, "stands twice"),
        ({"patient_ids": ["a", None, "b"]}, "column patient_id"),
        ({"labels": ["a"]}, "column label: each of the 3 items"),
        ({"values": {"cnr": np.array([1, np.inf, 0])}}, "column value_cnr: 3 numbers"),
        ({"values": {"cnr": np.zeros(2)}}, "column value_cnr: 3 numbers"),
        ({"values": {}}, "nothing was measured"),
        ({"item_ids": [], "patient_ids": [], "labels": [], "values": {"cnr": np.zeros(0)}}, "nothing was measured"),
    ],
)
def test_what_scoring_would_get_wrong_is_not_written(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        write_measurements(tmp_path / "m.parquet", make(**changes))
    assert not list(tmp_path.iterdir())


def test_the_kind_of_a_file_is_told_by_its_metadata(tmp_path):
    write_measurements(tmp_path / "m.parquet", make())
    numbers = np.zeros((1, 1), np.float32)
    write_predictions(tmp_path / "p.parquet", Predictions(("Edema",), ["i"], ["p"], ["test"], numbers, numbers, {}))
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "m.parquet").read_bytes()[:-9])
    kinds = {name: holds_measurements(tmp_path / f"{name}.parquet") for name in ("m", "p", "cut", "missing")}
    assert kinds == {"m": True, "p": False, "cut": False, "missing": False}


def test_a_missing_a_foreign_and_a_cut_file_are_named(tmp_path):
    path = tmp_path / "m.parquet"
    with pytest.raises(InputError, match=r"m\.parquet: no such file"):
        read_measurements(path)
    parquet.write_table(pa.table({"item_id": ["a"], "patient_id": ["p"], "label": [""], "value_cnr": [1.0]}), path)
    with pytest.raises(InputError, match="as its metadata say"):
        read_measurements(path)
    write_measurements(path, make())
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"m\.parquet: not a file of measurements"):
        read_measurements(path)
