import json
import logging

import pytest

from maskray.data.readers.ms_cxr import read_index
from maskray.errors import InputError
from tests.data.layouts import MS_CXR_BOXES, coco, dataset, label, write_mimic, write_ms_cxr, write_site

SENTENCES = {box[2] for box in MS_CXR_BOXES}


def site_of(tmp_path, boxes=MS_CXR_BOXES, **form):
    return {
        "folder": write_mimic(tmp_path / "mimic"),
        "annotations": write_ms_cxr(tmp_path / "ms_cxr", boxes, **form),
    }


def boxes_of(index, image):
    return json.loads(index.set_index("image_id")["boxes"][image])


def test_films_of_mimic_with_their_boxes_and_sentences(tmp_path):
    index = read_index(write_site("ms_cxr", tmp_path), dataset("ms_cxr"))
    assert list(index["image_id"]) == ["aa-01", "bb-01"]
    assert list(index["person"]) == ["mimic/p10000001", "mimic/p10000002"]
    assert list(index["same_as"]) == ["mimic/aa-01", "mimic/bb-01"]
    assert index["path"][0] == "files/p10/p10000001/s50000001/aa-01.jpg"
    assert list(index["view"]) == ["PA", "AP"]
    # A category without a box is not stated: nobody looked for it.
    assert label(index, "Pneumonia") == [1, None]
    assert label(index, "Pleural Effusion") == [None, 1]
    assert label(index, "Atelectasis") == [None, None]
    assert boxes_of(index, "bb-01") == [
        {"label": "Pleural Effusion", "phrase": "Small effusion", "x": 5, "y": 6, "w": 7, "h": 8}
        | {"grid_w": 3056, "grid_h": 2544}
    ]
    assert [(box["phrase"], box["x"], box["grid_h"]) for box in boxes_of(index, "aa-01")] == [
        ("mild edema", 0, 3056),
        ("Opacity, left base", 10, 3056),
        ("Opacity, left base", 100, 3056),
    ]


@pytest.mark.parametrize("form", ["csv", "json"])
@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_both_forms_and_versions_in_any_order_give_the_same(tmp_path, version, form):
    index = read_index(write_site("ms_cxr", tmp_path / "one"), dataset("ms_cxr"))
    site = site_of(tmp_path / "other", MS_CXR_BOXES[::-1], version=version, form=form)
    assert read_index(site, dataset("ms_cxr")).equals(index)


def test_the_column_split_is_not_trusted(tmp_path):
    index = read_index(site_of(tmp_path, version="1.1.0"), dataset("ms_cxr"))
    assert set(index["official_part"]) == {""}


def test_the_newest_version_and_the_csv_come_first(tmp_path, caplog):
    site = site_of(tmp_path, MS_CXR_BOXES[:1], version="1.1.0")
    write_ms_cxr(site["annotations"], MS_CXR_BOXES)
    assert len(read_index(site, dataset("ms_cxr"))) == 1
    write_ms_cxr(site["annotations"], MS_CXR_BOXES[1:2], version="1.1.0", form="json")
    read_index(site, dataset("ms_cxr"))
    assert "the first is used" not in caplog.text
    write_ms_cxr(site["annotations"], MS_CXR_BOXES, version="1.1.0", form="json")
    assert len(read_index(site, dataset("ms_cxr"))) == 1
    assert "MS_CXR_Local_Alignment_v1.1.0.csv has 1 boxes on 1 images" in caplog.text
    assert "MS_CXR_Local_Alignment_v1.1.0.json has 4 on 2; the first is used" in caplog.text


BAD_BOXES = [
    (("aa-01", "Flu", "a secret", "1", "1", "1", "1", "9", "9"), "category_name: expected one of Atelectasis"),
    (("aa-01", "Edema", "", "1", "1", "1", "1", "9", "9"), "label_text: empty cell"),
    (("aa-01", "Edema", "a secret", "9", "1", "1", "1", "9", "9"), "x: the box begins outside the image"),
    (("aa-01", "Edema", "a secret", "1", "1", "0", "1", "9", "9"), "w: not above 0"),
    (("aa-01", "Edema", "a secret", "1", "1", "1", "1", "0", "9"), "image_width: not a number of pixels"),
]


@pytest.mark.parametrize(("form", "place"), [("csv", "line 3"), ("json", "annotation 2")])
@pytest.mark.parametrize(("box", "message"), BAD_BOXES)
def test_bad_rows_are_named_without_their_sentence(tmp_path, form, place, box, message):
    with pytest.raises(InputError, match=rf"v1.0.0.{form}, {place}, column {message}") as caught:
        # Another film, as the json file states the size of each film once.
        read_index(site_of(tmp_path, (MS_CXR_BOXES[3], box), form=form), dataset("ms_cxr"))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bbox": [1, 2, 3]}, "annotation 1, column x: not a number"),
        ({"bbox": None}, "annotation 1, column x: not a number"),
        ({"image_id": 99}, "annotation 1, column dicom_id: empty cell"),
        ({"category_id": 99}, "annotation 1, column category_name: empty cell"),
        ({"label_text": None}, "annotation 1, column label_text: empty cell"),
    ],
)
def test_a_damaged_annotation_is_named(tmp_path, change, message):
    site = site_of(tmp_path, form="json")
    content = coco(MS_CXR_BOXES)
    content["annotations"][0] |= change
    (site["annotations"] / "MS_CXR_Local_Alignment_v1.0.0.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=rf"v1.0.0.json, {message}"):
        read_index(site, dataset("ms_cxr"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "no list of objects 'images'"),
        ('{"images": [], "categories": [1]}', "no list of objects 'categories'"),
        ('{"images": [], "categories": []}', "no list of objects 'annotations'"),
    ],
)
def test_a_json_file_of_another_form_is_refused(tmp_path, text, message):
    site = site_of(tmp_path, form="json")
    (site["annotations"] / "MS_CXR_Local_Alignment_v1.0.0.json").write_text(text)
    with pytest.raises(InputError, match=rf"v1.0.0.json: {message}"):
        read_index(site, dataset("ms_cxr"))


def test_a_partial_copy_is_counted_and_no_sentence_is_logged(tmp_path, caplog):
    lost = ("zz-01", "Edema", "some edema", "1", "1", "1", "1", "9", "9")
    site = site_of(tmp_path, (*MS_CXR_BOXES, lost))
    (site["folder"] / "files/p10/p10000002/s50000002/bb-01.jpg").unlink()
    with caplog.at_level(logging.INFO):
        index = read_index(site, dataset("ms_cxr", expected={"patients": 851}))
    assert list(index["image_id"]) == ["aa-01"]
    assert "ms_cxr: 4 image-sentence pairs (the owners count 1162)" in caplog.text
    assert "1 of 3 ids of" in caplog.text
    assert "e.g. zz-01" in caplog.text
    assert "1 of 2 rows have no image file" in caplog.text
    assert "1 patients; a complete copy has 851" in caplog.text
    assert not any(sentence in caplog.text for sentence in (*SENTENCES, "some edema"))


def test_boxes_of_another_mimic_are_refused(tmp_path):
    lost = ("zz-01", "Edema", "some edema", "1", "1", "1", "1", "9", "9")
    with pytest.raises(InputError, match=r"1 of 1 ids of .*: is mimic's folder a whole copy of MIMIC-CXR-JPG"):
        read_index(site_of(tmp_path, [lost]), dataset("ms_cxr"))
