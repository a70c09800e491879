import gzip
import logging
import time

import numpy as np
import pandas as pd
import pytest

from maskray.config.dataset import DatasetConfig
from maskray.config.preprocessing import MadeConfig
from maskray.data import splits
from maskray.data.made import make_dataset
from maskray.data.made.padchest import painted_labels
from maskray.data.made.studies import draw_study
from maskray.data.readers.padchest import TABLE, read_index
from maskray.errors import InputError
from maskray.images.decode import decode
from tests.data.layouts import PADCHEST_ROWS, dataset, label, touch, write_padchest


def settings(repository, **changes):
    return DatasetConfig.read(repository / "config/datasets/padchest.yaml").model_copy(update=changes)


def row_of(image="9_a.png", method="RNN_model", labels="['nodule']", **changes):
    row = dict(zip(range(9), ("9", image, "9", "99", "8", "PA", method, "", labels), strict=True))
    return tuple({**row, **changes}.values())


def test_one_row_per_image_with_ids_as_text(tmp_path):
    index = read_index({"folder": write_padchest(tmp_path)}, dataset("padchest"))
    assert list(index["image_id"]) == ["1_a.png", "1_b.png", "1_c.png", "2_a.png", "3_a.png", "4_a.png", "5_a.png"]
    assert index["patient_id"][0] == "70000000000000000000000000000000001"
    assert list(index["study_id"])[:3] == ["90", "90", "91"]
    assert list(index["path"])[2:4] == ["5/1_c.png", "5/2_a.png"]
    assert list(index["view"]) == ["PA", "LATERAL", "AP", "PA", "AP", "", "COSTAL"]


def test_label_lists_are_read_as_names(tmp_path):
    index = read_index({"folder": write_padchest(tmp_path)}, dataset("padchest"))
    assert label(index, "cardiomegaly") == [1, 1, 0, 0, 0, None, None]
    assert label(index, "copd signs") == [1, 1, 0, 0, 0, None, None]
    assert label(index, "nsg tube") == [0, 0, 0, 1, 0, None, None]
    assert label(index, "unchanged") == [0, 0, 1, 0, 0, 1, None]
    assert label(index, "normal") == [0, 0, 0, 0, 1, None, None]
    assert not {"label_", "label_nan"} & set(index)


def test_labels_come_by_falling_frequency_among_the_physicians(tmp_path):
    index = read_index({"folder": write_padchest(tmp_path)}, dataset("padchest"))
    names = [name.removeprefix("label_") for name in index if name.startswith("label_")]
    assert names[:3] == ["cardiomegaly", "copd signs", "normal"]
    assert names[3:] == sorted(names[3:])
    assert {"nodule", "nsg tube", "unchanged", "fracture"} < set(names)  # fracture: only the vocabulary names it


def test_settings_choose_labels_and_policy(tmp_path):
    write_padchest(tmp_path)
    chosen = read_index({"folder": tmp_path}, dataset("padchest", labels=["normal", "fracture"], not_stated="negative"))
    assert [name for name in chosen if name.startswith("label_")] == ["label_normal", "label_fracture"]
    assert label(chosen, "normal") == [0, 0, 0, 0, 1, 0, 0]
    assert label(chosen, "fracture") == [0] * 7
    for place in ("labels", "scored"):
        with pytest.raises(InputError, match=r"unknown label\(s\) nodul; there are cardiomegaly, copd signs, normal"):
            read_index({"folder": tmp_path}, dataset("padchest", **{place: ["nodul"]}))


def test_no_film_of_a_physicians_patient_is_for_training(tmp_path):
    index = read_index({"folder": write_padchest(tmp_path)}, dataset("padchest"))
    assert list(index["official_part"]) == ["test", "test", "", "train", "test", "train", "train"]


def test_without_the_columns_that_some_copies_lack(tmp_path, caplog):
    """Films flat, in one folder below, in folders that the table does not name."""
    write_padchest(tmp_path, without=["ImageDir", "StudyID", "MethodLabel", "Report"])
    (tmp_path / "0/1_a.png").rename(tmp_path / "1_a.png")
    (tmp_path / "54").rename(tmp_path / "images")
    index = read_index({"folder": tmp_path}, dataset("padchest"))
    assert list(index["path"])[:2] == ["1_a.png", "0/1_b.png"]
    assert index["path"][4] == "images/3_a.png"
    assert list(index["study_id"]) == list(index["image_id"])
    assert set(index["official_part"]) == {""}
    assert "no MethodLabel for 7 of 7 images" in caplog.text


def test_films_that_lie_elsewhere_than_the_table_says(tmp_path):
    write_padchest(tmp_path)
    (tmp_path / "5/2_a.png").rename(tmp_path / "2_a.png")
    touch(tmp_path / "small/1_a.png")
    index = read_index({"folder": tmp_path}, dataset("padchest"))
    assert list(index["path"])[3] == "2_a.png"
    assert index["path"][0] == "0/1_a.png"  # of two, the one in the table's folder
    touch(tmp_path / "small/2_a.png")
    with pytest.raises(InputError, match=r"small/2_a\.png: this image lies in .*/2_a\.png too; delete one"):
        read_index({"folder": tmp_path}, dataset("padchest"))


