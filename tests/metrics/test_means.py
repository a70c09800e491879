"""Measured items to metrics: rows, weights of labels, replicates."""

import json
import time

import numpy as np
import pytest

from maskray.metrics.means import score_means

NAN = float("nan")


def score_them(patients, labels, values, **changes):
    return score_means(patients, labels, values, **{"num_replicates": 40, "confidence": 0.95, "seed": 0} | changes)


def find(result, metric, label):
    (row,) = [row for row in result.metrics["rows"] if (row["metric"], row["label"]) == (metric, label)]
    return row


def test_means_over_all_items_over_labels_and_of_each_label_by_hand():
    values = {"miou": np.array([0.1, 0.3, 0.5, NAN]), "miou/tau=0.2": np.array([0.2, 0.4, 0.6, 0.8])}
    result = score_them(["p1", "p1", "p2", "p3"], ["Edema", "Edema", "Pneumonia", "Pneumonia"], values)
    expected = {"all": (0.3, 3), "macro": (0.35, 3), "Edema": (0.2, 2), "Pneumonia": (0.5, 1)}
    expected |= {"all/tau=0.2": (0.5, 4), "macro/tau=0.2": (0.5, 4)}
    assert [row["label"] for row in result.metrics["rows"]] == list(expected)
    for label, (value, num_items) in expected.items():
        assert find(result, "miou", label)["value"] == pytest.approx(value)
        assert find(result, "miou", label)["num_images"] == num_items
    assert set(result.replicates) == {f"miou/{label}" for label in expected}
    json.dumps(result.metrics, allow_nan=False)


def test_items_without_labels_have_one_row_per_metric():
    result = score_them(["a", "b"], ["", ""], {"i2t_r1": np.array([1, 0]), "t2i_r1": np.array([1, 1])})
    assert [(row["metric"], row["label"], row["value"]) for row in result.metrics["rows"]] == [
        ("i2t_r1", "all", 0.5),
        ("t2i_r1", "all", 1.0),
    ]


def test_each_replicate_is_the_mean_of_its_resample():
    rng = np.random.default_rng(1)
    patients = np.array([f"p{i}" for i in rng.integers(0, 9, 30)])
    labels, values = rng.choice(["Edema", "Hernia"], 30), rng.random(30)
    values[::7] = NAN
    result = score_them(patients, labels, {"cnr": values}, num_replicates=300, seed=7)
    names, generator = np.unique(patients), np.random.default_rng(7)
    for replicate in range(300):
        drawn = names[generator.integers(names.size, size=names.size)]
        items = np.concatenate([np.flatnonzero(patients == patient) for patient in drawn])
        of_label = [np.nanmean(values[items][labels[items] == label]) for label in ("Edema", "Hernia")]
        assert result.replicates["cnr/all"][replicate] == pytest.approx(np.nanmean(values[items]), rel=1e-6)
        assert result.replicates["cnr/Hernia"][replicate] == pytest.approx(of_label[1], rel=1e-6)
        assert result.replicates["cnr/macro"][replicate] == pytest.approx(np.mean(of_label), rel=1e-6)


def test_what_was_never_measured_is_null_and_named():
    result = score_them(["a", "b"], ["Edema", "Hernia"], {"dice": np.array([0.5, NAN])})
    assert find(result, "dice", "Hernia") == {
        "metric": "dice", "label": "Hernia", "value": None, "low": None, "high": None,
        "num_replicates_left_out": 40, "num_images": 0, "num_positive": None,
    }  # fmt: skip
    assert find(result, "dice", "macro")["value"] == 0.5
    assert result.metrics["labels_left_out"] == {"dice": ["Hernia"]}


def test_settings_are_handed_on():
    result = score_them(["a"], [""], {"t2i_r1": np.array([1.0])}, settings={"num_candidates": 1})
    assert result.metrics["settings"] == {"num_candidates": 1}


def test_a_large_test_set_takes_seconds():
    rng = np.random.default_rng(0)
    values = {f"i2t_r{k}": (rng.random(45_000) < 0.1).astype(np.float32) for k in (1, 5, 10)}
    started = time.process_time()
    score_them([f"p{i // 3}" for i in range(45_000)], [""] * 45_000, values, num_replicates=1000)
    assert time.process_time() - started < 10
