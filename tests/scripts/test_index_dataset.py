import logging
import re
import runpy
import subprocess
import sys

import pytest

from maskray.data.index import load_index
from maskray.errors import InputError
from maskray.files import write_yaml
from tests.data.layouts import dataset, write_mimic, write_nih


def main(repository, *arguments):
    """The program, run in this process."""
    runpy.run_path(str(repository / "scripts/index_dataset.py"))["main"]([str(argument) for argument in arguments])


def run(repository, *arguments):
    command = [sys.executable, repository / "scripts/index_dataset.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def settings_of(path, name, **changes):
    write_yaml(path, dataset(name, **changes).model_dump(mode="json"))
    return path


def test_help_answers(repository):
    answer = run(repository, "--help")
    assert answer.returncode == 0
    assert "--site-folder DIR" in answer.stdout
    assert "common index" in answer.stdout


def test_writes_the_index(repository, tmp_path, caplog):
    folders = ["--site-folder", write_nih(tmp_path / "site"), "--index", tmp_path / "out/index.parquet"]
    with caplog.at_level(logging.INFO):
        main(repository, "--dataset", settings_of(tmp_path / "nih.yaml", "nih"), *folders)
    assert len(load_index(tmp_path / "out/index.parquet")) == 4
    assert "nih: 4 images, 3 patients" in caplog.text


def test_reports_folder_is_optional_and_allowed(repository, tmp_path):
    folders = ["--site-folder", write_mimic(tmp_path / "site"), "--reports-folder", tmp_path / "reports"]
    settings = settings_of(tmp_path / "mimic.yaml", "mimic")
    main(repository, "--dataset", settings, *folders, "--index", tmp_path / "index.parquet")
    assert len(load_index(tmp_path / "index.parquet")) == 4


def test_bad_input_is_one_clear_line_and_leaves_no_output(repository, tmp_path):
    table = write_nih(tmp_path / "site") / "Data_Entry_2017_v2020.csv"
    table.write_text(table.read_text().replace("Hernia", "Flu"))
    settings = settings_of(tmp_path / "nih.yaml", "nih")
    answer = run(
        repository, "--dataset", settings, "--site-folder", tmp_path / "site", "--index", tmp_path / "out/index.parquet"
    )
    assert answer.returncode == 1
    assert f"error: {table}, line 5, column Finding Labels: unknown finding 'Flu'" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (tmp_path / "out").exists()


def test_settings_given_as_json_keep_their_addresses(repository, tmp_path):
    settings = dataset("nih", access="https://example.org/films").model_dump_json()
    with pytest.raises(InputError, match=re.escape("https://example.org/films")):
        main(repository, "--dataset", settings, "--site-folder", tmp_path, "--index", tmp_path / "index.parquet")
