"""Predictions file to metrics and replicates."""

import zipfile

import numpy as np
import pytest

from maskray.config.stages import ScoreStage
from maskray.errors import InputError
from maskray.evaluation.measurements import Measurements, write_measurements
from maskray.evaluation.predictions import Predictions, write_predictions
from maskray.evaluation.scoring import score_file
from maskray.files import read_json

SETTINGS = ScoreStage(num_replicates=40, seed=3)


def write(path, parts):
    rng = np.random.default_rng(0)
    labels = (rng.random((len(parts), 1)) < 0.5).astype(np.float32)
    ids = [f"i{i}" for i in range(len(parts))]
    scores = (labels + rng.normal(size=labels.shape)).astype(np.float32)
    write_predictions(path, Predictions(("Edema",), ids, ids, parts, labels, scores, {}))


def test_metrics_and_replicates(tmp_path):
    write(tmp_path / "p.parquet", ["test"] * 50 + ["validation"] * 30)
    score_file(tmp_path / "p.parquet", SETTINGS, tmp_path / "metrics.json", tmp_path / "bootstrap.npz")
    row = read_json(tmp_path / "metrics.json")["rows"][0]
    assert (row["metric"], row["label"], row["num_images"]) == ("auroc", "macro", 50)
    with np.load(tmp_path / "bootstrap.npz", allow_pickle=False) as replicates:
        assert replicates["auroc/Edema"].shape == (40,)
        assert row["low"] == pytest.approx(np.quantile(replicates["auroc/macro"], 0.025), abs=1e-6)


def test_equal_predictions_give_equal_bytes(tmp_path):
    write(tmp_path / "p.parquet", ["test"] * 50 + ["validation"] * 30)
    for name in ("first", "second"):
        score_file(tmp_path / "p.parquet", SETTINGS, tmp_path / f"{name}.json", tmp_path / f"{name}.npz")
    for ending in ("json", "npz"):
        assert (tmp_path / f"first.{ending}").read_bytes() == (tmp_path / f"second.{ending}").read_bytes()
    with zipfile.ZipFile(tmp_path / "first.npz") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_without_a_test_image_nothing_is_written(tmp_path):
    write(tmp_path / "p.parquet", ["validation"] * 30)
    with pytest.raises(InputError, match="no image of the test part"):
        score_file(tmp_path / "p.parquet", SETTINGS, tmp_path / "metrics.json", tmp_path / "bootstrap.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["p.parquet"]


def test_measurements_are_scored_as_means(tmp_path):
    ids = [f"i{i}" for i in range(10)]
    measured = Measurements(ids, ids, [""] * 10, {"i2t_r1": np.arange(10) % 2}, {"num_candidates": 10})
    write_measurements(tmp_path / "m.parquet", measured)
    score_file(tmp_path / "m.parquet", SETTINGS, tmp_path / "metrics.json", tmp_path / "bootstrap.npz")
    content = read_json(tmp_path / "metrics.json")
    assert [(row["metric"], row["label"], row["value"]) for row in content["rows"]] == [("i2t_r1", "all", 0.5)]
    assert content["settings"] == {"num_candidates": 10}
    with np.load(tmp_path / "bootstrap.npz", allow_pickle=False) as replicates:
        assert replicates["i2t_r1/all"].shape == (40,)


def test_classes_are_scored_as_such(tmp_path):
    rng = np.random.default_rng(0)
    ids, classes = [f"i{i}" for i in range(60)], rng.integers(0, 3, 60)
    scores = rng.random((60, 3)).astype(np.float32) + np.eye(3, dtype=np.float32)[classes]
    parts = ["test"] * 40 + ["validation"] * 20
    kept = Predictions(("A", "B", "C"), ids, ids, parts, np.eye(3, dtype=np.float32)[classes], scores, {}, True)
    write_predictions(tmp_path / "p.parquet", kept)
    score_file(tmp_path / "p.parquet", SETTINGS, tmp_path / "metrics.json", tmp_path / "bootstrap.npz")
    rows = {(row["metric"], row["label"]): row["value"] for row in read_json(tmp_path / "metrics.json")["rows"]}
    assert rows["class_accuracy", "all"] == pytest.approx((scores[:40].argmax(axis=1) == classes[:40]).mean())
    assert ("auroc", "macro") in rows
    with np.load(tmp_path / "bootstrap.npz", allow_pickle=False) as replicates:
        assert replicates["class_accuracy/all"].shape == (40,)


def test_label_sets_get_means_and_are_named(tmp_path):
    rng = np.random.default_rng(1)
    ids, labels = [f"i{i}" for i in range(50)], (rng.random((50, 2)) < 0.5).astype(np.float32)
    sets = {"unseen": ["Mass"], "seen": ["Edema"]}
    kept = Predictions(
        ("Edema", "Mass"), ids, ids, ["test"] * 50, labels, labels + rng.random((50, 2)), {}, False, sets
    )
    write_predictions(tmp_path / "p.parquet", kept)
    score_file(tmp_path / "p.parquet", SETTINGS, tmp_path / "metrics.json", tmp_path / "bootstrap.npz")
    content = read_json(tmp_path / "metrics.json")
    rows = {(row["metric"], row["label"]): row for row in content["rows"]}
    assert rows["auroc", "macro/unseen"]["value"] == rows["auroc", "Mass"]["value"]
    assert rows["auroc", "macro/unseen"]["num_labels"] == 1
    assert content["label_sets"] == sets
