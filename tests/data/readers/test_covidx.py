import logging

import pytest

from maskray.config.dataset import DatasetConfig
from maskray.config.preprocessing import MadeConfig
from maskray.data import splits
from maskray.data.made import make_dataset
from maskray.data.made.covidx import class_of
from maskray.data.made.studies import draw_study
from maskray.data.readers.covidx import read_index
from maskray.errors import InputError
from tests.data.layouts import COVIDX_TEST, COVIDX_TRAIN, covidx_lines, dataset, label, touch, write, write_covidx

TWO, THREE = ["COVID-19"], ["Normal", "Pneumonia", "COVID-19"]


def settings(labels=TWO, name="covidx", **changes):
    return dataset("covidx", labels=labels, **changes).model_copy(update={"name": name})


def write_kaggle(folder, train=COVIDX_TRAIN[:1], validation=COVIDX_TRAIN[1:], test=COVIDX_TEST, is_binary=True):
    for name, rows in {"train": train, "val": validation, "test": test}.items():
        write(folder / f"{name}.txt", covidx_lines(rows, is_binary))
        touch(*(folder / name / row[1] for row in rows))
    return folder


def test_two_classes(tmp_path):
    index = read_index({"folder": write_covidx(tmp_path)}, settings())
    assert list(index["image_id"]) == ["0a-1.png", "0b-2.png", "ARDS severe, day 2.png", "CR.1.2.png", "RICORD-1.jpg"]
    assert label(index, "COVID-19") == [0, 0, 0, 1, 1]
    assert [name for name in index if name.startswith("label_")] == ["label_COVID-19"]
    assert list(index["official_part"]) == ["train", "test", "train", "train", "test"]
    assert list(index["path"])[1:3] == ["test/0b-2.png", "train/ARDS severe, day 2.png"]


def test_three_classes_are_read_from_the_other_pair_and_exclude_each_other(tmp_path):
    write_covidx(tmp_path)
    write(tmp_path / "train_COVIDx9B.txt", ["damaged"])
    index = read_index({"folder": tmp_path}, settings(THREE))
    assert [label(index, name) for name in THREE] == [[1, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 1]]


def test_the_first_line_is_a_film_and_blank_lines_are_none(tmp_path):
    lines = ["\ufeff" + "5 first.png negative cohen\r", "", "6 last.png positive cohen"]
    touch(tmp_path / "train/first.png", tmp_path / "train/last.png", tmp_path / "test/a.png")
    write(tmp_path / "train_COVIDx8B.txt", lines)
    write(tmp_path / "test_COVIDx8B.txt", ["7 a.png NEGATIVE RSNA"])
    assert set(read_index({"folder": tmp_path}, settings())["image_id"]) == {"first.png", "last.png", "a.png"}


def test_patients_of_two_sources_with_one_number(tmp_path):
    index = read_index({"folder": write_covidx(tmp_path)}, settings()).set_index("image_id")
    assert index["patient_id"]["ARDS severe, day 2.png"] == "cohen-5"
    assert index["patient_id"]["CR.1.2.png"] == "actmed-5"
    assert index["patient_id"]["0a-1.png"] == "rsna-0a-1"  # spelt rnsa in the training list


@pytest.mark.parametrize(("name", "ours"), [("covidx", ""), ("covidx3", "covidx/CR.1.2.png")])
def test_films_and_persons_of_other_data_sets(tmp_path, name, ours):
    index = read_index({"folder": write_covidx(tmp_path)}, settings(name=name)).set_index("image_id")
    assert index["same_as"]["0a-1.png"] == "rsna/0a-1"
    assert index["same_as"]["0b-2.png"] == "rsna/0b-2"
    assert index["same_as"]["ARDS severe, day 2.png"] == "covid_chestxray/ARDS severe, day 2.png"
    assert index["same_as"]["CR.1.2.png"] == ours
    assert index["person"]["ARDS severe, day 2.png"] == "covid_chestxray/5"
    assert index["person"]["CR.1.2.png"] == "covidx/actmed-5"


@pytest.mark.parametrize("version", ["7", "9", "_CXR-3"])
def test_lists_of_any_version(tmp_path, version):
    assert len(read_index({"folder": write_covidx(tmp_path, version=version)}, settings())) == 5


def test_lists_of_two_versions_are_refused(tmp_path):
    write_covidx(write_covidx(tmp_path), version="8")
    with pytest.raises(InputError, match=r"lists of several versions: train_COVIDx8B.txt, train_COVIDx9B.txt; keep"):
        read_index({"folder": tmp_path}, settings())


def test_the_other_list_of_a_pair_must_be_there(tmp_path):
    (write_covidx(tmp_path) / "test_COVIDx9B.txt").unlink()
    with pytest.raises(InputError, match=r"test_COVIDx9B.txt: missing: COVIDx's lists of two classes.*example.org"):
        read_index({"folder": tmp_path}, settings())


