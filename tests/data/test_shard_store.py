import json
import multiprocessing
import os
import pickle
import shutil

import h5py
import numpy as np
import pytest
import torch

from maskray.data.shard_store import ImageStore
from maskray.errors import InputError
from tests.made_films import CONFIG, UNREADABLE, make_store


@pytest.fixture(scope="module")
def made_folder(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("films"), num_parts=3)


@pytest.fixture
def folder(made_folder, tmp_path):
    """A copy that a test may damage."""
    return shutil.copytree(made_folder, tmp_path / "shards")


def everything(folder):
    films = {}
    for path in sorted(folder.glob("*.h5")):
        with h5py.File(path) as file:
            rows = zip(file["image_id"].asstr()[:], file["images"][:], file["ridge"][:], strict=True)
            films |= {image_id: (image, ridge) for image_id, image, ridge in rows}
    return films


def test_films_come_in_the_order_of_the_request(made_folder):
    films, store = everything(made_folder), ImageStore(made_folder)
    assert store.image_ids == list(films)
    assert len(store) == len(films) == 10
    rng = np.random.default_rng(0)
    for _ in range(5):
        ids = [str(image_id) for image_id in rng.choice(store.image_ids, 14)]
        images, ridge = store.read(ids)
        assert images.dtype == ridge.dtype == np.uint8
        np.testing.assert_array_equal(store.read_images(ids), images)
        for row, image_id in enumerate(ids):
            np.testing.assert_array_equal(images[row], films[image_id][0])
            np.testing.assert_array_equal(ridge[row], films[image_id][1])


def test_what_the_store_tells(made_folder):
    store = ImageStore(made_folder)
    assert store.size_px == 32
    assert store.settings.ridge == CONFIG.ridge
    assert store.manifest_hash == json.loads((made_folder / "manifest.json").read_text())["hash"]
    assert "film-00" in store
    assert UNREADABLE not in store
    assert store.read([])[0].shape == (0, 32, 32)


def test_a_film_that_is_not_there_is_named(made_folder):
    with pytest.raises(InputError, match=f"no film {UNREADABLE}"):
        ImageStore(made_folder).read(["film-00", UNREADABLE])


def test_files_are_opened_only_when_they_are_needed(folder):
    store = ImageStore(folder)
    last = folder / "part-2.h5"
    moved = last.rename(folder / "elsewhere.h5")
    store.read(["film-00"])
    with pytest.raises(InputError, match=r"part-2\.h5: no such file"):
        store.read(["film-10"])
    moved.rename(last)
    store.read(["film-10"])


def read_in_child(store, results):
    results.put((os.getpid(), store.read(["film-10", "film-00"])[0].sum(dtype=int)))


def test_a_forked_process_reads_the_same(made_folder):
    store = ImageStore(made_folder)
    expected = store.read(["film-10", "film-00"])[0].sum(dtype=int)
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    child = context.Process(target=read_in_child, args=(store, results))
    child.start()
    process, total = results.get(timeout=60)
    child.join(60)
    assert child.exitcode == 0
    assert process != os.getpid()
    assert total == expected == store.read(["film-10", "film-00"])[0].sum(dtype=int)


def test_a_copy_carries_no_open_files(made_folder):
    store = ImageStore(made_folder)
    store.read(store.image_ids)
    copy = pickle.loads(pickle.dumps(store))
    np.testing.assert_array_equal(copy.read(["film-04"])[0], store.read(["film-04"])[0])


def test_a_data_loader_with_workers(made_folder):
    store = ImageStore(made_folder)
    store.read(["film-00"])
    batches = [store.image_ids[:4], store.image_ids[4:]]
    loader = torch.utils.data.DataLoader(batches, batch_size=None, num_workers=2, collate_fn=store.read)
    for ids, (images, _) in zip(batches, loader, strict=True):
        np.testing.assert_array_equal(images, store.read(ids)[0])


def test_a_changed_film_is_found_by_its_checksum(folder):
    with h5py.File(folder / "part-1.h5", "r+") as file:
        ids = list(file["image_id"].asstr()[:])
        file["images"][1, 3, 3] ^= 1
    store = ImageStore(folder)
    store.read([ids[0]])
    for read in (store.read, store.read_images):
        with pytest.raises(InputError, match=rf"part-1\.h5: film {ids[1]} is damaged .*delete the file"):
            read(ids)


def test_a_cut_shard_is_named_with_the_remedy(folder):
    path = folder / "part-1.h5"
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(InputError, match=r"part-1\.h5: damaged or cut short; delete it and run again"):
        ImageStore(folder)


def test_a_file_that_is_no_shard_is_named(folder):
    path = folder / "part-1.h5"
    path.write_text("rubbish")
    with pytest.raises(InputError, match=r"part-1\.h5: damaged"):
        ImageStore(folder)
    path.unlink()
    h5py.File(path, "w").close()
    with pytest.raises(InputError, match=r"part-1\.h5: not a shard of version 2"):
        ImageStore(folder)
    path.unlink()
    with pytest.raises(InputError, match=r"part-1\.h5: no such file"):
        ImageStore(folder)


def test_a_shard_that_lacks_a_list_is_named(folder):
    with h5py.File(folder / "part-0.h5", "r+") as file:
        del file["checksum"]
    with pytest.raises(InputError, match=r"part-0\.h5: damaged \(KeyError\)"):
        ImageStore(folder)


def test_another_shard_than_the_listed_one_is_refused(folder):
    shutil.copy(folder / "part-0.h5", folder / "part-1.h5")
    with pytest.raises(InputError, match=r"part-1\.h5: not the shard that .*manifest\.json lists"):
        ImageStore(folder)


def test_a_missing_or_foreign_manifest_is_refused(folder):
    (folder / "manifest.json").write_text('{"schema_version": 99}')
    with pytest.raises(InputError, match=r"manifest\.json: not a manifest of version 2"):
        ImageStore(folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(InputError, match=r"manifest\.json: no such file"):
        ImageStore(folder)
