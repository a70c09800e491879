"""Retrieval between films and reports."""

import logging

import numpy as np
import pandas as pd
import pytest
import torch

from maskray.config.training import RetrievalConfig
from maskray.errors import InputError
from maskray.evaluation.images import BenchmarkImages
from maskray.evaluation.retrieval import gather_candidates, in_drawn_order, measure_retrieval, one_film_per_study
from maskray.training.export import load_method
from tests.made_benchmark import LABELS, write_benchmark, write_pretrained
from tests.made_reports import NUM_TEST_STUDIES, write_reports


@pytest.fixture(scope="module", params=["medim", "maco", "mnm", "dmlm", "mmclip"])
def any_method(request, tmp_path_factory):
    return load_method(write_pretrained(tmp_path_factory.mktemp(request.param) / "pretrain", request.param))


@pytest.fixture(scope="module")
def medim(tmp_path_factory):
    return load_method(write_pretrained(tmp_path_factory.mktemp("medim") / "pretrain", "medim"))


@pytest.fixture
def opened(tmp_path):
    """Images and reports of a tiny benchmark whose reports say what ``texts_of`` makes them say."""

    def open_it(texts_of=None, **options):
        paths = write_benchmark(tmp_path / "data", size_px=16, **options)
        reports = write_reports(paths, texts_of)
        return BenchmarkImages(paths.index, paths.split, paths.manifest, LABELS), reports

    return open_it


def test_every_method_measures_every_study_once(any_method, opened, runtime):
    measured = measure_retrieval(any_method, *opened(), RetrievalConfig(), runtime)
    assert sorted(measured.item_ids) == [f"test-s{number:02d}" for number in range(NUM_TEST_STUDIES)]
    assert set(measured.values) == {f"{direction}_r{k}" for direction in ("i2t", "t2i") for k in (1, 5, 10)}
    assert measured.settings["num_candidates"] == NUM_TEST_STUDIES
    for direction in ("i2t", "t2i"):
        first, fifth, tenth = (measured.values[f"{direction}_r{k}"] for k in (1, 5, 10))
        assert (first <= fifth).all()
        assert (fifth <= tenth).all()


def test_what_is_measured_is_what_the_method_says_of_each_pair(medim, opened, runtime):
    images, reports = opened()
    measured = measure_retrieval(medim, images, reports, RetrievalConfig(), runtime)
    texts = pd.read_parquet(reports).set_index("study_id")["findings"]
    films = [f"test-{2 * int(study[-2:]) + 1:03d}" for study in measured.item_ids]  # the frontal one
    with torch.no_grad():
        images_NE = medim.method.encode_image(images.read(films).float() / 255)
        encoded = [medim.tokenizer(texts[study], return_tensors="pt") for study in measured.item_ids]
        texts_NE = torch.cat([medim.method.encode_text(e["input_ids"], e["attention_mask"].bool()) for e in encoded])
    similarity_NN = (images_NE @ texts_NE.T).numpy()
    for name, matrix in (("i2t", similarity_NN), ("t2i", similarity_NN.T)):
        ranks = 1 + (matrix > np.diag(matrix)[:, None] + 1e-6).sum(axis=1)
        for k in (1, 5, 10):
            assert measured.values[f"{name}_r{k}"].tolist() == (ranks <= k).astype(float).tolist()


def test_reports_that_read_the_same_are_hits_together(medim, opened, runtime):
    measured = measure_retrieval(medim, *opened(lambda study: "no edema"), RetrievalConfig(), runtime)
    assert measured.settings["num_distinct_texts"] == 1
    assert measured.values["i2t_r1"].tolist() == [1.0] * NUM_TEST_STUDIES
    assert measured.values["t2i_r1"].sum() == 1


def test_studies_without_a_report_or_pixels_are_no_candidates(medim, opened, caplog):
    with caplog.at_level(logging.INFO):
        images, reports = opened(
            lambda study: {"test-s03": None, "test-s04": ""}.get(study, "cardiomegaly"),
            rejected=("test-000", "test-001", "test-003"),
        )
        found = gather_candidates(medim, images, reports, RetrievalConfig())
    assert sorted(found.studies["study_id"]) == [f"test-s{n:02d}" for n in range(15) if n not in (0, 3, 4)]
    assert set(found.studies.loc[found.studies["study_id"] == "test-s01", "image_id"]) == {
        "test-002"
    }  # lateral: all it has
    assert "12 of 14 studies of the test part have a report with text" in caplog.text


def test_no_report_at_all_is_said(medim, opened):
    images, reports = opened(lambda study: None if study.startswith("test") else "no edema")
    with pytest.raises(InputError, match=r"reports\.parquet: no study of the test part"):
        gather_candidates(medim, images, reports, RetrievalConfig())


def test_a_number_of_candidates_is_drawn_by_the_seed(medim, opened):
    images, reports = opened()
    drawn = [
        gather_candidates(medim, images, reports, RetrievalConfig(num_candidates=6, seed=seed)).studies["study_id"]
        for seed in (0, 0, 1)
    ]
    assert [len(one) for one in drawn] == [6, 6, 6]
    assert drawn[0].tolist() == drawn[1].tolist() != drawn[2].tolist()


@pytest.mark.parametrize(("distinct", "num_left"), [("labels", 2), ("texts", 3)])
def test_only_studies_that_differ(medim, opened, caplog, distinct, num_left):
    """The frontal films have Edema and every second one Cardiomegaly: two sets of labels. Three texts."""
    images, reports = opened(lambda study: "no edema" + " cardiomegaly" * (int(study[-2:]) % 3))
    config = RetrievalConfig(distinct=distinct, num_candidates=10)
    with caplog.at_level(logging.WARNING):
        found = gather_candidates(medim, images, reports, config)
    assert len(found.studies) == num_left
    assert f"10 are wanted, but the test part has only {num_left} studies that differ" in caplog.text
    assert "edema" not in caplog.text
    if distinct == "labels":
        assert len(found.studies[["label_Edema", "label_Cardiomegaly"]].drop_duplicates()) == 2
    else:
        assert len(found.rows_of_texts) == 3


def test_one_film_per_study_is_frontal_pa_first():
    films = pd.DataFrame(
        {
            "image_id": list("abcdef"),
            "study_id": ["s1"] * 4 + ["s2"] * 2,
            "view": ["LATERAL", "AP", "PA", "PA", "", "LL"],
        }
    )
    assert one_film_per_study(films.iloc[::-1])["image_id"].tolist() == ["c", "e"]


def test_the_drawn_order_of_some_does_not_depend_on_the_others():
    studies = pd.DataFrame({"study_id": [f"s{number}" for number in range(30)]})
    some = set(studies["study_id"][::3])
    of_all = [study for study in in_drawn_order(studies, 5)["study_id"] if study in some]
    assert of_all == in_drawn_order(studies[::3], 5)["study_id"].tolist()


def test_a_diverged_method_is_named(medim, opened, runtime):
    medim.method.project_image_whole[0].bias.data[0] = torch.nan
    try:
        with pytest.raises(InputError, match="did its training diverge"):
            measure_retrieval(medim, *opened(), RetrievalConfig(), runtime)
    finally:
        medim.method.project_image_whole[0].bias.data[0] = 0
