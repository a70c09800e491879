"""Index, split and shards joined."""

import logging

import numpy as np
import pytest

from maskray.errors import InputError
from maskray.evaluation.images import BenchmarkImages
from tests.made_benchmark import LABELS, one_class, write_benchmark

NAN = float("nan")


def test_parts_and_nested_fractions(open_images):
    images = open_images()
    assert [len(images.examples("train", fraction)) for fraction in (0.05, 0.1, 1.0)] == [4, 12, 60]
    assert len(images.examples("validation")) == 20
    assert len(images.examples("test")) == 30


def test_labels_and_patients_are_those_of_the_index(open_images):
    examples = open_images().examples("test")
    assert examples.image_ids[:3] == ["test-000", "test-001", "test-002"]
    assert examples.patient_ids[3:5] == ["test0", "test1"]
    np.testing.assert_array_equal(examples.labels_NL[:4], [[0, 0], [1, 0], [0, 1], [1, 1]])
    assert examples.labels_NL.dtype == np.float32


def test_films_come_in_the_order_asked_for(open_images):
    images = open_images()
    films = images.read(["test-001", "test-000"])
    assert films.shape == (2, 8, 8)
    assert films[0, :, :4].float().mean() > films[1, :, :4].float().mean() + 40


def test_rejected_films_are_left_out_and_counted(open_images, caplog):
    caplog.set_level(logging.INFO)
    images = open_images(rejected=("test-001", "test-005"))
    examples = images.examples("test")
    assert len(examples) == 28
    assert "test-001" not in examples.image_ids
    assert "test: 2 of 30 images left out" in caplog.text


def test_a_fraction_without_any_film_is_an_error(open_images):
    images = open_images(rejected=[f"train-00{i}" for i in range(4)])
    with pytest.raises(InputError, match=r"split\.csv: 5% of train has 4 images, and .*manifest\.json holds none"):
        images.examples("train", 0.05)
    with pytest.raises(InputError, match="1% of train has 0 images"):
        images.examples("train", 0.01)


def test_an_unknown_label_names_those_that_there_are(tmp_path):
    paths = write_benchmark(tmp_path)
    with pytest.raises(InputError, match=r"index\.parquet: no label Edemas; it has Edema, Cardiomegaly"):
        BenchmarkImages(paths.index, paths.split, paths.manifest, ["Edemas"])


def test_a_split_of_another_index_is_refused(tmp_path):
    paths = write_benchmark(tmp_path, split_extra="stranger,test,\n")
    with pytest.raises(InputError, match=r"split\.csv: 1 images are not in .*index\.parquet.*stranger"):
        BenchmarkImages(paths.index, paths.split, paths.manifest, LABELS)


@pytest.mark.parametrize("missing", ["index", "split", "manifest"])
def test_a_missing_file_is_named(tmp_path, missing):
    paths = write_benchmark(tmp_path)
    getattr(paths, missing).unlink()
    with pytest.raises(InputError, match=getattr(paths, missing).name):
        BenchmarkImages(paths.index, paths.split, paths.manifest, LABELS)


def test_a_film_of_two_classes_or_of_none_is_refused(open_classes):
    assert open_classes().exclusive
    for wrong in ([1, 1, 0, 0], [0, 0, 0, 0], [1, NAN, 0, 0]):
        with pytest.raises(
            InputError, match=r"image test-003 does not show exactly one of Normal, Edema, Cardiomegaly"
        ):
            open_classes(labels_of=lambda part, n, labels, wrong=wrong: (
                np.array(wrong, np.float32) if (part, n) == ("test", 3) else one_class(part, n, labels)
            ))  # fmt: skip


def test_a_film_whose_class_is_not_stated_is_kept(open_classes):
    hidden = np.full(4, NAN, np.float32)
    images = open_classes(labels_of=lambda part, n, labels: hidden if n == 3 else one_class(part, n, labels))
    assert np.isnan(images.examples("test").labels_NL[3]).all()


def test_label_sets_decide_what_is_scored(tmp_path):
    paths = write_benchmark(tmp_path)
    images = BenchmarkImages(*vars(paths).values(), [], label_sets={"first": ["Cardiomegaly"], "both": [*LABELS]})
    assert images.labels == LABELS
    assert images.label_sets == {"first": ["Cardiomegaly"], "both": ["Edema", "Cardiomegaly"]}
    one = BenchmarkImages(*vars(paths).values(), LABELS, label_sets={"first": ["Cardiomegaly"]})
    assert one.labels == ("Cardiomegaly",)
    assert one.examples("test").labels_NL.shape == (30, 1)
    with pytest.raises(InputError, match="no label Hernia; it has Edema, Cardiomegaly"):
        BenchmarkImages(*vars(paths).values(), [], label_sets={"third": ["Hernia"]})


def test_seen_and_unseen_labels_follow_the_test_films_that_the_shards_hold(tmp_path):
    """Cardiomegaly is seen; scoliosis is more frequent than gynecomastia among all films, and less on test films."""
    names = ("cardiomegaly", "scoliosis", "gynecomastia", "normal", "goiter")

    def labels_of(part, number, labels_L):
        is_test = part == "test"
        return np.array([number % 2, number < 4 or not is_test, is_test and number < 9, 1, number == 0], np.float32)

    paths = write_benchmark(tmp_path, labels_of=labels_of, label_names=names, rejected=["test-000"])
    images = BenchmarkImages(*vars(paths).values(), [], label_sets="seen_and_unseen")
    unseen = ["gynecomastia", "scoliosis"]
    assert images.label_sets == {
        "seen": ["cardiomegaly"], "unseen_10": unseen, "unseen_20": unseen, "unseen_all": unseen,
    }  # fmt: skip
    assert images.labels == ("cardiomegaly", "scoliosis", "gynecomastia")
