import logging

import pytest

from maskray.config.preprocessing import MadeConfig
from maskray.data.made import layouts, make_dataset
from maskray.errors import InputError

CONFIG = MadeConfig(num_studies={"nih": 20}, image_px=32, seed=0)


def test_the_manifest_counts_what_was_made(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        manifest = make_dataset("nih", tmp_path / "nih", CONFIG)
    assert manifest["settings"] == {"num_studies": 20, "image_px": 32, "seed": 0}
    assert manifest["num_files"] == sum(path.is_file() for path in (tmp_path / "nih").rglob("*"))
    entries = (tmp_path / "nih" / "Data_Entry_2017_v2020.csv").read_text()
    assert entries.count("No Finding") == manifest["num_studies_by_label"]["No Finding"]
    assert entries.count("Effusion") == manifest["num_studies_by_label"]["Effusion"]
    assert sum("of 20 studies" in message for message in caplog.messages) == 10


def test_a_made_folder_is_replaced_whole(tmp_path):
    folder = tmp_path / "nih"
    make_dataset("nih", folder, CONFIG)
    (folder / "stale.txt").write_text("from an earlier run")
    make_dataset("nih", folder, CONFIG)
    assert not (folder / "stale.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["nih"]


def test_what_somebody_else_put_there_stays(tmp_path):
    (tmp_path / "nih").mkdir()
    (tmp_path / "nih" / "mine.txt").write_text("real data")
    with pytest.raises(InputError, match="not made by maskray"):
        make_dataset("nih", tmp_path / "nih", CONFIG)
    assert (tmp_path / "nih" / "mine.txt").read_text() == "real data"


def test_a_failure_leaves_no_folder(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(layouts.formats, "write_png", fail)
    with pytest.raises(OSError, match="disk full"):
        make_dataset("nih", tmp_path / "nih", CONFIG)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "message"), [("vindr", "choose from mimic"), ("siim", "no entry for siim")])
def test_unknown_and_unlisted_data_sets_are_named(tmp_path, name, message):
    with pytest.raises(InputError, match=message):
        make_dataset(name, tmp_path / name, CONFIG)


def test_what_adds_to_another_data_set_needs_that_ones_studies(tmp_path):
    for counts in ({"edema": 4}, {"edema": 4, "mimic": 3}):
        with pytest.raises(InputError, match=r"edema adds to the first 4 studies of mimic, which has fewer"):
            make_dataset("edema", tmp_path / "edema", MadeConfig(num_studies=counts, image_px=32))
    assert not list(tmp_path.iterdir())
