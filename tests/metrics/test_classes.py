"""Classes that exclude each other: every number against scikit-learn."""

import json

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, recall_score, roc_auc_score

from maskray.metrics.classes import given_classes, score_classes
from maskray.metrics.score import METRICS, Part, score

LABELS = ("Grade 0", "Grade 1", "Grade 2", "Grade 3")
SETTINGS = {"num_replicates": 40, "confidence": 0.95, "seed": 0}


def make_part(seed, num_images=150, num_patients=50):
    rng = np.random.default_rng(seed)
    classes = rng.choice(4, num_images, p=[0.45, 0.25, 0.2, 0.1])
    logits = rng.normal(size=(num_images, 4)) + 1.2 * np.eye(4)[classes]
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    patients = [f"p{i}" for i in rng.integers(0, num_patients, num_images)]
    return Part(patients, np.eye(4, dtype=np.float32)[classes], shares.astype(np.float32)), classes


VALIDATION, _ = make_part(0)
TEST, TRUE = make_part(1)


def rows_of(result):
    return {(row["metric"], row["label"]): row for row in result.metrics["rows"]}


@pytest.fixture(scope="module")
def result():
    return score_classes(LABELS, VALIDATION, TEST, **SETTINGS)


def test_accuracy_is_scikit_learns(result):
    rows, given = rows_of(result), TEST.scores_NL.argmax(axis=1)
    assert rows["class_accuracy", "all"]["value"] == pytest.approx(accuracy_score(TRUE, given))
    assert rows["class_accuracy", "macro"]["value"] == pytest.approx(balanced_accuracy_score(TRUE, given))
    for label, recall in zip(LABELS, recall_score(TRUE, given, average=None), strict=True):
        assert rows["class_accuracy", label]["value"] == pytest.approx(recall)
    assert rows["class_accuracy", "all"]["num_images"] == 150


def test_f1_is_scikit_learns(result):
    rows, given = rows_of(result), TEST.scores_NL.argmax(axis=1)
    assert rows["class_f1", "macro"]["value"] == pytest.approx(f1_score(TRUE, given, average="macro"))
    for label, value in zip(LABELS, f1_score(TRUE, given, average=None), strict=True):
        assert rows["class_f1", label]["value"] == pytest.approx(value)


def test_auroc_is_scikit_learns_of_each_class_against_the_rest(result):
    shares = TEST.scores_NL.astype(float)
    expected = roc_auc_score(TRUE, shares / shares.sum(axis=1, keepdims=True), multi_class="ovr")
    assert rows_of(result)["auroc", "macro"]["value"] == pytest.approx(expected)


def test_what_is_known_of_labels_stands_there_unchanged(result):
    plain = score(LABELS, VALIDATION, TEST, **SETTINGS)
    assert result.metrics["rows"][: len(plain.metrics["rows"])] == plain.metrics["rows"]
    assert list(dict.fromkeys(row["metric"] for row in result.metrics["rows"])) == [
        *METRICS, "class_f1", "class_accuracy",
    ]  # fmt: skip
    assert set(result.replicates) == {"/".join(key) for key in rows_of(result)}
    json.dumps(result.metrics, allow_nan=False)


def test_each_replicate_is_the_metric_of_its_resample(result):
    patients, generator = np.unique(TEST.patient_ids), np.random.default_rng(0)
    given = TEST.scores_NL.argmax(axis=1)
    for replicate in range(5):
        drawn = patients[generator.integers(patients.size, size=patients.size)]
        images = np.concatenate([np.flatnonzero(np.array(TEST.patient_ids) == patient) for patient in drawn])
        for metric, expected in (
            ("class_accuracy/all", accuracy_score(TRUE[images], given[images])),
            ("class_f1/macro", f1_score(TRUE[images], given[images], average="macro")),
        ):
            assert result.replicates[metric][replicate] == pytest.approx(expected, rel=1e-5)


def test_images_without_a_class_count_for_nothing(result):
    unknown = Part(["q"] * 20, np.full((20, 4), np.nan, np.float32), make_part(5)[0].scores_NL[:20])
    both = Part(*(np.concatenate(pair) for pair in zip(vars(TEST).values(), vars(unknown).values(), strict=True)))
    rows = rows_of(score_classes(LABELS, VALIDATION, both, **SETTINGS))
    for key, row in rows_of(result).items():
        assert rows[key]["value"] == row["value"], key
        assert rows[key]["num_images"] == row["num_images"], key


def test_a_class_that_the_test_part_lacks_is_named_and_in_no_mean():
    is_seen = TRUE != 3
    test = Part(
        [TEST.patient_ids[i] for i in np.flatnonzero(is_seen)], TEST.labels_NL[is_seen], TEST.scores_NL[is_seen]
    )
    result = score_classes(LABELS, VALIDATION, test, **SETTINGS)
    rows = rows_of(result)
    assert rows["class_f1", "Grade 3"]["value"] is None
    assert result.metrics["labels_left_out"]["class_f1"] == ["Grade 3"]
    given = test.scores_NL.argmax(axis=1)
    expected = f1_score(TRUE[is_seen], given, average=None, labels=[0, 1, 2])
    assert rows["class_f1", "macro"]["value"] == pytest.approx(expected.mean())
    assert rows["class_accuracy", "all"]["value"] == pytest.approx(accuracy_score(TRUE[is_seen], given))


def test_of_equal_scores_the_first_class_is_given():
    np.testing.assert_array_equal(given_classes(np.array([[0.4, 0.4, 0.2], [0.1, 0.3, 0.6]])), [[1, 0, 0], [0, 0, 1]])
