import json
import runpy
import subprocess
import sys

import h5py
import pandas as pd
import pytest

from tests.made_films import UNREADABLE, make_films


@pytest.fixture
def program(repository):
    return [sys.executable, str(repository / "scripts" / "shard_images.py")]


@pytest.fixture
def flags(tmp_path):
    make_films(tmp_path / "site").to_parquet(tmp_path / "index.parquet")
    (tmp_path / "images.yaml").write_text("size_px: 32\n")
    return {
        "--index": tmp_path / "index.parquet",
        "--site-folder": tmp_path / "site",
        "--settings": tmp_path / "images.yaml",
        "--part": 0,
        "--num-parts": 2,
        "--threads": 1,
        "--shard": tmp_path / "shards" / "part-0.h5",
        "--rejected": tmp_path / "shards" / "part-0.rejected.csv",
    }


def run(program, flags):
    arguments = [str(item) for pair in flags.items() for item in pair]
    return subprocess.run([*program, *arguments], capture_output=True, text=True, check=False)


def test_help_answers(program):
    result = subprocess.run([*program, "--help"], capture_output=True, text=True, check=True)
    assert "never becomes a black image" in result.stdout


def test_a_part_is_written(program, flags):
    result = run(program, flags)
    assert result.returncode == 0, result.stderr
    assert "100 %: 5 of 5 films" in result.stderr
    with h5py.File(flags["--shard"]) as file:
        assert file["images"].shape == (4, 32, 32)
    assert pd.read_csv(flags["--rejected"])["image_id"].tolist() == [UNREADABLE]


def test_settings_may_come_as_json(program, flags):
    flags |= {"--settings": json.dumps({"size_px": 16})}
    runpy.run_path(program[1])["main"]([str(item) for pair in flags.items() for item in pair])
    with h5py.File(flags["--shard"]) as file:
        assert file["images"].shape == (4, 16, 16)


def test_a_wrong_site_folder_is_one_clear_line_and_leaves_nothing(program, flags, tmp_path):
    result = run(program, flags | {"--site-folder": tmp_path / "nowhere"})
    assert result.returncode == 1
    assert result.stderr.strip() == (
        f"error: {tmp_path / 'nowhere'}: no such folder; set the site folder of the data set"
    )
    assert not (tmp_path / "shards").exists()
