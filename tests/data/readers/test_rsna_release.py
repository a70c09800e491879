import json

import pytest

from maskray.data.readers.rsna import MAPPINGS, read_index
from maskray.data.readers.rsna_release import ANNOTATIONS, TEST_FOLDER
from maskray.errors import InputError
from tests.data.layouts import dataset, label, touch, write_rsna

LABELS = [("L_n", "Normal"), ("L_o", "No Lung Opacity / Not Normal"), ("L_v", "Lung Opacity ")]
BOX = {"x": 10.5, "y": 20, "width": 30, "height": 40}


def write_release(folder, *annotations):
    """RSNA's export beside Kaggle's files; images t and u are of the test part, b of the training part."""
    write_rsna(folder)
    mappings = json.loads((folder / MAPPINGS).read_text())
    mappings += [
        {"subset_img_id": "t", "img_id": "00000007_003.png"},
        {"subset_img_id": "u", "img_id": "00000020_000.png"},
    ]
    for entry in mappings:
        entry["SOPInstanceUID"] = "1.2." + entry["subset_img_id"]
    (folder / MAPPINGS).write_text(json.dumps(mappings))
    found = [("1.2.b", "L_v", BOX), ("1.2.t", "L_v", BOX), ("1.2.t", "L_v", BOX | {"x": 500}), ("1.2.u", "L_o", None)]
    found += [("1.2.u", "L_reader", BOX), (None, "L_v", BOX), ("1.2.unknown", "L_n", None), *annotations]
    groups = [
        {"name": "Team 1", "labels": [{"id": "L_reader", "name": "Lung Opacity"}]},
        {"name": "Calculated", "labels": [{"id": key, "name": name} for key, name in LABELS]},
    ]
    entries = [{"SOPInstanceUID": uid, "labelId": key, "data": data} for uid, key, data in found]
    export = {"labelGroups": groups, "datasets": [{"annotations": entries}]}
    (folder / ANNOTATIONS).write_text(json.dumps(export))
    touch(*(folder / TEST_FOLDER / f"{name}.dcm" for name in "tuv"))
    return folder


def test_the_test_images_have_the_final_labels(tmp_path):
    index = read_index({"folder": write_release(tmp_path)}, dataset("rsna"))
    assert list(index["image_id"]) == ["a", "b", "c", "d", "t", "u"]
    assert list(index["official_part"]) == ["train"] * 4 + ["test"] * 2
    assert label(index, "Pneumonia") == [0, 1, 0, 1, 1, 0]
    assert list(index["path"][-2:]) == [f"{TEST_FOLDER}/t.dcm", f"{TEST_FOLDER}/u.dcm"]
    assert [box["x"] for box in json.loads(index["boxes"][4])] == [10.5, 500.0]
    assert index["boxes"][5] == ""
    # A training image of the same patient: the split must know it.
    assert index["person"][4] == index["person"][1] == "nih/7"


@pytest.mark.parametrize("missing", [MAPPINGS, TEST_FOLDER])
def test_without_mappings_or_films_the_release_is_not_used_and_it_is_said(tmp_path, caplog, missing):
    path = write_release(tmp_path) / missing
    path.rename(tmp_path / "elsewhere")
    index = read_index({"folder": tmp_path}, dataset("rsna"))
    assert set(index["official_part"]) == {"train"}
    assert f"{ANNOTATIONS} is not used: it needs the mappings file" in caplog.text


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (("1.2.t", "L_n", None), "annotation 2, column label: this image has Lung Opacity and another"),
        (("1.2.u", "L_v", BOX), "annotation 4, column label: this image has"),
        (("1.2.t", "L_v", None), "annotation 8, column x: not a number"),
        (("1.2.t", "L_v", BOX | {"y": 2000}), "annotation 8, column y: the box begins outside"),
    ],
)
def test_bad_annotations_are_named(tmp_path, annotation, message):
    with pytest.raises(InputError, match=f"{ANNOTATIONS}, {message}"):
        read_index({"folder": write_release(tmp_path, annotation)}, dataset("rsna"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "not RSNA's export of annotations .KeyError"),
        ("[]", "not RSNA's export of annotations"),
        ('{"labelGroups": [{"name": "Calculated", "labels": []}], "datasets": []}', "no final label"),
    ],
)
def test_another_file_is_refused(tmp_path, text, message):
    (write_release(tmp_path) / ANNOTATIONS).write_text(text)
    with pytest.raises(InputError, match=f"{ANNOTATIONS}: {message}"):
        read_index({"folder": tmp_path}, dataset("rsna"))
