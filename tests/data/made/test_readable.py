"""The shipped readers and settings read what the layouts write."""

import json

import pytest

from maskray.config.dataset import DatasetConfig
from maskray.config.preprocessing import MadeConfig
from maskray.data.made import make_dataset
from maskray.data.made.edema import grade_of
from maskray.data.made.mimic import dicom_id_of
from maskray.data.made.studies import draw_study
from maskray.data.registry import reader_of
from maskray.data.splits import draw

NUM_STUDIES = 60
NAMES = ("mimic", "edema", "ms_cxr", "covid_rural")


@pytest.fixture(scope="module")
def indexes(tmp_path_factory, repository):
    top, made = tmp_path_factory.mktemp("made"), MadeConfig(num_studies=dict.fromkeys(NAMES, NUM_STUDIES), image_px=32)
    read = {}
    for name in NAMES:
        make_dataset(name, top / name, made)
        settings = DatasetConfig.read(repository / f"config/datasets/{name}.yaml").model_copy(update={"made": True})
        site = {"folder": top / (settings.images_of or name), "annotations": top / name}
        read[name] = (settings, reader_of(settings).read_index(site, settings))
    return read


def test_films_that_are_graded_or_boxed_are_mimics(indexes):
    (_, mimic) = indexes["mimic"]
    of_mimic = mimic.set_index("image_id")
    for name in ("edema", "ms_cxr"):
        _, index = indexes[name]
        assert len(index) > NUM_STUDIES / 6
        theirs = of_mimic.loc[index["image_id"]].reset_index()
        for column in ("image_id", "patient_id", "study_id", "path", "view", "person"):
            assert list(index[column]) == list(theirs[column])
        assert list(index["same_as"]) == list("mimic/" + index["image_id"])


def test_grades_are_the_painted_ones_where_the_source_is_no_regular_expression(indexes):
    _, index = indexes["edema"]
    studies = [draw_study("mimic", 0, number) for number in range(NUM_STUDIES)]
    painted = {dicom_id_of(study, study.view): grade_of(study) for study in studies}
    assert set(index["official_part"]) == {"consensus_image", "expert_report", "regex_report"}
    for _, row in index.iterrows():
        if row["official_part"] != "regex_report":
            assert row[f"label_Grade {painted[row['image_id']]}"] == 1


def test_boxes_are_those_of_the_labels(indexes):
    settings, index = indexes["ms_cxr"]
    for _, row in index.iterrows():
        boxes = json.loads(row["boxes"])
        assert {box["label"] for box in boxes} == {label for label in settings.labels if row[f"label_{label}"] == 1}
        assert all(box["phrase"] and box["grid_w"] == box["grid_h"] == 32 for box in boxes)


@pytest.mark.parametrize("name", NAMES[1:])
def test_each_shipped_split_can_be_drawn(indexes, name):
    settings, index = indexes[name]
    for config in settings.splits.values():
        parts = draw(index, config, settings.labels)[0]["part"]
        assert set(parts) == ({"test"} if config.whole_test else {"train", "validation", "test"})
