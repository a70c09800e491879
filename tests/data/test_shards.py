import json
import logging
import time
import zlib

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from maskray.config.preprocessing import ImagesConfig, RidgeConfig
from maskray.data import shards as module
from maskray.data.shard_store import read_index_of_films
from maskray.data.shards import write_shard
from maskray.errors import InputError
from maskray.images.decode import decode
from maskray.images.resize import resize_to_square
from maskray.images.ridge import ridge_response
from tests.made_films import CONFIG, UNREADABLE, make_films, make_parts


@pytest.fixture
def site(tmp_path):
    return tmp_path / "site"


@pytest.fixture
def index(site):
    return make_films(site)


def ids_of(path):
    with h5py.File(path) as file:
        return list(file["image_id"].asstr()[:])


def test_a_shard_holds_what_the_format_says(tmp_path, site, index):
    [path], _ = make_parts(index, site, tmp_path, num_parts=1)
    with h5py.File(path) as file:
        num_films = len(index) - 1
        kinds = {name: (dataset.dtype, dataset.shape) for name, dataset in file.items() if name != "image_id"}
        assert kinds == {
            "images": (np.uint8, (num_films, 32, 32)),
            "ridge": (np.uint8, (num_films, 32, 32)),
            "checksum": (np.uint32, (num_films,)),
            "content": (np.int32, (num_films, 4)),
            "original": (np.int32, (num_films, 2)),
            "fingerprint": (np.uint8, (num_films, 32)),
        }
        assert file["images"].chunks == file["ridge"].chunks == (1, 32, 32)
        assert file["images"].compression is None
        assert dict(file.attrs) | {"settings": None} == {
            "schema_version": 2,
            "settings": None,
            "dataset": "made",
            "part": 0,
            "num_parts": 1,
        }
        assert ImagesConfig.parse(json.loads(file.attrs["settings"]), path) == CONFIG


def test_every_film_is_the_resized_file_and_its_ridge_response(tmp_path, site, index):
    [path], _ = make_parts(index, site, tmp_path, num_parts=1)
    paths = index.set_index("image_id")["path"]
    with h5py.File(path) as file:
        for row, image_id in enumerate(file["image_id"].asstr()[:]):
            film = decode(site / paths[image_id], 10**6)
            image, content = resize_to_square(film, 32)
            np.testing.assert_array_equal(file["images"][row], image)
            assert file["checksum"][row] == zlib.crc32(image.tobytes())
            assert tuple(file["content"][row]) == content
            assert tuple(file["original"][row]) == film.shape
            top, left, height, width = content
            inside = (slice(top, top + height), slice(left, left + width))
            ridge = file["ridge"][row]
            expected = ridge_response(torch.from_numpy(image[inside]).double()[None] / 255, CONFIG.ridge)[0]
            np.testing.assert_allclose(ridge[inside], 255 * expected, atol=0.51)
            ridge[inside] = 0
            assert not ridge.any(), "the padding must have no ridge"


def test_the_padding_makes_no_ridge_at_the_edge_of_the_film(tmp_path, site):
    site.mkdir()
    rows = np.linspace(100, 140, 64).astype(np.uint8)
    # The film is flat across its columns: only the padding could make vertical ridges.
    Image.fromarray(np.tile(rows[:, None], (1, 32))).save(site / "film.png")
    index = pd.DataFrame([{"image_id": "film", "path": "film.png", "dataset": "made"}])
    [path], _ = make_parts(index, site, tmp_path, num_parts=1)
    with h5py.File(path) as file:
        ridge = file["ridge"][0][:, 8:24].astype(int)
    assert np.abs(ridge - ridge[:, :1]).max() <= 1


def test_the_parts_together_hold_every_film_once_in_order(tmp_path, site, index):
    shards, rejected = make_parts(index, site, tmp_path, num_parts=3)
    ids = [image_id for path in shards for image_id in ids_of(path)]
    assert ids == [image_id for image_id in index["image_id"] if image_id != UNREADABLE]
    assert [len(ids_of(path)) for path in shards] == [3, 3, 4]
    lists = [pd.read_csv(path) for path in rejected]
    assert [len(rejections) for rejections in lists] == [0, 1, 0]
    assert lists[1].to_dict("records")[0] | {"reason": ""} == {
        "image_id": UNREADABLE,
        "path": f"{UNREADABLE}.jpeg",
        "reason": "",
    }
    assert "truncated" in lists[1]["reason"][0]


def test_more_parts_than_films_leaves_valid_empty_parts(tmp_path, site, index):
    shards, rejected = make_parts(index.head(2), site, tmp_path, num_parts=5)
    assert sorted(len(ids_of(path)) for path in shards) == [0, 0, 0, 1, 1]
    assert all(pd.read_csv(path).empty for path in rejected)