def test_lists_of_the_copies_on_kaggle(tmp_path):
    index = read_index({"folder": write_kaggle(tmp_path / "two")}, settings())
    assert list(index["official_part"]) == ["validation", "test", "train", "validation", "test"]
    assert index["path"][0] == "val/0a-1.png"
    index = read_index({"folder": write_kaggle(tmp_path / "three", is_binary=False)}, settings(THREE))
    assert label(index, "Pneumonia") == [0, 0, 1, 0, 0]
    (tmp_path / "two/val.txt").unlink()
    assert len(read_index({"folder": tmp_path / "two"}, settings())) == 3
    with pytest.raises(InputError, match=r"train.txt, line 1, column class: this is a list of two classes"):
        read_index({"folder": tmp_path / "two"}, settings(THREE))


BAD_LINES = {
    "unknown class": ("9 x.png maybe cohen", "line 4, column class: expected negative, normal, pneumonia, covid-19"),
    "no source": ("9 x.png positive", "line 4, column source: expected patient, file name, class and source"),
    "repeated": ("9 CR.1.2.png positive actmed", "line 4, column filename: this name stands in an earlier row too"),
    "contradiction": ("9 CR.1.2.png negative actmed", "line 4, column filename: this name stands in an earlier row"),
}


@pytest.mark.parametrize(("line", "message"), BAD_LINES.values(), ids=BAD_LINES)
def test_bad_lines_are_named(tmp_path, line, message):
    path = write_covidx(tmp_path) / "train_COVIDx9B.txt"
    write(path, [*path.read_text().splitlines(), line])
    with pytest.raises(InputError, match=f"train_COVIDx9B.txt, {message}"):
        read_index({"folder": tmp_path}, settings())


def test_a_film_of_both_lists_is_refused(tmp_path):
    write_covidx(tmp_path, test=[*COVIDX_TEST, COVIDX_TRAIN[1]])
    with pytest.raises(InputError, match=r"test_COVIDx9B.txt, line 3, column filename: .*stands in train_COVIDx9B.txt"):
        read_index({"folder": tmp_path}, settings())


@pytest.mark.parametrize(
    "header", ["patient_id filename class source", "patientid,filename,label,source", "id image label data"]
)
def test_a_header_is_refused(tmp_path, header):
    path = write_covidx(tmp_path) / "train_COVIDx9B.txt"
    write(path, [header, *path.read_text().splitlines()])
    with pytest.raises(InputError, match=r"train_COVIDx9B.txt, line 1: a header, which the owners' lists do not have"):
        read_index({"folder": tmp_path}, settings())


def test_an_empty_list_is_refused(tmp_path):
    write(write_covidx(tmp_path) / "test_COVIDx9B.txt", [""])
    with pytest.raises(InputError, match=r"test_COVIDx9B.txt: no row"):
        read_index({"folder": tmp_path}, settings())


def test_partial_copy_is_said_and_left_out(tmp_path, caplog):
    (write_covidx(tmp_path) / "train/CR.1.2.png").unlink()
    touch(tmp_path / "test/new.png")
    with caplog.at_level(logging.WARNING):
        index = read_index({"folder": tmp_path}, settings(expected={"images": 30386}))
    assert len(index) == 4
    assert "1 of 5 rows have no image file" in caplog.text
    assert "1 image file(s) have no row in" in caplog.text
    assert "4 images; a complete copy has 30386" in caplog.text


def test_row_order_does_not_matter(tmp_path):
    one = write_covidx(tmp_path / "1")
    two = write_covidx(tmp_path / "2", COVIDX_TRAIN[::-1], COVIDX_TEST[::-1])
    assert read_index({"folder": one}, settings()).equals(read_index({"folder": two}, settings()))


@pytest.mark.parametrize("name", ["covidx", "covidx3"])
def test_made_films_with_the_shipped_settings(tmp_path, repository, name):
    shipped = DatasetConfig.read(repository / f"config/datasets/{name}.yaml").model_copy(update={"made": True})
    make_dataset(name, tmp_path / name, MadeConfig(num_studies={"covidx": 80, name: 80}, image_px=32))
    index = read_index({"folder": tmp_path / name}, shipped)
    assert len(index) == 80
    painted = [class_of(draw_study("covidx", 0, number)) for number in range(80)]
    for ours, theirs in zip(THREE, ("normal", "pneumonia", "COVID-19"), strict=True):
        assert painted.count(theirs) > 8
        if ours in shipped.labels:
            assert sum(label(index, ours)) == painted.count(theirs)
    assert index["same_as"].str.startswith("rsna/").sum() > 8
    assert index["image_id"].str.contains(" ").any()
    for config in shipped.splits.values():
        assert set(splits.split(index, config, shipped.labels)["part"]) == {"train", "validation", "test"}


def test_settings_of_two_and_of_three_classes(repository):
    for name, labels in {"covidx": TWO, "covidx3": THREE}.items():
        shipped = DatasetConfig.read(repository / f"config/datasets/{name}.yaml")
        assert (shipped.name, shipped.reader, list(shipped.labels)) == (name, "covidx", labels)
