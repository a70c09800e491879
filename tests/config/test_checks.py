"""Which checks a run needs: each of its cells against what its model saw, and what leads from data set to data set."""

import pytest

from maskray.config import checks
from maskray.config.checks import Check, bridges_between, check_stage, checks_by_cell, checks_of, relation_of
from maskray.config.leakage import CheckStage, ExclusionStage
from maskray.config.paths import Paths
from maskray.errors import InputError

MIMIC, NIH, OFFICIAL = ("mimic", "maco"), ("nih", "maco"), ("nih", "official")


@pytest.fixture
def chain(plan):
    """COVIDx takes films of RSNA, which are NIH's; edema grades MIMIC's own."""
    made = plan()
    made.__dict__["datasets"] = {
        "mimic": {"title": "MIMIC"},
        "nih": {"title": "NIH"},
        "rsna": {"title": "RSNA", "films_from": ["nih"]},
        "siim": {"title": "SIIM", "films_from": ["nih"]},
        "covidx": {"title": "COVIDx", "films_from": ["rsna"]},
        "edema": {"title": "Edema", "images_of": "mimic"},
    }
    return made


def test_a_benchmark_is_checked_within_itself_and_against_what_was_trained_on(plan):
    assert checks_of(plan(), "maco", "default", "nih_classification") == [Check(NIH, NIH), Check(NIH, MIMIC)]
    assert checks_of(plan(), "maco", "random_init", "nih_linear_probe") == [Check(NIH, NIH)]
    assert checks_of(plan(), "maco", "default", "nih_zeroshot")[0].name == "nih-official/nih-official"
    assert checks.split_named("covid_chestxray-maco") == ("covid_chestxray", "maco")


def test_pretraining_and_test_of_one_split_are_one_check(plan):
    overlay = {"maco": {"pretrain": {"datasets": ["mimic", "nih"]}}}
    found = checks_of(plan(overlay=overlay), "maco", "default", "nih_classification")
    assert found == [Check(NIH, NIH), Check(NIH, MIMIC)]
    found = checks_of(plan(overlay=overlay), "maco", "default", "nih_zeroshot")
    assert found == [Check(OFFICIAL, OFFICIAL), Check(OFFICIAL, MIMIC), Check(OFFICIAL, NIH)]


def test_cells_name_the_checks_whose_flags_they_carry(plan):
    run = plan()
    found = checks_by_cell(run, run.cells("maco", "table1"))
    assert found["default"]["nih_classification"] == ["nih-maco/nih-maco", "nih-maco/mimic-maco"]


def test_bridges_are_what_lies_between(chain):
    assert bridges_between(chain, "covidx", "nih") == ["rsna"]
    assert bridges_between(chain, "covidx", "siim") == ["rsna"]
    assert bridges_between(chain, "covidx", "covidx") == ["rsna"]
    for pair in (("rsna", "nih"), ("rsna", "siim"), ("rsna", "rsna"), ("covidx", "mimic"), ("edema", "mimic")):
        assert bridges_between(chain, *pair) == [], pair


def test_settings_that_go_round_in_a_circle_end(chain):
    chain.datasets["nih"]["films_from"] = ["covidx"]
    assert bridges_between(chain, "covidx", "nih") == ["rsna"]


def test_relations_are_said_and_whether_the_paper_has_them(chain):
    # A paper that trains on MIMIC and tests on edema.
    paper = {"pretrain": {"datasets": ["mimic"]}, "benchmarks": {"edema_classification": {"protocol": "x"}}}
    chain.__dict__["paper_files"] = {"maco": paper}

    def relation(tested, trained):
        return relation_of(chain, Check(tested, trained))

    assert relation(("edema", "x"), ("mimic", "x")) == "Edema has films of MIMIC, as in the paper"
    assert relation(("nih", "x"), ("covidx", "x")) == "COVIDx has films of NIH"
    assert relation(("siim", "x"), ("rsna", "x")) == "SIIM and RSNA have films of one origin"
    assert relation(("mimic", "y"), ("mimic", "x")) == "the same data set under another split, x"
    assert relation(("mimic", "x"), ("mimic", "x")) == relation(("nih", "x"), ("mimic", "x")) == ""


def test_stages_are_what_the_scripts_accept(plan):
    stage = CheckStage.parse(check_stage(plan(), Check(NIH, MIMIC)), "settings")
    assert (stage.tested.name, stage.trained.owner, stage.bridges) == ("nih-maco", "mimic", ())
    run = plan(leakage={"drop": {"nih": ["maco", "official"]}})
    assert "drop" not in check_stage(run, Check(NIH, MIMIC))["leakage"]
    exclusion = ExclusionStage.parse(checks.exclusion_stage(run, "mimic"), "settings")
    assert [split.name for split in exclusion.tested] == ["nih-maco", "nih-official"]


def test_a_split_says_itself_that_its_parts_share_patients(plan):
    def stage(run, protocol):
        split = ("rsna", protocol)
        return CheckStage.parse(check_stage(run, Check(split, split)), "settings")

    assert stage(plan(), "maco_release").tested.shares_patients
    assert stage(plan(), "maco_release").task.patient == "declare"
    assert stage(plan(), "maco").task.patient == "error"
    cleaned = plan(splits={"rsna": {"maco_release": {"shared_patients": "drop"}}})
    assert stage(cleaned, "maco_release").task.patient == "error"
    # What is said of no split reruns none of their checks.
    assert "shares_patients" not in check_stage(plan(), Check(NIH, MIMIC))["tested"]


def test_what_is_dropped_depends_on_the_settings_and_not_on_the_tables(plan):
    drop = {"leakage": {"drop": {"nih": ["official"]}}}
    inputs = [
        Paths(plan(**drop, tables={"maco": tables})).pretrain_inputs("maco", "default") for tables in ([], ["table1"])
    ]
    assert inputs[0] == inputs[1]
    assert inputs[0]["excluded"] == ["results/data/mimic/excluded.csv"]
    assert Paths(plan()).pretrain_inputs("maco", "default")["excluded"] == []


def test_shards_are_asked_for_only_where_pictures_are_compared(plan):
    assert len(Paths(plan()).check_inputs("nih-maco", "mimic-maco")["manifests"]) == 2
    names_alone = Paths(plan(leakage={"pictures": False, "drop": {"nih": ["maco"]}}))
    assert names_alone.check_inputs("nih-maco", "mimic-maco")["manifests"] == []
    assert names_alone.exclusion_inputs("mimic")["manifests"] == []


def test_an_unknown_split_to_drop_is_named(plan):
    with pytest.raises(InputError, match="no split mine; there are: dmlm, maco"):
        Paths(plan(leakage={"drop": {"nih": ["mine"]}})).pretrain_inputs("maco", "default")
