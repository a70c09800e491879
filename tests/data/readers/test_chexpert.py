import pytest

from maskray.data.readers.chexpert import LABELS, read_index
from maskray.errors import InputError
from tests.data.layouts import dataset, label, touch, write, write_chexpert


@pytest.mark.parametrize("prefix", ["CheXpert-v1.0", "CheXpert-v1.0-small"])
def test_both_downloads_from_the_parent_and_from_the_folder_itself(tmp_path, prefix):
    write_chexpert(tmp_path, prefix)
    parent = read_index({"folder": tmp_path}, dataset("chexpert"))
    itself = read_index({"folder": tmp_path / prefix}, dataset("chexpert"))
    assert parent.drop(columns="path").equals(itself.drop(columns="path"))
    assert all((tmp_path / path).is_file() for path in parent["path"])
    assert all((tmp_path / prefix / path).is_file() for path in itself["path"])
    assert parent["image_id"][0] == "train/patient00001/study1/view1_frontal.jpg"
    assert list(parent["patient_id"]) == ["patient00001", "patient00002", "patient00002", "patient64541"]
    assert list(parent["study_id"])[1:3] == ["patient00002/study2"] * 2
    assert list(parent["view"]) == ["AP", "PA", "LATERAL", "AP"]
    assert list(parent["official_part"]) == ["train", "train", "train", "validation"]


def test_prefix_of_the_other_download_in_the_lists(tmp_path):
    """Lists of the full download beside the images of the small one."""
    write_chexpert(tmp_path)
    for name in ("train.csv", "valid.csv"):
        path = tmp_path / "CheXpert-v1.0-small" / name
        path.write_text(path.read_text().replace("CheXpert-v1.0-small/", "CheXpert-v1.0/"))
    assert len(read_index({"folder": tmp_path}, dataset("chexpert"))) == 4


@pytest.mark.parametrize(
    ("uncertain", "not_stated", "cardiomegaly", "fracture"),
    [
        ("ignore", "ignore", [None, None, None, 1], [None, 1, 1, 0]),
        ("positive", "negative", [0, 1, 1, 1], [0, 1, 1, 0]),
        ("negative", "ignore", [None, 0, 0, 1], [None, 1, 1, 0]),
    ],
)
def test_policies(tmp_path, uncertain, not_stated, cardiomegaly, fracture):
    settings = dataset("chexpert", uncertain=uncertain, not_stated=not_stated)
    index = read_index({"folder": write_chexpert(tmp_path)}, settings)
    assert label(index, "Cardiomegaly") == cardiomegaly
    assert label(index, "Fracture") == fracture


def test_test_list_where_it_is_there(tmp_path):
    top = write_chexpert(tmp_path) / "CheXpert-v1.0-small"
    path = "test/patient64741/study1/view1_frontal.jpg"
    write(top / "test_labels.csv", ["Path," + ",".join(LABELS), path + ",1" * 14])
    touch(top / path)
    index = read_index({"folder": tmp_path}, dataset("chexpert")).set_index("image_id")
    assert tuple(index.loc[path, ["official_part", "view", "patient_id"]]) == ("test", "FRONTAL", "patient64741")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("-1.0,1.0,,-1.0,-1.0,", "maybe,1.0,,-1.0,-1.0,", "line 3, column Cardiomegaly: expected 1, 0, -1"),
        ("train/patient00001/", "train/", "line 2, column Path"),
        ("Lateral,,", "Oblique,,", "line 4, column Frontal/Lateral"),
        ("view2_lateral", "view1_frontal", "line 4, column Path: this image stands in an earlier row too"),
        ("Pleural Other", "Pleura", "no column Pleural Other"),
    ],
)
def test_bad_cells_are_named(tmp_path, old, new, message):
    path = write_chexpert(tmp_path) / "CheXpert-v1.0-small/train.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(InputError, match=rf"train.csv.*{message}"):
        read_index({"folder": tmp_path}, dataset("chexpert"))
