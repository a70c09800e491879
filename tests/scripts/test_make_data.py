import json
import subprocess
import sys

import pytest


@pytest.fixture
def run(repository, tmp_path):
    (tmp_path / "made.yaml").write_text("num_studies: {nih: 8}\nimage_px: 32\nseed: 1\n")

    def start(*arguments):
        command = [sys.executable, str(repository / "scripts" / "make_data.py"), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    return start


def flags(folder, dataset="nih"):
    return [
        *("--dataset", dataset, "--settings", folder / "made.yaml"),
        *("--folder", folder / "site", "--manifest", folder / "manifest.json"),
    ]


def test_help_answers(run):
    result = run("--help")
    assert result.returncode == 0
    assert "No patient is shown" in result.stdout


def test_data_and_manifest_are_written(run, tmp_path):
    result = run(*flags(tmp_path))
    assert result.returncode == 0, result.stderr
    assert "8 of 8 studies" in result.stderr
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["dataset"] == "nih"
    assert manifest["settings"]["seed"] == 1
    assert len(list((tmp_path / "site" / "images").iterdir())) == 8


def test_an_unknown_data_set_is_refused_and_leaves_nothing(run, tmp_path):
    result = run(*flags(tmp_path, dataset="vindr"))
    assert result.returncode == 1
    assert "vindr" in result.stderr
    assert "choose from" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "site").exists()
    assert not (tmp_path / "manifest.json").exists()
