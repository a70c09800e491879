import json
import subprocess
import sys

import pytest

from tests.made_films import make_films, make_parts


@pytest.fixture
def program(repository):
    return [sys.executable, str(repository / "scripts" / "collect_shards.py")]


@pytest.fixture
def arguments(tmp_path):
    index = make_films(tmp_path / "site")
    index.to_parquet(tmp_path / "index.parquet")
    shards, rejected = make_parts(index, tmp_path / "site", tmp_path)
    return [
        *("--shards", *shards, "--rejected", *rejected, "--index", tmp_path / "index.parquet"),
        *("--manifest", tmp_path / "manifest.json", "--all-rejected", tmp_path / "rejected.csv"),
    ]


def run(program, *arguments):
    return subprocess.run([*program, *map(str, arguments)], capture_output=True, text=True, check=False)


def test_help_answers(program):
    assert "complete" in run(program, "--help").stdout


def test_the_manifest_is_written(program, arguments, tmp_path):
    result = run(program, *arguments, "--max-rejected-fraction", 0.2)
    assert result.returncode == 0, result.stderr
    assert json.loads((tmp_path / "manifest.json").read_text())["num_images"] == 10
    assert len((tmp_path / "rejected.csv").read_text().splitlines()) == 2


def test_too_many_rejected_films_are_one_clear_line_and_leave_nothing(program, arguments, tmp_path):
    result = run(program, *arguments, "--max-rejected-fraction", 0.01)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert result.stderr.startswith("error: 1 of 11 films could not be read")
    assert "images.max_rejected_fraction" in result.stderr
    assert not (tmp_path / "manifest.json").exists()
    assert not (tmp_path / "rejected.csv").exists()
