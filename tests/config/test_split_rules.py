import pytest

from maskray.config.dataset import SplitConfig
from maskray.config.split_rules import hash_of_lists, lay_splits, split_stage, why_impossible
from maskray.errors import InputError

SHARES = {"train": 0.6, "validation": 0.2, "test": 0.2}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "give train and test as shares"),
        (SHARES | {"test": 0.3}, "must add up to 1"),
        (SHARES | {"test_studies": 5}, "go with official_test"),
        ({"official_validation": True}, "go with official_test"),
        ({"official_test": True}, "say where validation comes from"),
        ({"official_test": True, "validation": 0.1, "official_validation": True}, "one of them"),
        ({"official_test": True, "validation": 0.1, "official_parts": ["train"]}, "goes with shares"),
        ({"official_test": True, "official_validation": True, "official_test_part": "validation"}, "part: test"),
    ],
)
def test_settings_that_make_no_split_are_refused_in_the_plan_and_in_the_job(settings, said):
    assert said in why_impossible(settings)
    with pytest.raises(InputError, match="split: the file: "):
        SplitConfig.parse(settings, "split")


@pytest.mark.parametrize(
    "settings",
    [
        SHARES,
        {"train": 0.8, "test": 0.2},
        {"lists": "somewhere"},
        SHARES | {"lists": "somewhere", "test": 0.9},
        {"official_test": True, "validation": 5000},
        {"official_test": True, "official_test_part": "validation_and_test", "test_studies": 2200},
    ],
)
def test_settings_that_make_a_split(settings):
    assert why_impossible(settings) is None
    assert SplitConfig.parse(settings, "split")


def test_a_run_lays_its_lists_over_one_protocol():
    dataset = {"name": "rsna", "splits": {"mnm": SHARES | {"note": "60/20/20."}, "maco": SHARES}}
    laid = lay_splits(dataset, {"mnm": {"lists": "mine"}, "maco": {"seed": 3}}, "splits.rsna")
    assert laid["splits"]["mnm"] == SHARES | {
        "lists": "mine",
        "note": "not the protocol's own split: this run's own lists",
    }
    assert laid["splits"]["maco"] == SHARES | {"seed": 3, "note": "this run changes seed"}
    assert dataset["splits"]["mnm"]["note"] == "60/20/20."
    with_note = lay_splits(dataset, {"mnm": {"lists": "mine", "note": "Theirs."}}, "splits.rsna")
    assert with_note["splits"]["mnm"]["note"] == "Theirs."
    with pytest.raises(InputError, match=r"splits\.rsna: no split mmn \(did you mean mnm\?\); there are: mnm, maco"):
        lay_splits(dataset, {"mmn": {}}, "splits.rsna")


def test_lists_count_by_their_contents_not_their_place(tmp_path):
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "train.txt").write_text("a\n")
    here, there = tmp_path / "here", tmp_path / "there"
    told = split_stage(SHARES | {"lists": str(here)})
    assert told == split_stage(SHARES | {"lists": str(there)})
    assert str(tmp_path) not in str(told)
    (there / "train.txt").write_text("b\n")
    assert told != split_stage(SHARES | {"lists": str(there)})
    assert hash_of_lists(tmp_path / "nowhere") != told["lists"]
    assert split_stage(SHARES) == SHARES