def test_packed_table(tmp_path):
    plain = read_index({"folder": write_padchest(tmp_path)}, dataset("padchest"))
    path = tmp_path / TABLE
    path.with_name(f"{TABLE}.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    assert read_index({"folder": tmp_path}, dataset("padchest")).equals(plain)


def test_row_order_does_not_matter(tmp_path):
    one = read_index({"folder": write_padchest(tmp_path / "1")}, dataset("padchest"))
    two = read_index({"folder": write_padchest(tmp_path / "2", PADCHEST_ROWS[::-1])}, dataset("padchest"))
    assert one.equals(two)


def test_partial_copy_is_said_and_has_the_same_labels(tmp_path, caplog):
    whole = read_index({"folder": write_padchest(tmp_path)}, dataset("padchest"))
    (tmp_path / "5/2_a.png").unlink()
    touch(tmp_path / "5/x.png")
    with caplog.at_level(logging.WARNING):
        part = read_index({"folder": tmp_path}, dataset("padchest", expected={"images": 160861}))
    assert list(part.columns) == list(whole.columns)
    assert "1 of 7 rows have no image file" in caplog.text
    assert "1 image file(s) have no row" in caplog.text
    assert "6 images; a complete copy has 160861" in caplog.text


GOOD_CELLS = {
    "[]": [],
    "['']": [],
    "[nan]": [],
    "": [],
    "['a',' b ', 'A']": ["a", "b"],
    '["d\'avila sign", " x"]': ["d'avila sign", "x"],
    r"['d\'avila sign']": ["d'avila sign"],
    "['exclude', 'x, y']": ["exclude", "x, y"],
}


@pytest.mark.parametrize("cell", GOOD_CELLS)
def test_odd_lists_are_read(tmp_path, cell):
    write_padchest(tmp_path, [PADCHEST_ROWS[0], row_of(labels=cell)])
    index = read_index({"folder": tmp_path}, dataset("padchest")).set_index("image_id")
    named = index.loc["9_a.png"].filter(like="label_") == 1
    assert sorted(name.removeprefix("label_") for name in named.index[named]) == GOOD_CELLS[cell]


BAD_ROWS = {
    "no list": (row_of(labels="nodule"), "Labels: expected a list of names"),
    "cut off": (row_of(labels="['nodule', ' scol"), "Labels: expected a list of names"),
    "no quotes": (row_of(labels="[nodule]"), "Labels: expected a list of names"),
    "a program": (row_of(labels="[__import__('os').getcwd()]"), "Labels: expected a list of names"),
    "method": (row_of(method="Nurse"), "MethodLabel: expected Physician or RNN_model"),
    "repeated": (row_of(image="1_a.png"), "ImageID: this name stands in an earlier row too"),
    "no patient": (tuple("" if n == 4 else cell for n, cell in enumerate(row_of())), "PatientID: empty cell"),
}


@pytest.mark.parametrize(("row", "message"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_bad_rows_are_named_and_not_quoted(tmp_path, row, message):
    write_padchest(tmp_path, [*PADCHEST_ROWS, row])
    with pytest.raises(InputError, match=rf"{TABLE}, line 9, column {message}") as error:
        read_index({"folder": tmp_path}, dataset("padchest"))
    assert "getcwd" not in str(error.value)


def test_made_films_and_labels_with_the_shipped_settings(tmp_path, repository):
    config = MadeConfig(num_studies={"padchest": 60}, image_px=32, seed=1)
    make_dataset("padchest", tmp_path / "padchest", config)
    shipped = settings(repository, made=True)
    index = read_index({"folder": tmp_path / "padchest"}, shipped)
    studies = [draw_study("padchest", 1, number) for number in range(60)]
    assert index["study_id"].nunique() == 60
    assert set(index["view"]) == {"PA", "AP", "LATERAL"}
    for name in ("cardiomegaly", "pleural effusion", "pneumothorax", "normal"):
        painted = sum((1 + study.has_lateral) * (name in painted_labels(study)) for study in studies)
        assert index[f"label_{name}"].sum() == painted > 0
    drawn = splits.split(index, shipped.splits["mmclip"], shipped.scored).merge(index, on="image_id")
    patients = drawn.groupby("part")["patient_id"].agg(set)
    assert set(drawn["part"]) == {"train", "validation", "test"}
    assert not patients["test"] & (patients["train"] | patients["validation"])
    assert (index["official_part"] == "").any()  # the network's films of a physician's patient


def test_made_films_have_their_grey_in_the_high_byte(tmp_path):
    from PIL import Image

    make_dataset("padchest", tmp_path / "padchest", MadeConfig(num_studies={"padchest": 1}, image_px=64))
    (path,) = (tmp_path / "padchest").rglob("*.png")
    values = np.asarray(Image.open(path))
    assert values.max() > 255 * 128
    film, low = decode(path, 10**6), (values % 256).astype("float32")
    assert np.corrcoef(film.ravel(), (values >> 8).ravel())[0, 1] > 0.999
    assert abs(np.corrcoef(film.ravel(), low.ravel())[0, 1]) < 0.2


def test_many_rows_are_read_fast(tmp_path):
    """A twentieth of the full table; the full one takes about 20 times as long."""
    num_rows, generator = 8000, np.random.default_rng(0)
    names = np.array([f"finding {n}" for n in range(190)])
    cells = [
        str([f" {name}" for name in names[generator.integers(0, 190, n)]]) for n in generator.integers(1, 6, num_rows)
    ]
    table = pd.DataFrame(
        {"ImageID": [f"{n:06}.png" for n in range(num_rows)], "PatientID": np.arange(num_rows) // 2, "Labels": cells}
    ).assign(Projection="PA", MethodLabel="RNN_model")
    table.to_csv(tmp_path / TABLE)
    for n in range(num_rows):
        (tmp_path / f"{n:06}.png").touch()
    start = time.process_time()
    index = read_index({"folder": tmp_path}, dataset("padchest"))
    assert time.process_time() - start < 5
    assert len(index) == num_rows
