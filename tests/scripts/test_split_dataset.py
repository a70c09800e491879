import runpy
import subprocess
import sys

import pytest

from maskray.config.dataset import SplitConfig
from maskray.data.index import write_index
from maskray.data.readers import nih
from maskray.data.splits import read_split
from maskray.files import read_json, write_yaml
from tests.data.layouts import NIH_ROWS, dataset, write_nih


@pytest.fixture
def prepared(repository, tmp_path):
    """A function that runs the program on a tiny index with the given shares, by default in this process."""
    index = nih.read_index({"folder": write_nih(tmp_path / "site")}, dataset("nih"))
    write_index(index, tmp_path / "index.parquet")

    def run(*labels, apart=False, **settings):
        write_yaml(tmp_path / "split.yaml", SplitConfig(**settings).model_dump(mode="json"))
        script = str(repository / "scripts/split_dataset.py")
        arguments = ["--index", tmp_path / "index.parquet", "--settings", tmp_path / "split.yaml", "--labels", *labels]
        arguments += ["--split", tmp_path / "out/split.csv", "--summary", tmp_path / "out/summary.json"]
        if apart:
            return subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, check=False)
        return runpy.run_path(script)["main"]([str(argument) for argument in arguments])

    return run


def test_help_answers(repository):
    command = [sys.executable, repository / "scripts/split_dataset.py", "--help"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "--labels LABEL [LABEL ...]" in answer.stdout


def test_writes_split_and_summary(prepared, tmp_path, caplog):
    prepared("Cardiomegaly", "Hernia", train=0.34, validation=0.33, test=0.33, note="Ours.")
    split = read_split(tmp_path / "out/split.csv")
    assert list(split["image_id"]) == [row.split(",")[0] for row in NIH_ROWS]
    assert set(split["part"]) == {"train", "validation", "test"}
    summary = read_json(tmp_path / "out/summary.json")
    assert summary["note"].startswith("Ours.")
    assert "has no positive image of" in caplog.text
    first = (tmp_path / "out/split.csv").read_bytes()
    prepared("Cardiomegaly", "Hernia", train=0.34, validation=0.33, test=0.33, note="Ours.")
    assert (tmp_path / "out/split.csv").read_bytes() == first


def test_bad_input_is_one_clear_line_and_leaves_no_output(prepared, tmp_path):
    answer = prepared("Cardiomegaly", "Flu", apart=True, train=0.34, validation=0.33, test=0.33)
    assert answer.returncode == 1
    assert f"error: {tmp_path / 'index.parquet'}: the index has no label Flu" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (tmp_path / "out").exists()
