"""scripts/check_leakage.py and exclude_films.py, on lists and on the workflow's files."""

import json

import pandas as pd
import pytest

from maskray.data.index import TEXT_COLUMNS, write_index
from maskray.files import read_json
from scripts import check_leakage, exclude_films
from tests.scripts.programs import run_program


def split_of(dataset):
    return {"dataset": dataset, "protocol": "maco", "title": dataset.upper(), "owner": dataset}


@pytest.fixture
def files(tmp_path):
    """RSNA's test film x is NIH's training film 7; names alone."""
    rows = {
        "nih": [("7.png", "nih/7", "train", ""), ("8.png", "nih/8", "train", "")],
        "rsna": [("x", "nih/7", "test", "nih/7.png")],
    }
    for name, table in rows.items():
        index = pd.DataFrame(table, columns=["image_id", "person", "part", "same_as"])
        write_index(index.reindex(columns=list(TEXT_COLUMNS), fill_value=""), tmp_path / f"{name}.parquet")
        fractions = ["1" if part == "train" else "" for part in index["part"]]
        index[["image_id", "part"]].assign(fraction=fractions).to_csv(tmp_path / f"{name}.csv", index=False)
    return tmp_path


def flags(files, *names, leakage=None, **more):
    settings = {
        "tested": split_of(names[0]),
        "trained": split_of(names[-1]),
        "leakage": {"pictures": False} | (leakage or {}),
    }
    call = ["--settings", json.dumps(settings), "--indexes", *(f"{files}/{name}.parquet" for name in names)]
    call += ["--splits", *(f"{files}/{name}.csv" for name in names)]
    call += ["--manifests", "--bridges", "--excluded", *more.get("excluded", [])]
    return [*call, "--verdict", f"{files}/out/verdict.json", "--page", f"{files}/out/verdict.html"]


def test_help_answers():
    result = run_program("check_leakage", "--help")
    assert result.returncode == 0
    assert "--lists train=train.csv test=test.csv" in result.stdout


def test_lists_that_leak_end_with_status_1_and_a_readable_verdict(tmp_path):
    (tmp_path / "a.txt").write_text("1.png\n2.png\n")
    (tmp_path / "b.txt").write_text("dir/2.dcm\n3.dcm\n")
    result = run_program("check_leakage", "--lists", f"train={tmp_path}/a.txt", f"test={tmp_path}/b.txt")
    assert result.returncode == 1
    assert "LEAK: 1 of 2 films of test are in train: dir/2.dcm ~ 2.png" in result.stderr
    assert "Traceback" not in result.stderr
    (tmp_path / "b.txt").write_text("3.png\n")
    result = run_program("check_leakage", "--lists", f"train={tmp_path}/a.txt", f"test={tmp_path}/b.txt")
    assert result.returncode == 0
    assert "No leak" in result.stdout


def test_lists_or_settings_and_not_both(capsys):
    for call in ([], ["--lists", "a=b", "c=d", "--settings", "{}"], ["--settings", "{}"]):
        with pytest.raises(SystemExit):
            check_leakage.main(call)
    assert "give either --lists or --settings" in capsys.readouterr().err


def test_a_declared_finding_is_written(files):
    check_leakage.main(flags(files, "rsna", "nih"))
    verdict = read_json(files / "out/verdict.json")
    assert (verdict["verdict"], verdict["num_films"]) == ("declared", {"nih-maco train": 2, "rsna-maco test": 1})
    assert "7.png" in (files / "out/verdict.html").read_text()


def test_an_error_leaves_the_pairs_and_no_verdict(files):
    result = run_program("check_leakage", *flags(files, "rsna", "nih", leakage={"pretraining": {"image": "error"}}))
    assert result.returncode == 1
    assert "x ~ 7.png" in result.stderr
    assert "leakage.drop: {rsna: [maco]}" in result.stderr
    assert "Traceback" not in result.stderr
    assert [path.name for path in (files / "out").iterdir()] == ["verdict.leaks.csv"]


def test_what_exclude_films_lists_is_resolved(files):
    settings = {"trained": split_of("nih"), "tested": [split_of("rsna")], "leakage": {"pictures": False}}
    exclude_films.main(
        [
            *("--settings", json.dumps(settings), "--indexes", f"{files}/nih.parquet", f"{files}/rsna.parquet"),
            *("--splits", f"{files}/rsna.csv", "--manifests", "--bridges", "--excluded", f"{files}/excluded.csv"),
        ]
    )
    assert (files / "excluded.csv").read_text() == "image_id,kind,tested\n7.png,image,rsna-maco\n"
    check_leakage.main(flags(files, "rsna", "nih", excluded=[f"{files}/excluded.csv"]))
    assert read_json(files / "out/verdict.json")["verdict"] == "resolved"
