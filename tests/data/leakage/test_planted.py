"""Each kind of leak, planted in made data, read by the shipped readers, is found; without leaks nothing is."""

import pytest

from maskray.config.dataset import SplitConfig
from maskray.config.leakage import CheckedSplit, CheckStage, LeakageConfig
from maskray.config.preprocessing import ImagesConfig, MadeConfig
from maskray.data.index import write_index
from maskray.data.leakage.check import CheckFiles, check
from maskray.data.leakage.sources import SplitFiles
from maskray.data.made import make_dataset
from maskray.data.registry import READERS
from maskray.data.shard_manifest import collect_shards
from maskray.data.shard_store import read_index_of_films
from maskray.data.shards import write_shard
from maskray.data.splits import draw, write_split
from maskray.errors import InputError
from tests.data.layouts import dataset

NUM_STUDIES = {"nih": 16, "rsna": 12, "siim": 12, "mimic": 12, "covidx": 12, "covidx3": 12}
IMAGES = ImagesConfig(size_px=64, ridge={"sigmas": [1]})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A function that makes a data set with leaks once, and reads, splits and shards it."""
    done = {}

    def source(name, *leaks, pictures=True):
        if (name, leaks) in done:
            return done[name, leaks]
        folder = tmp_path_factory.mktemp(name)
        image_px = 128 if pictures else 16
        config = MadeConfig(num_studies=NUM_STUDIES, image_px=image_px, leaks=leaks)
        make_dataset(name, folder / "site", config)
        settings = dataset(name)
        index = READERS[name].read_index({"folder": folder / "site"}, settings)
        write_index(index, folder / "index.parquet")
        # The owners' parts as they are: what a user's own lists would be, without the splitting that refuses them.
        parts = index["official_part"].where(index["official_part"] != "", "train")
        split = index[["image_id"]].assign(part=parts, fraction=[1.0 if p == "train" else float("nan") for p in parts])
        write_split(split, folder / "split.csv")
        manifest = shard(folder) if pictures else None
        done[name, leaks] = SplitFiles(folder / "index.parquet", folder / "split.csv", manifest)
        return done[name, leaks]

    return source


def shard(folder):
    index = read_index_of_films(folder / "index.parquet")
    shards, rejected = folder / "shards/part-0.h5", folder / "shards/part-0.rejected.csv"
    parts = {"part": 0, "num_parts": 1, "threads": 1}
    write_shard(index, folder / "site", IMAGES, shard=shards, rejected=rejected, **parts)
    manifest = folder / "shards/manifest.json"
    collect_shards([shards], [rejected], index, 0, manifest, folder / "shards/rejected.csv")
    return manifest


def split_of(name):
    return CheckedSplit(dataset=name, protocol="official", title=name, owner=name)


def told(tested, trained, files, **settings):
    """(kind, verdict, tested films, first pair) of each finding."""
    stage = CheckStage(trained=split_of(trained), tested=split_of(tested), leakage=LeakageConfig(), **settings)
    findings = check(stage, files).findings
    return [(f.kind, f.verdict, f.num_tested_films, tuple(f.pairs.iloc[0][["trained", "tested"]])) for f in findings]


def all_test(files):
    """Every film in the test part, as of a data set without official parts."""
    text = files.split.read_text().replace("train,1", "test,")
    other = files.split.with_name("all_test.csv")
    other.write_text(text)
    return SplitFiles(files.index, other, files.manifest)


def test_without_leaks_nothing_is_found(made):
    assert told("nih", "nih", CheckFiles(made("nih"))) == []
    assert told("rsna", "nih", CheckFiles(all_test(made("rsna")), made("nih"))) == []
    assert told("siim", "nih", CheckFiles(all_test(made("siim")), made("nih"))) == []


def test_a_film_under_two_names_and_patients_is_found_by_its_picture(made):
    found = told("nih", "nih", CheckFiles(made("nih", "nih_copy")))
    assert found == [("picture", "declared", 1, ("00000001_000.png", "00030001_000.png"))]


def test_a_patient_on_both_sides_of_the_official_lists_is_an_error(made):
    found = told("nih", "nih", CheckFiles(made("nih", "nih_parted_patient")))
    assert [(kind, verdict, count) for kind, verdict, count, _ in found] == [("patient", "error", 1)]
    one, other = found[0][3]
    assert one.split("_")[0] == other.split("_")[0]


def test_the_splitting_itself_refuses_such_lists(made):
    import pandas as pd

    index = pd.read_parquet(made("nih", "nih_parted_patient").index)
    with pytest.raises(InputError, match="the lists put 1 patient"):
        draw(index, SplitConfig(official_test=True, validation=0.1), ["Hernia"])


def test_a_test_patient_in_the_pretraining_part_is_an_error(made):
    leaky = made("mimic", "mimic_parted_patient", pictures=False)
    found = told("mimic", "mimic", CheckFiles(leaky))
    assert {(kind, verdict) for kind, verdict, *_ in found} == {("patient", "error")}
    assert told("mimic", "mimic", CheckFiles(made("mimic", pictures=False))) == []


def test_rsna_films_that_are_nih_films_are_found_by_the_mappings(made):
    # Three are borrowed; one of them is in the test part of NIH.
    found = told("rsna", "nih", CheckFiles(all_test(made("rsna", "rsna_from_nih")), made("nih")))
    assert [(kind, verdict, count) for kind, verdict, count, _ in found] == [("image", "declared", 2)]
    assert found[0][3][0] in {"00000001_000.png", "00000004_001.png", "00000007_001.png"}


def test_siim_films_that_are_nih_films_are_found_by_their_pictures_alone(made):
    found = told("siim", "nih", CheckFiles(all_test(made("siim", "siim_from_nih")), made("nih")))
    assert [(kind, verdict, count) for kind, verdict, count, _ in found] == [("picture", "declared", 2)]


def test_covidx_films_that_are_rsna_films_are_found_by_their_names(made):
    found = told("covidx", "rsna", CheckFiles(all_test(made("covidx", "covidx_from_rsna")), made("rsna")))
    assert [(kind, verdict, count) for kind, verdict, count, _ in found] == [("image", "declared", 3)]
    trained, tested = found[0][3]
    assert tested == f"{trained}.png"
    # The official test list by itself: none of the three is in it.
    assert told("covidx", "rsna", CheckFiles(made("covidx", "covidx_from_rsna"), made("rsna"))) == []
    assert told("covidx", "rsna", CheckFiles(all_test(made("covidx")), made("rsna"))) == []


def test_covidx_films_under_new_names_are_found_by_their_pictures(made, tmp_path):
    import pandas as pd

    covidx = all_test(made("covidx", "covidx_from_rsna"))
    nameless = tmp_path / "index.parquet"
    write_index(pd.read_parquet(covidx.index).assign(same_as=""), nameless)
    found = told("covidx", "rsna", CheckFiles(SplitFiles(nameless, covidx.split, covidx.manifest), made("rsna")))
    assert [(kind, verdict, count) for kind, verdict, count, _ in found] == [("picture", "declared", 3)]


def test_covidx_films_that_are_nih_films_by_way_of_rsna_are_found(made):
    covidx = all_test(made("covidx", "covidx_from_rsna", "rsna_from_nih", pictures=False))
    rsna = made("rsna", "rsna_from_nih", pictures=False).index
    nih = made("nih", pictures=False)
    chained = told("covidx", "nih", CheckFiles(covidx, nih, [rsna]), bridges=("rsna",))
    # One of the three borrowed films is in the test part of NIH.
    assert [(kind, verdict, count) for kind, verdict, count, _ in chained] == [("image", "declared", 2)]
    assert told("covidx", "nih", CheckFiles(covidx, nih)) == []


def test_covidx_of_three_classes_borrows_the_same_films(tmp_path):
    config = MadeConfig(num_studies=NUM_STUDIES, image_px=16, leaks=("covidx_from_rsna",))
    assert make_dataset("covidx3", tmp_path / "three", config)["leaks"] == ["covidx_from_rsna"]
    make_dataset("covidx", tmp_path / "two", config)
    names = [sorted(path.name for path in (tmp_path / n).rglob("*.png")) for n in ("two", "three")]
    assert names[0] == names[1]


def test_borrowing_needs_something_to_borrow(tmp_path):
    config = MadeConfig(num_studies={"siim": 12, "nih": 5}, image_px=16, leaks=("siim_from_nih",))
    with pytest.raises(InputError, match="as many studies of nih as of siim"):
        make_dataset("siim", tmp_path / "siim", config)


def test_the_manifest_names_what_was_planted(tmp_path):
    config = MadeConfig(num_studies={"nih": 8}, image_px=16, leaks=("siim_from_nih", "nih_copy"))
    assert make_dataset("nih", tmp_path / "nih", config)["leaks"] == ["nih_copy"]
