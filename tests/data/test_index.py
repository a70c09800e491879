import csv
import gzip

import numpy as np
import pandas as pd
import pytest

from maskray.data.index import TEXT_COLUMNS, apply_policies, build_index, labels_in, load_index, write_index
from maskray.data.registry import READERS, reader_of
from maskray.errors import InputError
from tests.data.layouts import dataset, write_site


def rows_of(*names, **columns):
    frame = pd.DataFrame({"image_id": names, "patient_id": "p", "study_id": "s", "path": [f"{n}.png" for n in names]})
    return frame.assign(**columns)


@pytest.mark.parametrize("name", READERS)
def test_every_reader_gives_the_common_index(tmp_path, name):
    settings, site = dataset(name), write_site(name, tmp_path)
    index = READERS[name].read_index(site, settings)
    labels = list(settings.labels) or labels_in(index)
    assert list(index.columns) == [*TEXT_COLUMNS, *(f"label_{label}" for label in labels)]
    assert labels_in(index) == labels
    assert index["image_id"].is_monotonic_increasing
    assert index["image_id"].is_unique
    assert (index["dataset"] == name).all()
    for label in labels:
        assert index[f"label_{label}"].dtype == np.float32
        assert set(index[f"label_{label}"].dropna()) <= {0, 1}
    assert not index[list(TEXT_COLUMNS)].isna().any().any()
    assert all((site["folder"] / path).is_file() for path in index["path"])
    assert all((site["folder"] / path).is_file() for path in index["mask"] if path)
    assert (index["same_as"].str.startswith("mimic/") == (settings.images_of == "mimic")).all()
    for copy in ("one", "two"):
        write_index(index, tmp_path / f"{copy}.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    assert load_index(tmp_path / "one.parquet").equals(index)


@pytest.mark.parametrize("name", READERS)
def test_every_reader_says_what_is_missing_and_where_to_get_it(tmp_path, name):
    with pytest.raises(InputError, match=r": missing: .*https://example.org"):
        READERS[name].read_index({"folder": tmp_path, "reports": None, "annotations": tmp_path}, dataset(name))


@pytest.mark.parametrize("name", READERS)
def test_shipped_settings_fit_the_readers(repository, name):
    from maskray.config.dataset import DatasetConfig

    path = repository / "config/datasets" / f"{name}.yaml"
    settings = DatasetConfig.read(path)
    assert reader_of(settings) is READERS[name]
    known = READERS[name].LABELS
    assert list(settings.labels) == [label for label in known if label in settings.labels]
    assert not settings.labels or set(settings.scored) <= set(settings.labels)
    assert settings.has_reports == hasattr(READERS[name], "read_reports")
    assert settings.splits
    assert path.read_text(encoding="utf-8").startswith("#")


@pytest.mark.parametrize("name", READERS)
def test_shipped_settings_name_every_label_of_their_reader(repository, name):
    """One file, or several that take some of the labels each, as COVIDx's of two and of three classes."""
    from maskray.config.dataset import DatasetConfig

    files = [DatasetConfig.read(path) for path in sorted((repository / "config/datasets").glob("*.yaml"))]
    assert {label for file in files if file.reader == name for label in file.labels} == set(READERS[name].LABELS)


def test_unknown_reader_is_named():
    with pytest.raises(InputError, match=r"no reader vindr; there are mimic, chexpert"):
        reader_of(dataset("nih", reader="vindr"))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (rows_of(), "no image is left"),
        (rows_of("a", "b", "a"), "image a stands there twice"),
        (rows_of("a", patient_id=""), "patient_id is empty"),
        (rows_of("a", path="../a.png"), "leads out of the site folder"),
        (rows_of("a", path="/a.png"), "leads out of the site folder"),
    ],
)
def test_impossible_rows_are_refused(rows, message):
    with pytest.raises(InputError, match=message):
        build_index(rows, pd.DataFrame(index=rows.index), dataset("nih"))


def test_dots_in_names_are_allowed():
    rows = rows_of("a..b")
    assert build_index(rows, pd.DataFrame(index=rows.index), dataset("nih"))["path"][0] == "a..b.png"


def test_labels_follow_their_rows():
    rows = rows_of("b", "a")
    index = build_index(rows, pd.DataFrame({"Mass": [1, 0]}, index=rows.index), dataset("nih"))
    assert index[["image_id", "label_Mass"]].to_numpy().tolist() == [["a", 0], ["b", 1]]


def test_policies():
    codes = pd.DataFrame({"Mass": [1, 0, -1, np.nan]})
    ignored = apply_policies(codes, dataset("nih"))["Mass"]
    assert ignored.fillna(9).tolist() == [1, 0, 9, 9]
    stated = apply_policies(codes, dataset("nih", uncertain="positive", not_stated="negative"))["Mass"]
    assert stated.tolist() == [1, 0, 1, 0]


def test_damaged_index_is_named(tmp_path):
    path = tmp_path / "index.parquet"
    with pytest.raises(InputError, match=r"index.parquet: no such file"):
        load_index(path)
    path.write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"index.parquet: not a readable index"):
        load_index(path)
    pd.DataFrame({"image_id": ["a"]}).to_parquet(path)
    with pytest.raises(InputError, match=r"index.parquet: no column patient_id"):
        load_index(path)


@pytest.mark.parametrize("name", READERS)
def test_the_order_of_the_rows_does_not_matter(tmp_path, name):
    site = write_site(name, tmp_path)
    index = READERS[name].read_index(site, dataset(name))
    tables = [*tmp_path.rglob("*.csv"), *tmp_path.rglob("*.csv.gz")]
    for path in (path for path in tables if path.stat().st_size):
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", newline="") as handle:
            header, *rows = csv.reader(handle)
        with opened(path, "wt", newline="") as handle:
            csv.writer(handle).writerows([header, *reversed(rows)])
    for path in tmp_path.rglob("*.txt"):
        path.write_text("\n".join(reversed(path.read_text().splitlines())) + "\n")
    assert READERS[name].read_index(site, dataset(name)).equals(index)


@pytest.mark.parametrize("name", READERS)
def test_a_short_copy_says_what_it_has_and_what_a_complete_one_has(tmp_path, name, caplog):
    settings = dataset(name, expected={"images": 1_000_000, "patients": 1})
    index = READERS[name].read_index(write_site(name, tmp_path), settings)
    assert f"{name}: {len(index)} images; a complete copy has 1000000" in caplog.text
    assert "patients; a complete copy" not in caplog.text
