"""scripts/score.py."""

import sys

import numpy as np
import pytest

from maskray.evaluation.predictions import Predictions, write_predictions
from maskray.files import read_json, write_yaml
from scripts import score
from tests.scripts.programs import run_program


@pytest.fixture
def flags(tmp_path):
    ids = [f"i{i}" for i in range(60)]
    labels = (np.arange(60) % 2).astype(np.float32)[:, None]
    scores = labels + np.random.default_rng(0).normal(size=labels.shape).astype(np.float32)
    parts = ["test"] * 40 + ["validation"] * 20
    write_predictions(tmp_path / "p.parquet", Predictions(("Edema",), ids, ids, parts, labels, scores, {}))
    write_yaml(tmp_path / "score.yaml", {"num_replicates": 30})
    names = {"predictions": "p.parquet", "settings": "score.yaml"}
    names |= {"metrics": "out/metrics.json", "bootstrap": "out/bootstrap.npz"}
    return [part for name, file in names.items() for part in (f"--{name}", str(tmp_path / file))]


def test_help_answers():
    result = run_program("score", "--help")
    assert result.returncode == 0
    assert "f1_oracle" in result.stdout


def test_metrics_and_replicates(flags, tmp_path):
    score.main(flags)
    rows = read_json(tmp_path / "out" / "metrics.json")["rows"]
    assert {row["metric"] for row in rows} == {"auroc", "f1", "f1_oracle", "accuracy", "accuracy_oracle"}
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows if row["metric"] == "auroc")
    with np.load(tmp_path / "out" / "bootstrap.npz") as replicates:
        assert replicates["auroc/macro"].shape == (30,)


def test_it_needs_neither_torch_nor_pandas(flags):
    code = (
        "import sys; from scripts import score; score.main(sys.argv[1:]);"
        "bad = {'torch', 'pandas', 'sklearn', 'scipy', 'matplotlib', 'jsonschema'} & set(sys.modules);"
        "sys.exit(f'imported {bad}' if bad else 0)"
    )
    result = run_program(sys.executable, "-c", code, *flags)
    assert result.returncode == 0, result.stderr


def test_damaged_predictions_are_one_line_and_no_output(flags, tmp_path):
    (tmp_path / "p.parquet").write_bytes(b"PAR1")
    result = run_program("score", *flags)
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert "p.parquet" in result.stderr
    assert not (tmp_path / "out").exists()


def several(flags, tmp_path):
    """The flags with a second run of the same predictions."""
    more = {"predictions": "p.parquet", "metrics": "out/second.json", "bootstrap": "out/second.npz"}
    flags = list(flags)
    for name, file in more.items():
        flags.insert(flags.index(f"--{name}") + 2, str(tmp_path / file))
    return flags


def test_several_runs_are_scored_one_by_one(flags, tmp_path):
    score.main(several(flags, tmp_path))
    out = tmp_path / "out"
    assert read_json(out / "second.json") == read_json(out / "metrics.json")
    assert (out / "second.npz").read_bytes() == (out / "bootstrap.npz").read_bytes()


@pytest.mark.parametrize("name", ["predictions", "metrics", "bootstrap"])
def test_lists_of_unequal_length_are_refused_before_anything_is_written(flags, tmp_path, capsys, name):
    unequal = several(flags, tmp_path)
    del unequal[unequal.index(f"--{name}") + 2]
    with pytest.raises(SystemExit) as stopped:
        score.main(unequal)
    assert stopped.value.code == 2
    assert "one file per run each" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
