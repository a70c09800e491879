"""Joining index, split, shards and reports."""

import dataclasses
import logging

import numpy as np
import pandas as pd
import pytest

from maskray.data.pairs import join_pairs
from maskray.data.shard_store import ImageStore
from maskray.errors import InputError
from tests.made_studies import make_source


@pytest.fixture
def source(tmp_path):
    return make_source(tmp_path / "made", num_studies=12, side=8)


def join(*sources, text="sentences"):
    return join_pairs(sources, [ImageStore(source.manifest.parent) for source in sources], text)


def change_reports(source, change):
    reports = pd.read_parquet(source.reports)
    change(reports).to_parquet(source.reports)


def test_only_the_training_part_and_its_reports(source):
    pairs = join(source)
    assert pairs.image_ids.tolist() == [f"made-{n:03d}" for n in range(12) if n % 4 != 3]
    assert pairs.reports["study_id"].iloc[pairs.studies].tolist() == [f"s{n:03d}" for n in range(12) if n % 4 != 3]


def test_two_data_sets_keep_their_own_reports_under_equal_study_ids(source, tmp_path):
    other = make_source(tmp_path / "other", num_studies=8, side=8, name="other")
    change_reports(other, lambda reports: reports.assign(findings="of the other"))
    pairs = join(source, other)
    assert len(pairs) == 9 + 6
    assert pairs.sources.tolist() == [0] * 9 + [1] * 6
    findings = pairs.reports["findings"].iloc[pairs.studies]
    assert (findings.to_numpy() == "of the other").tolist() == [False] * 9 + [True] * 6
    assert pairs.image_ids[9] == "other-000"


def test_what_falls_out_is_counted(source, caplog):
    store = ImageStore(source.manifest.parent)
    store._positions.pop("made-000")
    change_reports(
        source,
        lambda reports: reports[reports["study_id"] != "s001"].assign(
            manuscript=lambda kept: np.where(kept["study_id"] == "s002", " ", kept["manuscript"])
        ),
    )
    with caplog.at_level(logging.INFO):
        pairs = join_pairs([source], [store], "manuscript")
    assert len(pairs) == 6
    assert "6 pairs of 9 training images" in caplog.text
    assert "1 without pixels in the shards, 1 without a report, 1 whose report has no manuscript" in caplog.text


@pytest.mark.parametrize(
    ("text", "empty"),
    [("sentences", {"sentences": [[]]}), ("report", {"findings": [""], "impression": [None]})],
)
def test_reports_without_the_text_make_no_pair(source, text, empty):
    def change(reports):
        reports = reports.copy()
        for column, (value,) in empty.items():
            reports[column] = [value, *reports[column][1:]]
        return reports

    change_reports(source, change)
    assert "made-000" not in join(source, text=text).image_ids
    assert "made-000" in join(source, text="manuscript").image_ids


def test_no_pair_at_all_is_an_error(source):
    change_reports(source, lambda reports: reports.assign(study_id="x" + reports["study_id"]))
    with pytest.raises(InputError, match=r"split\.csv: no image of the training part"):
        join(source)


def test_files_that_do_not_belong_together_are_errors(source):
    split = pd.read_csv(source.split)
    split.loc[2, "image_id"] = "unknown"
    split.to_csv(source.split, index=False)
    with pytest.raises(InputError, match=r"1 images are not in .*index\.parquet \(the first: row 4\)"):
        join(source)


def test_a_study_twice_is_an_error(source):
    change_reports(source, lambda reports: pd.concat([reports, reports[:1]]))
    with pytest.raises(InputError, match=r"reports\.parquet: a study_id stands in it twice"):
        join(source)


@pytest.mark.parametrize("name", ["index", "split", "reports"])
def test_a_missing_or_damaged_file_is_named(source, name):
    path = getattr(source, name)
    path.write_bytes(b"")
    with pytest.raises(InputError, match=f"{path}: cannot be read"):
        join(source)
    path.unlink()
    with pytest.raises(InputError, match=f"{path}: no such file"):
        join(source)


def test_excluded_films_are_left_out(source, tmp_path):
    (tmp_path / "excluded.csv").write_text(
        "image_id,kind,tested\nmade-000,image,other-maco\nelsewhere,image,other-maco\n"
    )
    pairs = join(dataclasses.replace(source, excluded=tmp_path / "excluded.csv"))
    assert "made-000" not in pairs.image_ids
    assert len(pairs) == len(join(source)) - 1
