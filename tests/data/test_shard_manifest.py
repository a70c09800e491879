import json

import h5py
import pandas as pd
import pytest

from maskray.data.shard_manifest import collect_shards
from maskray.errors import InputError
from tests.made_films import CONFIG, UNREADABLE, make_films, make_parts, make_store


@pytest.fixture
def site(tmp_path):
    return tmp_path / "site"


@pytest.fixture
def index(site):
    return make_films(site)


@pytest.fixture
def parts(index, site, tmp_path):
    return make_parts(index, site, tmp_path / "shards", num_parts=3)


def collect(parts, index, folder, max_rejected_fraction=0.1):
    shards, rejected = parts
    collect_shards(shards, rejected, index, max_rejected_fraction, folder / "manifest.json", folder / "rejected.csv")
    return json.loads((folder / "manifest.json").read_text())


def assert_refused(parts, index, folder, match, **options):
    with pytest.raises(InputError, match=match):
        collect(parts, index, folder, **options)
    assert not (folder / "manifest.json").exists()
    assert not (folder / "rejected.csv").exists()


def test_the_manifest_counts_and_names_the_parts(parts, index, tmp_path):
    manifest = collect(parts, index, tmp_path / "shards")
    assert manifest["schema_version"] == 2
    assert manifest["dataset"] == "made"
    assert manifest["num_images"] == 10
    assert manifest["num_rejected"] == 1
    assert [part["file"] for part in manifest["parts"]] == ["part-0.h5", "part-1.h5", "part-2.h5"]
    assert [part["num_images"] for part in manifest["parts"]] == [3, 3, 4]
    assert manifest["settings"]["size_px"] == 32
    assert pd.read_csv(tmp_path / "shards" / "rejected.csv")["image_id"].tolist() == [UNREADABLE]


def test_the_hash_depends_on_films_and_settings_and_not_on_the_number_of_parts(index, site, tmp_path):
    def hash_of(folder, frame=index, num_parts=2, **settings):
        config = CONFIG.model_copy(update=settings)
        folder = tmp_path / folder
        return collect(make_parts(frame, site, folder, num_parts, config), frame, folder, 0.5)["hash"]

    reference = hash_of("a")
    assert hash_of("b", num_parts=5) == reference
    assert hash_of("c", max_rejected_fraction=0.5) == reference
    assert hash_of("d", size_px=16) != reference
    assert hash_of("e", frame=index.head(10)) != reference
    assert hash_of("f", frame=index.assign(image_id="x" + index["image_id"])) != reference


def test_the_parts_may_come_in_any_order(parts, index, tmp_path):
    manifest = collect(parts, index, tmp_path / "shards")
    backwards = (parts[0][::-1], parts[1][::-1])
    assert collect(backwards, index, tmp_path / "shards") == manifest


def test_too_many_rejected_films_name_the_files_and_the_way_on(parts, index, tmp_path):
    assert_refused(
        parts,
        index,
        tmp_path,
        rf"1 of 11 films .*images\.max_rejected_fraction = 0\.05.*{UNREADABLE}\.jpeg: damaged JPEG"
        r".*part-0\.rejected\.csv.*at least 0\.09091",
        max_rejected_fraction=0.05,
    )


def test_only_the_first_ten_rejected_files_are_named(index, site, tmp_path):
    more = make_films(site, 30)
    for path in list(site.iterdir())[:14]:
        path.write_bytes(b"")
    parts = make_parts(more, site, tmp_path / "shards")
    with pytest.raises(InputError) as caught:
        collect(parts, more, tmp_path)
    assert str(caught.value).count("0 bytes") + str(caught.value).count("damaged JPEG") == 10


@pytest.mark.parametrize("max_rejected_fraction", [0.01, 1.0])
def test_no_readable_film_at_all_points_to_the_site_folder(index, tmp_path, max_rejected_fraction):
    (tmp_path / "wrong").mkdir()
    parts = make_parts(index, tmp_path / "wrong", tmp_path / "shards")
    assert_refused(
        parts,
        index,
        tmp_path,
        r"none of the 11 films .* site folder .* wrong.*no such file",
        max_rejected_fraction=max_rejected_fraction,
    )


def test_a_film_in_no_shard_is_found(parts, index, tmp_path):
    grown = pd.concat([index, pd.DataFrame([{"image_id": "new", "path": "new.png", "dataset": "made"}])])
    assert_refused(parts, grown, tmp_path, "1 films are in no shard, e.g. new; the index has changed")


def test_a_film_that_left_the_index_is_found(parts, index, tmp_path):
    assert_refused(parts, index.drop(0), tmp_path, "1 films are not in the index, e.g. film-00")


def test_a_film_that_is_both_rejected_and_in_a_shard_is_found(parts, index, tmp_path):
    parts[1][0].write_text("image_id,path,reason\nfilm-00,film-00.png,none\n")
    assert_refused(parts, index, tmp_path, "1 films are there twice, e.g. film-00")


def test_a_missing_part_is_found(parts, index, tmp_path):
    assert_refused((parts[0][:2], parts[1]), index, tmp_path, r"expected the parts \[0, 1, 2\], got \[0, 1\]")


def test_parts_of_different_settings_are_refused(parts, index, site, tmp_path):
    other, _ = make_parts(index, site, tmp_path / "other", 3, CONFIG.model_copy(update={"size_px": 16}))
    assert_refused(([*parts[0][:2], other[2]], parts[1]), index, tmp_path, "made with other settings")


def test_a_damaged_part_or_list_is_named_with_the_remedy(parts, index, tmp_path):
    parts[1][1].write_text("something else\n")
    assert_refused(parts, index, tmp_path, r"part-1\.rejected\.csv: expected the columns.*delete it")
    parts[1][1].unlink()
    assert_refused(parts, index, tmp_path, r"part-1\.rejected\.csv: no such file")
    with h5py.File(parts[0][2], "r+") as file:
        del file.attrs["settings"]
    assert_refused(parts, index, tmp_path, r"part-2\.h5: damaged .*delete it and run again")
    parts[0][0].write_bytes(parts[0][0].read_bytes()[:1000])
    assert_refused(parts, index, tmp_path, r"part-0\.h5: damaged or cut short; delete it and run again")


def test_ids_that_look_like_missing_values_or_numbers_survive(site, tmp_path, index):
    odd = index.assign(image_id=["NA", "nan", "007", "null", *index["image_id"][4:]])
    manifest = collect(make_parts(odd, site, tmp_path / "shards"), odd, tmp_path / "shards")
    assert manifest["num_images"] == 10
    assert (tmp_path / "shards" / "rejected.csv").read_text().splitlines()[1].startswith("null,film-03.jpeg,")


def test_the_same_shards_give_the_same_manifest(tmp_path):
    first, second = make_store(tmp_path / "first"), make_store(tmp_path / "second")
    assert (first / "manifest.json").read_bytes() == (second / "manifest.json").read_bytes()