def test_batches_make_no_difference(tmp_path, site, index, monkeypatch):
    [whole], _ = make_parts(index, site, tmp_path / "whole", num_parts=1)
    monkeypatch.setattr(module, "_BATCH_SIZE", 4)
    [batched], _ = make_parts(index, site, tmp_path / "batched", num_parts=1)
    with h5py.File(whole) as one, h5py.File(batched) as other:
        for name in one:
            if name != "ridge":
                np.testing.assert_array_equal(one[name][:], other[name][:])
        np.testing.assert_allclose(one["ridge"][:].astype(int), other["ridge"][:], atol=1)


def test_the_same_films_give_the_same_bytes(tmp_path, site, index):
    first, _ = make_parts(index, site, tmp_path / "first")
    time.sleep(1.1)  # a file that stored the time would differ
    second, _ = make_parts(index, site, tmp_path / "second")
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_threads_do_not_change_the_order(tmp_path, site, index):
    arguments = {"part": 0, "num_parts": 1, "rejected": tmp_path / "rejected.csv"}
    write_shard(index, site, CONFIG, threads=3, shard=tmp_path / "three.h5", **arguments)
    assert torch.get_num_threads() == 3
    write_shard(index, site, CONFIG, threads=1, shard=tmp_path / "one.h5", **arguments)
    assert torch.get_num_threads() == 1
    assert ids_of(tmp_path / "three.h5") == ids_of(tmp_path / "one.h5")
    with h5py.File(tmp_path / "three.h5") as three, h5py.File(tmp_path / "one.h5") as one:
        np.testing.assert_array_equal(three["checksum"][:], one["checksum"][:])


def test_ridge_settings_reach_the_filter(tmp_path, site, index):
    small = CONFIG.model_copy(update={"ridge": RidgeConfig(formula="skimage", sigmas=(2,))})
    [default], _ = make_parts(index, site, tmp_path / "default", num_parts=1)
    [other], _ = make_parts(index, site, tmp_path / "other", num_parts=1, config=small)
    with h5py.File(default) as one, h5py.File(other) as two:
        assert (one["ridge"][:] != two["ridge"][:]).mean() > 0.3
        np.testing.assert_array_equal(one["images"][:], two["images"][:])


def test_an_interrupted_job_leaves_nothing(tmp_path, site, index, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_write_rejected", interrupt)
    with pytest.raises(KeyboardInterrupt):
        make_parts(index, site, tmp_path / "shards", num_parts=1)
    assert not list((tmp_path / "shards").iterdir())


def test_progress_is_told_every_tenth(tmp_path, site, index, monkeypatch, caplog):
    monkeypatch.setattr(module, "_BATCH_SIZE", 1)
    with caplog.at_level(logging.INFO):
        make_parts(index.head(10), site, tmp_path, num_parts=1)
    assert [message.split(":")[0] for message in caplog.messages] == [f"{10 * n} %" for n in range(1, 11)]
    assert "10 of 10 films" in caplog.messages[-1]
    assert "1 rejected" in caplog.messages[-1]


@pytest.mark.parametrize(("part", "num_parts"), [(2, 2), (-1, 2), (0, 0)])
def test_a_part_that_does_not_exist_is_refused(tmp_path, site, index, part, num_parts):
    with pytest.raises(InputError, match="no part"):
        write_shard(
            index,
            site,
            CONFIG,
            part=part,
            num_parts=num_parts,
            threads=1,
            shard=tmp_path / "part.h5",
            rejected=tmp_path / "part.csv",
        )


def test_a_missing_site_folder_is_refused_by_name(tmp_path, index):
    with pytest.raises(InputError, match="nowhere: no such folder"):
        make_parts(index, tmp_path / "nowhere", tmp_path / "shards")
    assert not (tmp_path / "shards").exists()


def test_an_index_must_exist_be_one_have_films_and_unique_ids(tmp_path, index):
    rubbish, empty, doubled, other = (tmp_path / f"{name}.parquet" for name in ("rubbish", "empty", "doubled", "other"))
    rubbish.write_text("no parquet")
    index.head(0).to_parquet(empty)
    pd.concat([index, index.head(1)]).to_parquet(doubled)
    index[["path"]].to_parquet(other)
    reasons = {
        tmp_path / "missing.parquet": "no such file",
        rubbish: "not an index",
        other: "not an index",
        empty: "lists no films",
        doubled: "film-00 stands in more than one row",
    }
    for path, reason in reasons.items():
        with pytest.raises(InputError, match=reason) as caught:
            read_index_of_films(path)
        assert str(path) in str(caught.value)


def test_real_films(shared_data, tmp_path):
    folder = shared_data / "covid-chestxray" / "images"
    paths = sorted(path.name for path in folder.iterdir())[:6]
    index = pd.DataFrame({"image_id": paths, "path": paths, "dataset": "covid_chestxray"})
    [path], [rejected] = make_parts(index, folder, tmp_path, num_parts=1, config=ImagesConfig())
    with h5py.File(path) as file:
        assert len(file["images"]) == 6
        assert (file["images"][:].std(axis=(1, 2)) > 15).all()
        assert (file["ridge"][:].max(axis=(1, 2)) == 255).all()
    assert pd.read_csv(rejected).empty
