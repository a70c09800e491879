"""Predictions to metrics: rows, thresholds, replicates."""

import json
import time

import numpy as np
import pytest

from maskray.metrics.classification import Ranking, auroc, best_f1_threshold
from maskray.metrics.score import METRICS, Part, score

NAN = float("nan")


def make_part(seed, num_images=120, num_labels=2, num_patients=40):
    rng = np.random.default_rng(seed)
    labels = (rng.random((num_images, num_labels)) < 0.4).astype(np.float32)
    scores = (0.5 * labels + rng.random((num_images, num_labels))).astype(np.float32)
    return Part([f"p{i}" for i in rng.integers(0, num_patients, num_images)], labels, scores)


def find(result, metric, label):
    (row,) = [row for row in result.metrics["rows"] if (row["metric"], row["label"]) == (metric, label)]
    return row


def score_it(validation, test, labels=("Edema", "Hernia"), **changes):
    return score(labels, validation, test, **{"num_replicates": 60, "confidence": 0.95, "seed": 0} | changes)


def test_rows_for_each_metric_macro_and_label():
    result = score_it(make_part(0), make_part(1))
    pairs = [(row["metric"], row["label"]) for row in result.metrics["rows"]]
    assert pairs == [(metric, label) for metric in METRICS for label in ("macro", "Edema", "Hernia")]
    assert set(result.replicates) == {f"{metric}/{label}" for metric, label in pairs}
    assert all(values.shape == (60,) and values.dtype == np.float32 for values in result.replicates.values())
    json.dumps(result.metrics, allow_nan=False)


def test_values_and_thresholds():
    validation, test = make_part(0), make_part(1)
    result = score_it(validation, test)
    threshold = best_f1_threshold(validation.labels_NL[:, 0], validation.scores_NL[:, 0])
    label, scored = test.labels_NL[:, 0], test.scores_NL[:, 0]
    ranking = Ranking(label, scored)
    _, f1_oracle, accuracy_oracle = ranking.counts().best_f1()
    assert find(result, "auroc", "Edema")["value"] == auroc(label, scored)
    assert find(result, "f1", "Edema")["value"] == ranking.at(threshold, ranking.counts())[0][0]
    assert find(result, "f1_oracle", "Edema")["value"] == f1_oracle[0]
    assert find(result, "accuracy_oracle", "Edema")["value"] == accuracy_oracle[0]
    assert find(result, "f1", "Edema")["value"] < find(result, "f1_oracle", "Edema")["value"]
    assert result.metrics["thresholds"]["Edema"] == threshold
    assert find(result, "auroc", "Edema")["num_positive"] == label.sum()


def test_macro_is_the_mean_and_intervals_hold_the_value():
    result = score_it(make_part(0), make_part(1))
    for metric in METRICS:
        macro, first, second = (find(result, metric, label) for label in ("macro", "Edema", "Hernia"))
        assert macro["value"] == pytest.approx((first["value"] + second["value"]) / 2)
        assert macro["low"] < macro["value"] < macro["high"]
        assert macro["num_labels"] == 2


def test_each_replicate_is_the_metric_of_its_resample():
    test = make_part(1)
    result = score_it(make_part(0), test, num_replicates=5, seed=7)
    patients = np.unique(test.patient_ids)
    generator = np.random.default_rng(7)
    for replicate in range(5):
        drawn = patients[generator.integers(patients.size, size=patients.size)]
        images = np.concatenate([np.flatnonzero(np.array(test.patient_ids) == patient) for patient in drawn])
        expected = auroc(test.labels_NL[images, 1], test.scores_NL[images, 1])
        assert result.replicates["auroc/Hernia"][replicate] == pytest.approx(expected)


def test_replicates_do_not_depend_on_how_many_are_asked_for():
    few, many = (score_it(make_part(0), make_part(1), num_replicates=n) for n in (3, 300))
    np.testing.assert_array_equal(few.replicates["f1/macro"], many.replicates["f1/macro"][:3])


def test_a_label_with_one_class_is_named_left_out_and_never_zero():
    test = make_part(1)
    test.labels_NL[:, 1] = 0
    result = score_it(make_part(0), test)
    for metric in METRICS:
        row = find(result, metric, "Hernia")
        assert (row["value"], row["low"], row["high"]) == (None, None, None)
        assert row["num_replicates_left_out"] == 60
        assert result.metrics["labels_left_out"][metric] == ["Hernia"]
        assert find(result, metric, "macro")["value"] == find(result, metric, "Edema")["value"]
        assert find(result, metric, "macro")["num_labels"] == 1


def test_without_a_validation_part_only_its_thresholds_are_missing():
    nobody = Part([], np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32))
    result = score_it(nobody, make_part(1))
    assert find(result, "f1", "macro")["value"] is None
    assert find(result, "f1_oracle", "macro")["value"] is not None
    assert result.metrics["thresholds"] == {"Edema": None, "Hernia": None}
    assert result.metrics["labels_left_out"]["accuracy"] == ["Edema", "Hernia"]


def test_replicates_without_a_positive_are_counted():
    test = make_part(1, num_patients=120)
    test.labels_NL[:, 1] = 0
    test.labels_NL[5, 1] = 1
    row = find(score_it(make_part(0), test, num_replicates=200), "auroc", "Hernia")
    assert 40 < row["num_replicates_left_out"] < 110
    assert row["low"] is not None


def test_a_set_of_labels_gets_a_mean_of_its_own():
    labels, sets = ("Edema", "Hernia", "Mass"), {"seen": ["Mass", "Edema"], "unseen": ["Hernia"], "none": []}
    validation, test = make_part(0, num_labels=3), make_part(1, num_labels=3)
    result, plain = (score_it(validation, test, labels, **given) for given in ({"label_sets": sets}, {}))
    for metric in METRICS:
        value = {label: find(result, metric, label)["value"] for label in labels}
        seen, unseen, none = (find(result, metric, f"macro/{name}") for name in sets)
        assert seen["value"] == pytest.approx((value["Mass"] + value["Edema"]) / 2)
        assert (unseen["value"], unseen["num_labels"]) == (value["Hernia"], 1)
        assert (none["value"], none["num_labels"]) == (None, 0)
        np.testing.assert_allclose(
            result.replicates[f"{metric}/macro/seen"],
            (result.replicates[f"{metric}/Mass"] + result.replicates[f"{metric}/Edema"]) / 2,
            rtol=1e-6,
        )
    for row in plain.metrics["rows"]:
        assert row in result.metrics["rows"]


def test_a_large_test_set_takes_seconds():
    part = make_part(0, num_images=25_000, num_labels=2, num_patients=2_800)
    started = time.process_time()
    score_it(part, part, num_replicates=1000)
    assert time.process_time() - started < 10
