"""The file that benchmarks write and scoring reads."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from maskray.errors import InputError
from maskray.evaluation.predictions import Predictions, read_predictions, write_predictions

NAN = float("nan")


def make(**changes):
    predictions = Predictions(
        ("Edema", "Pleural Effusion"),
        ["c", "a", "b"],
        ["p1", "p2", "p2"],
        ["validation", "validation", "test"],
        np.array([[1, NAN], [0, 1], [1, 0]], np.float32),
        np.array([[0.5, 0.25], [0.1, -1], [0.3, 0.4]], np.float32),
        {"prompts": {"Edema": ["edema", "no edema"]}},
    )
    return replace(predictions, **changes)


def test_what_is_written_is_read_sorted_by_part_and_image(tmp_path):
    write_predictions(tmp_path / "p.parquet", make())
    read = read_predictions(tmp_path / "p.parquet")
    assert read.label_names == ("Edema", "Pleural Effusion")
    assert list(zip(read.parts, read.image_ids, read.patient_ids, strict=True)) == [
        ("test", "b", "p2"),
        ("validation", "a", "p2"),
        ("validation", "c", "p1"),
    ]
    np.testing.assert_array_equal(read.labels_NL, np.array([[1, 0], [0, 1], [1, NAN]], np.float32))
    np.testing.assert_array_equal(read.scores_NL, np.array([[0.3, 0.4], [0.1, -1], [0.5, 0.25]], np.float32))
    assert read.notes == make().notes
    assert read.part("validation").image_ids == ["a", "c"]


def test_the_columns_are_those_of_the_format(tmp_path):
    write_predictions(tmp_path / "p.parquet", make())
    schema = parquet.read_schema(tmp_path / "p.parquet")
    assert schema.names == [
        "image_id",
        "patient_id",
        "part",
        "label_Edema",
        "label_Pleural Effusion",
        "score_Edema",
        "score_Pleural Effusion",
    ]
    assert schema.field("score_Edema").type == pa.float32()


def test_equal_predictions_are_equal_bytes_whatever_their_order(tmp_path):
    write_predictions(tmp_path / "first.parquet", make())
    write_predictions(tmp_path / "second.parquet", make().sorted())
    assert (tmp_path / "first.parquet").read_bytes() == (tmp_path / "second.parquet").read_bytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scores_NL": np.array([[0, 0], [0, NAN], [0, 0]], np.float32)}, "image a, Pleural Effusion: a score"),
        ({"labels_NL": np.array([[0, 0], [0, 2], [0, 0]], np.float32)}, "image a, Pleural Effusion: a label"),
        ({"image_ids": ["a", "a", "b"]}, "stands twice"),
        ({"parts": ["train", "test", "test"]}, "unknown part 'train'"),
        ({"scores_NL": np.zeros((3, 1), np.float32)}, "shape"),
    ],
)
def test_what_scoring_would_get_wrong_is_not_written(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        write_predictions(tmp_path / "p.parquet", make(**changes))
    assert not list(tmp_path.iterdir())


def test_a_missing_a_foreign_and_a_cut_file_are_named(tmp_path):
    path = tmp_path / "p.parquet"
    with pytest.raises(InputError, match=r"p\.parquet: no such file"):
        read_predictions(path)
    parquet.write_table(pa.table({"image_id": ["a"], "label_Edema": [1.0]}), path)
    with pytest.raises(InputError, match="part, patient_id, score_Edema"):
        read_predictions(path)
    write_predictions(path, make())
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="not a readable Parquet file"):
        read_predictions(path)


def test_a_column_of_words_is_named(tmp_path):
    path = tmp_path / "p.parquet"
    write_predictions(path, make())
    table = parquet.read_table(path)
    parquet.write_table(table.set_column(5, "score_Edema", pa.array(["a", "b", "c"])), path)
    with pytest.raises(InputError, match="wrong type"):
        read_predictions(path)


def test_a_null_image_id_is_refused(tmp_path):
    path = tmp_path / "p.parquet"
    write_predictions(path, make())
    table = parquet.read_table(path)
    parquet.write_table(table.set_column(0, "image_id", pa.array(["a", None, "c"])), path)
    with pytest.raises(InputError, match="an image_id is missing"):
        read_predictions(path)


def test_what_labels_are_to_each_other_is_kept(tmp_path):
    ids, one_hot = ["a", "b", "c"], np.eye(3, dtype=np.float32)
    sets = {"unseen": ["Mass"], "seen": ["Hernia", "Edema"]}
    kept = Predictions(("Edema", "Mass", "Hernia"), ids, ids, ["test"] * 3, one_hot, one_hot, {}, True, sets)
    write_predictions(tmp_path / "p.parquet", kept)
    for read in (read_predictions(tmp_path / "p.parquet"), read_predictions(tmp_path / "p.parquet").part("test")):
        assert (read.exclusive, read.label_sets, list(read.label_sets)) == (True, sets, ["unseen", "seen"])
    with pytest.raises(InputError, match="no score of Goiter, which a label set names"):
        write_predictions(tmp_path / "q.parquet", replace(kept, label_sets={"seen": ["Goiter"]}))
    two_classes = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]], np.float32)
    with pytest.raises(InputError, match="image b is not of exactly one class"):
        write_predictions(tmp_path / "q.parquet", replace(kept, labels_NL=two_classes))
    assert not (tmp_path / "q.parquet").exists()
