"""Anybody's lists: names, patients, pictures; among them lists that leak as published ones do."""

import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from maskray.config.leakage import LeakageConfig
from maskray.data.index import TEXT_COLUMNS, write_index
from maskray.data.leakage.lists import check_lists, compare_lists, short_name
from maskray.data.made.frontal import paint_frontal
from maskray.data.made.studies import draw_study
from maskray.errors import InputError


def text_list(path, names):
    path.write_text("".join(f"{name}\n" for name in names))
    return path


def told(lists, **options):
    return [
        (f.kind, f.trained, f.tested, f.num_tested_films)
        for f in compare_lists(lists, LeakageConfig(), **options).findings
    ]


def test_a_split_by_rle_row_puts_test_positives_into_training(tmp_path):
    """As the published SIIM lists: rows were dealt out, so that images with several rows stand on both sides."""
    rng = np.random.default_rng(0)
    rows = [f"1.2.276.{image}.7" for image in range(2669) for _ in range(1 + image % 4)]
    is_test = rng.random(len(rows)) < 0.25
    train = [row for row, test in zip(rows, is_test, strict=True) if not test]
    test = [row for row, test in zip(rows, is_test, strict=True) if test]
    shared = len(set(train) & set(test))
    assert shared > 0.5 * len(set(test))
    header = "ImageId, EncodedPixels"
    lists = {
        name: text_list(tmp_path / f"{name}.csv", [header, *(f"{row}, 100 5" for row in names)])
        for name, names in {"train": train, "test": test}.items()
    }
    assert told(lists) == [("image", "train", "test", shared)]


def test_published_siim_numbers_are_said(tmp_path):
    test = [f"1.2.276.{number}" for number in range(672)]
    train = [*test[:494], *(f"1.2.277.{number}" for number in range(1500))]
    lists = [f"train={text_list(tmp_path / 'a.txt', train)}", f"test={text_list(tmp_path / 'b.txt', test)}"]
    with pytest.raises(InputError, match=r"494 of 672 films of test are in train: 1\.2\.276\.0, .* …") as refused:
        check_lists(lists)
    assert "train 1,994, test 672" in str(refused.value)


def test_patients_of_csv_columns_and_all_pairs_of_lists(tmp_path):
    lists = {
        "train": text_list(tmp_path / "a.csv", ["image_id,subject_id", "a,1", "b,2"]),
        "val": text_list(tmp_path / "b.csv", ["Image Index,Patient ID", "c,3", "d,1"]),
        "test": text_list(tmp_path / "c.csv", ["id,patient", "e,3", "f,4"]),
    }
    assert told(lists) == [("patient", "train", "val", 1), ("patient", "val", "test", 1)]


def test_an_index_names_the_patients(tmp_path):
    index = pd.DataFrame({"image_id": ["a.png", "b.png", "c.png"], "person": ["nih/1", "nih/1", "nih/2"]})
    write_index(index.reindex(columns=list(TEXT_COLUMNS), fill_value=""), tmp_path / "index.parquet")
    lists = {"train": text_list(tmp_path / "a.txt", ["x/a.png"]), "test": text_list(tmp_path / "b.txt", ["b", "c"])}
    assert told(lists) == []
    assert told(lists, index=tmp_path / "index.parquet") == [("patient", "train", "test", 1)]


def test_short_names_keep_dots_of_ids_and_whole_paths_where_names_repeat(tmp_path):
    assert short_name("a/b/1.2.276.0") == "1.2.276.0"
    assert short_name("a\\b\\00001.PNG") == "00001"
    lists = {
        "train": text_list(tmp_path / "a.txt", ["p1/s1/view1.jpg", "p2/s1/view1.jpg"]),
        "test": text_list(tmp_path / "b.txt", ["p3/s1/view1.jpg", "p1/s1/view1.jpg"]),
    }
    assert told(lists) == [("image", "train", "test", 1)]


@pytest.fixture
def films(tmp_path):
    """Three painted films; ``copy.jpg`` is the first one, smaller."""
    folder = tmp_path / "films/deep"
    folder.mkdir(parents=True)
    for number in range(3):
        Image.fromarray(paint_frontal(draw_study("nih", 0, 3 * number), 128).pixels).save(folder / f"{number}.png")
    Image.open(folder / "0.png").resize((96, 96)).save(folder / "copy.jpg", quality=80)
    (folder / "broken.png").write_bytes(b"no picture")
    return tmp_path / "films"


def test_pictures_find_a_copy_under_another_name(tmp_path, films, caplog):
    lists = {
        "train": text_list(tmp_path / "a.txt", ["0", "1"]),
        "test": text_list(tmp_path / "b.txt", ["2.png", "deep/copy.jpg", "broken.png", "nowhere"]),
    }
    found = compare_lists(lists, LeakageConfig(), images=films)
    assert [(f.kind, f.pairs[["trained", "tested"]].to_numpy().tolist()) for f in found.findings] == [
        ("picture", [["0", "deep/copy.jpg"]])
    ]
    assert found.num_pictures == 4
    assert "2 of 4 films have no readable picture" in caplog.text
    shutil.rmtree(films)
    with pytest.raises(InputError, match="no such folder"):
        compare_lists(lists, LeakageConfig(), images=films)


def test_lists_that_share_nothing_say_what_was_compared(tmp_path):
    lists = [f"train={text_list(tmp_path / 'a.txt', 'ab')}", f"test={text_list(tmp_path / 'b.txt', 'cd')}"]
    answer = check_lists(lists)
    assert "Films: train 2, test 2. Patients known of 0, pictures of 0." in answer
    assert "No leak" in answer


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        (["train=a.txt"], "give two lists at least"),
        (["train", "test=b.txt"], "a name of its own"),
        (["train=a.txt", "train=b.txt"], "a name of its own"),
        (["train=empty.txt", "test=a.txt"], "lists no films"),
        (["train=columns.csv", "test=a.txt"], "line 1: no column with the films' names; call it one of image_id"),
        (["train=missing.txt", "test=a.txt"], "missing.txt: cannot be read"),
        (["train=blank.csv", "test=a.txt"], "blank.csv, line 3, column image_id: empty cell"),
    ],
)
def test_bad_lists_are_named(tmp_path, monkeypatch, lists, message):
    monkeypatch.chdir(tmp_path)
    for name, lines in {"a.txt": ["a"], "b.txt": ["b"], "empty.txt": [], "columns.csv": ["x,y", "1,2"]}.items():
        text_list(tmp_path / name, lines)
    text_list(tmp_path / "blank.csv", ["image_id,patient", "a,1", ",2"])
    with pytest.raises(InputError, match=message):
        check_lists(lists)
