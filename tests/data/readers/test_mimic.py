import gzip

import pytest

from maskray.data.readers.mimic import read_index, read_reports
from maskray.errors import InputError
from tests.data.layouts import MIMIC_IMAGES, dataset, label, write, write_mimic, write_mimic_reports


def test_images_with_the_labels_of_their_study(tmp_path):
    index = read_index({"folder": write_mimic(tmp_path)}, dataset("mimic", not_stated="negative", uncertain="positive"))
    assert list(index["image_id"]) == ["aa-01", "aa-02", "bb-01", "cc-01"]
    assert list(index["patient_id"]) == ["p10000001", "p10000001", "p10000002", "p11000003"]
    assert list(index["study_id"]) == ["s50000001", "s50000001", "s50000002", "s50000003"]
    assert index["path"][3] == "files/p11/p11000003/s50000003/cc-01.jpg"
    assert list(index["view"]) == ["PA", "LATERAL", "AP", ""]
    assert list(index["official_part"]) == ["train", "train", "validation", "test"]
    # Blank is negative by policy, but the last study has no row at all: nobody labelled it.
    assert label(index, "No Finding") == [1, 1, 0, None]
    assert label(index, "Enlarged Cardiomediastinum") == [0, 0, 1, None]


def test_tables_may_be_unpacked_and_in_any_order(tmp_path):
    packed = read_index({"folder": write_mimic(tmp_path / "packed")}, dataset("mimic"))
    folder = write_mimic(tmp_path / "unpacked", MIMIC_IMAGES[::-1])
    for path in folder.glob("*.csv.gz"):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert read_index({"folder": folder}, dataset("mimic")).equals(packed)


def test_damaged_table_is_named(tmp_path):
    path = write_mimic(tmp_path) / "mimic-cxr-2.0.0-split.csv.gz"
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(InputError, match=r"mimic-cxr-2.0.0-split.csv.gz: damaged"):
        read_index({"folder": tmp_path}, dataset("mimic"))
    path.unlink()
    with pytest.raises(InputError, match=r"mimic-cxr-2.0.0-split.csv.gz: missing: .*official parts"):
        read_index({"folder": tmp_path}, dataset("mimic"))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([*MIMIC_IMAGES, MIMIC_IMAGES[1]], "metadata.csv.gz, line 6, column dicom_id"),
        ([("x", "s1", "10000001", "PA", "train")], "metadata.csv.gz, line 2, column study_id: expected digits"),
        ([("x", "50000001", "", "PA", "train")], "metadata.csv.gz, line 2, column subject_id: empty"),
        ([("x", "50000001", "10000001", "PA", "dev")], "split.csv.gz, line 2, column split: expected one of train"),
    ],
)
def test_bad_rows_are_named(tmp_path, images, message):
    with pytest.raises(InputError, match=message):
        read_index({"folder": write_mimic(tmp_path, images)}, dataset("mimic"))


@pytest.mark.parametrize("zipped", [True, False])
def test_reports_from_the_zip_and_from_the_tree(tmp_path, zipped):
    folder = write_mimic_reports(tmp_path / "reports", zipped)
    site = {"folder": write_mimic(tmp_path / "jpg"), "reports": folder}
    assert list(read_reports(site, dataset("mimic"))) == [
        ("s50000001", "FINDINGS: Clear lungs.\n"),
        ("s50000002", "IMPRESSION: No change.\n"),
    ]


def test_reports_beside_the_images(tmp_path):
    site = {"folder": write_mimic_reports(write_mimic(tmp_path), zipped=True), "reports": None}
    assert len(list(read_reports(site, dataset("mimic")))) == 2


def test_missing_or_damaged_reports_are_named(tmp_path):
    site = {"folder": None, "reports": tmp_path}
    with pytest.raises(InputError, match=r"mimic-cxr-reports.zip: missing: .*not with MIMIC-CXR-JPG"):
        list(read_reports(site, dataset("mimic")))
    write(tmp_path / "mimic-cxr-reports.zip", ["no zip"])
    with pytest.raises(InputError, match=r"mimic-cxr-reports.zip: damaged"):
        list(read_reports(site, dataset("mimic")))
    (tmp_path / "mimic-cxr-reports.zip").unlink()
    (tmp_path / "files").mkdir()
    with pytest.raises(InputError, match=r"files: no report"):
        list(read_reports(site, dataset("mimic")))
