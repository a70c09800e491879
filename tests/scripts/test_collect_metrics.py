"""scripts/collect_metrics.py."""

import json

import numpy as np
import pandas as pd
import pytest

from scripts import collect_metrics
from tests.scripts.programs import run_program


@pytest.fixture
def metrics_file(tmp_path):
    folder = tmp_path / "mnm/default/seed0/rsna_classification/1%/seed0"
    folder.mkdir(parents=True)
    row = {"metric": "auroc", "label": "macro", "value": 0.8, "low": 0.7, "high": 0.9}
    row |= {"num_images": 10, "num_positive": 4}
    (folder / "metrics.json").write_text(json.dumps({"rows": [row]}))
    np.savez(folder / "bootstrap.npz", **{"auroc/macro": np.float32([0.7, 0.9])})
    return folder / "metrics.json"


def test_help_answers():
    result = run_program("collect_metrics", "--help")
    assert result.returncode == 0
    assert "bootstrap.npz" in result.stdout


def test_metrics_become_one_table(metrics_file, tmp_path):
    out = tmp_path / "out/table1.parquet"
    collect_metrics.main(["--metrics", str(metrics_file), "--table-metrics", str(out)])
    (row,) = pd.read_parquet(out).to_dict("records")
    assert (row["paper"], row["fraction"], row["value"]) == ("mnm", "1%", 0.8)


def test_no_metrics_at_all_are_an_empty_table(tmp_path):
    collect_metrics.main(["--metrics", "--table-metrics", str(tmp_path / "none.parquet")])
    assert pd.read_parquet(tmp_path / "none.parquet").empty


def test_a_malformed_file_is_one_line_and_no_output(metrics_file, tmp_path):
    metrics_file.write_text("{")
    result = run_program(
        "collect_metrics", "--metrics", str(metrics_file), "--table-metrics", str(tmp_path / "out.parquet")
    )
    assert result.returncode == 1
    assert result.stderr.startswith(f"error: {metrics_file}")
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "out.parquet").exists()
