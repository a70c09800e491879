"""Two rows of runs, compared on the same test items."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from maskray.config.stages import ScoreStage
from maskray.errors import InputError
from maskray.evaluation.comparing import Comparer, open_runs
from maskray.evaluation.predictions import read_predictions, write_predictions
from maskray.metrics.paired import BOOTSTRAP, DELONG, Runs
from tests.made_runs import LABELS, NUM_TEST, write_measured, write_predicted


def runs_of(files, metric, label):
    values, replicates = [], []
    for file in files:
        rows = json.loads(file.with_name("metrics.json").read_text())["rows"]
        values += [row["value"] for row in rows if (row["metric"], row["label"]) == (metric, label)]
        with np.load(file.with_name("bootstrap.npz")) as archive:
            replicates.append(archive[f"{metric}/{label}"])
    return Runs(np.array(values), np.array(replicates), tuple(map(str, files)))


def compare(first, second, metric="auroc", label="macro"):
    return Comparer(0.95)(runs_of(first, metric, label), runs_of(second, metric, label), metric, label)


@pytest.fixture
def good(tmp_path):
    return [write_predicted(tmp_path / f"good/seed{seed}", 0.2, seed) for seed in (0, 1)]


@pytest.fixture
def bad(tmp_path):
    return [write_predicted(tmp_path / f"bad/seed{seed}", 3.0, seed) for seed in (0, 1)]


def test_aurocs_are_compared_by_delong_and_differ_as_the_cells_do(good, bad):
    for label in ("macro", *LABELS):
        test = compare(good, bad, label=label)
        means = [runs_of(files, "auroc", label).values_S.mean() for files in (good, bad)]
        assert test.test == DELONG
        assert test.difference == pytest.approx(means[0] - means[1], abs=1e-6)
        assert test.p < 0.05
        assert test.low > 0
    mass = [read_predictions(file).part("test") for file in (good[0], bad[0])]
    areas = [roc_auc_score(one.labels_NL[:, 1], one.scores_NL[:, 1]) for one in mass]
    assert compare(good[:1], bad[:1], label="Mass").difference == pytest.approx(areas[0] - areas[1])


def test_films_of_a_patient_are_taken_together(good):
    opened = open_runs(tuple(map(str, good)))
    assert opened.scores.scores_SNL.shape == (2, NUM_TEST, 2)
    assert opened.scores.patient_of_image_N.max() + 1 == NUM_TEST // 2


def test_other_metrics_are_compared_by_the_paired_bootstrap(good, bad, tmp_path):
    f1 = compare(good, bad, "f1_oracle", "Mass")
    first, second = (runs_of(files, "f1_oracle", "Mass") for files in (good, bad))
    differences = first.replicates_SR.mean(axis=0) - second.replicates_SR.mean(axis=0)
    assert f1.test == BOOTSTRAP
    assert (f1.low, f1.high) == pytest.approx(tuple(np.quantile(differences, [0.025, 0.975])))
    measured = [[write_measured(tmp_path / f"m{share}", share, 1)] for share in (0.7, 0.3)]
    recall = compare(*measured, "i2t_r1", "all")
    assert (recall.test, recall.p) == (BOOTSTRAP, pytest.approx(2 / 201))


def test_a_row_against_itself_has_p_one(good):
    for metric in ("auroc", "f1_oracle"):
        test = compare(good, good, metric)
        assert (test.difference, test.p) == (0, 1)


def test_the_order_of_the_rows_in_the_file_does_not_matter(good, bad, tmp_path):
    read = read_predictions(bad[0])
    expected = compare(good[:1], bad[:1])
    turned = read._take(np.arange(len(read.image_ids))[::-1])
    write_predictions(bad[0], turned)
    assert compare(good[:1], bad[:1]) == expected


@pytest.mark.parametrize("metric", ["auroc", "f1_oracle"])
def test_other_test_films_other_patients_other_labels_are_not_paired(good, bad, tmp_path, metric):
    fewer = write_predicted(tmp_path / "fewer", 0.2, 0, drop=3)
    test = compare(good, [fewer], metric)
    assert test.reason == "test parts differ: 3 items on one side alone, 0 on the other"
    assert np.isnan([test.difference, test.p]).all()
    read = read_predictions(bad[0])
    write_predictions(bad[0], replace(read, patient_ids=[f"x{one}" for one in read.patient_ids]))
    assert "another patient of 120 of the 120 items" in compare(good, bad[:1], metric).reason
    read.labels_NL[0, 0] = np.nan  # The rows of the test part come first.
    write_predictions(bad[0], read)
    assert "another label of 1 of the 120 items" in compare(good, bad[:1], metric).reason


def test_other_resamples_are_not_paired(good, tmp_path):
    other = write_predicted(tmp_path / "other", 0.2, 0, score=ScoreStage(num_replicates=200, seed=5))
    assert "different resamples" in compare(good, [other], "f1_oracle").reason


def test_runs_of_one_row_on_different_films_are_an_error(good, tmp_path):
    fewer = write_predicted(tmp_path / "fewer", 0.2, 1, drop=3)
    with pytest.raises(InputError, match=r"fewer/predictions.parquet: not like .*seed0"):
        open_runs((str(good[0]), str(fewer)))


def test_metrics_without_their_seed_are_named(good):
    good[0].with_name("metrics.json").write_text("{}")
    with pytest.raises(InputError, match=r"metrics.json: no seed"):
        open_runs((str(good[0]),))
