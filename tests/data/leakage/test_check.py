"""Chains of names, parts of a split, exclusion, and what becomes of a finding."""

import pandas as pd
import pytest

from maskray.config.leakage import CheckedSplit, CheckStage, ExclusionStage, LeakageConfig, LeakagePolicies
from maskray.data.index import TEXT_COLUMNS, write_index
from maskray.data.leakage.check import CheckFiles, check
from maskray.data.leakage.excluded import read_excluded
from maskray.data.leakage.exclusion import exclude
from maskray.data.leakage.films import identify
from maskray.data.leakage.sources import SplitFiles
from maskray.data.leakage.verdict import as_json, refuse
from maskray.data.splits import write_split
from maskray.errors import InputError

NAMES_ALONE = LeakageConfig(pictures=False)


@pytest.fixture
def write(tmp_path):
    """A function that writes the index and split of a data set from rows (image, person, part, same_as)."""

    def files(name, *rows):
        folder = tmp_path / name
        folder.mkdir()
        table = pd.DataFrame(rows, columns=["image_id", "person", "part", "same_as"])
        index = table.reindex(columns=[*TEXT_COLUMNS], fill_value="").assign(dataset=name)
        write_index(index, folder / "index.parquet")
        used = table[table["part"] != ""][["image_id", "part"]]
        split = used.assign(fraction=used["part"].map(lambda part: 1.0 if part == "train" else float("nan")))
        write_split(split, folder / "split.csv")
        return SplitFiles(folder / "index.parquet", folder / "split.csv")

    return files


def split_of(dataset, owner=None, protocol="maco"):
    return CheckedSplit(dataset=dataset, protocol=protocol, title=dataset.upper(), owner=owner or dataset)


def stage_of(trained, tested, **settings):
    return CheckStage(trained=split_of(trained), tested=split_of(tested), **({"leakage": NAMES_ALONE} | settings))


def told(checked):
    return [(f.kind, f.verdict, f.trained, f.tested, f.num_tested_films, f.num_trained_films) for f in checked.findings]


def test_people_on_one_film_are_one_person_along_chains_of_any_length():
    covidx = pd.DataFrame(
        {"key": ["covidx/a", "covidx/b"], "same_as": ["rsna/x", ""], "person": ["covidx/1", "covidx/2"]}
    )
    rsna = pd.DataFrame({"key": ["rsna/x"], "same_as": ["nih/7.png"], "person": ["rsna/x"]})
    nih = pd.DataFrame({"key": ["nih/7.png", "nih/8.png"], "same_as": ["", ""], "person": ["nih/7", "nih/7"]})
    ours, bridge, theirs = identify([covidx, rsna, nih])
    assert ours["film"][0] == bridge["film"][0] == theirs["film"][0]
    assert ours["film"][1] not in set(theirs["film"])
    assert ours["person"][0] == theirs["person"][1]
    assert ours["person"][1] not in set(theirs["person"])
    without = identify([covidx, nih])
    assert without[0]["person"][0] not in set(without[1]["person"])


def test_a_name_of_a_person_is_not_a_name_of_a_film():
    table = pd.DataFrame({"key": ["nih/1", "nih/2"], "same_as": ["", ""], "person": ["nih/2", "nih/3"]})
    (numbered,) = identify([table])
    assert numbered["person"].nunique() == 2


def test_patients_on_two_sides_of_a_split_are_an_error_with_ids_and_a_remedy(write, tmp_path):
    files = write("nih", *[(f"{n}.png", f"nih/{n // 2}", part, "") for n, part in enumerate(["train", "test"] * 2)],
                  ("v.png", "nih/9", "validation", ""), ("w.png", "nih/9", "train", ""))  # fmt: skip
    stage = stage_of("nih", "nih")
    checked = check(stage, CheckFiles(files))
    assert told(checked) == [
        ("patient", "error", "nih-maco train", "nih-maco test", 2, 2),
        ("patient", "error", "nih-maco train", "nih-maco validation", 1, 1),
    ]
    with pytest.raises(
        InputError, match=r"2 of 2 films of nih-maco test are of patients in nih-maco train, e\.g\. 1.png"
    ):
        refuse(stage, checked.findings, tmp_path / "leaks.csv")
    with pytest.raises(InputError, match=r"leakage\.task\.patient: declare, or of this split alone shared_"):
        refuse(stage, checked.findings, tmp_path / "leaks.csv")
    pairs = pd.read_csv(tmp_path / "leaks.csv")
    assert pairs[["trained", "tested"]].to_numpy().tolist() == [
        ["0.png", "1.png"],
        ["2.png", "3.png"],
        ["w.png", "v.png"],
    ]


def test_patients_that_a_split_shares_on_purpose_are_declared(write, tmp_path):
    files = write("rsna", ("a", "nih/1", "train", ""), ("b", "nih/1", "test", ""), ("c", "nih/2", "test", ""))
    split = split_of("rsna").model_copy(update={"shares_patients": True})
    stage = CheckStage(trained=split, tested=split, leakage=NAMES_ALONE)
    checked = check(stage, CheckFiles(files))
    assert told(checked) == [("patient", "declared", "rsna-maco train", "rsna-maco test", 1, 1)]
    refuse(stage, checked.findings, tmp_path / "never written.csv")
    verdict = as_json(stage, checked.findings, {})
    assert verdict["flags"] == [
        "1 of 2 test films are of patients in the training part: shared on purpose, as the split says"
        " (shared_patients: declare)"
    ]
    assert verdict["findings"][0]["text"].endswith("as the split says (shared_patients: declare)")


def test_a_film_in_two_parts_is_an_error_whatever_the_split_says_of_patients(write, tmp_path):
    files = write("rsna", ("a", "nih/1", "train", ""), ("b", "nih/1", "test", "rsna/a"), ("c", "nih/1", "test", ""))
    split = split_of("rsna").model_copy(update={"shares_patients": True})
    stage = CheckStage(trained=split, tested=split, leakage=NAMES_ALONE)
    checked = check(stage, CheckFiles(files))
    assert [(f.kind, f.verdict) for f in checked.findings] == [("image", "error"), ("patient", "declared")]
    with pytest.raises(InputError, match=r"e\.g\. b ~ a\. .* set leakage\.task\.image: declare$"):
        refuse(stage, checked.findings, tmp_path / "leaks.csv")


def test_one_policy_of_the_parts_leaves_the_others_as_they_are():
    policies = LeakageConfig.model_validate({"task": {"picture": "error"}}).task
    assert (policies.image, policies.patient, policies.picture) == ("error", "error", "error")


def test_films_of_another_data_set_are_declared_with_the_reason(write):
    mimic = write("mimic", ("a", "mimic/1", "train", ""), ("b", "mimic/1", "train", ""), ("c", "mimic/2", "test", ""))
    edema = write("edema", ("a", "mimic/1", "test", ""), ("c", "mimic/2", "test", ""), ("z", "mimic/1", "test", ""))
    stage = CheckStage(
        trained=split_of("mimic"), tested=split_of("edema", "mimic"), leakage=NAMES_ALONE, relation="as in the paper"
    )
    checked = check(stage, CheckFiles(edema, mimic))
    assert told(checked) == [
        ("image", "declared", "mimic-maco train", "edema-maco test", 1, 1),
        ("patient", "declared", "mimic-maco train", "edema-maco test", 1, 2),
    ]
    verdict = as_json(stage, checked.findings, {})
    assert verdict["verdict"] == "declared"
    assert verdict["flags"] == [
        "1 of 3 test films are in the pre-training data MIMIC: as in the paper",
        "1 of 3 test films are of patients in the pre-training data MIMIC: as in the paper",
    ]
    refuse(stage, checked.findings, "never written")


def test_a_bridge_leads_from_covidx_over_rsna_to_nih(write):
    nih = write("nih", ("7_0.png", "nih/7", "train", ""), ("7_1.png", "nih/7", "train", ""))
    rsna = write("rsna", ("x", "nih/7", "", "nih/7_0.png"))
    covidx = write("covidx", ("a.png", "covidx/1", "test", "rsna/x"), ("b.png", "covidx/2", "test", ""))
    stage = stage_of("nih", "covidx", bridges=("rsna",))
    assert told(check(stage, CheckFiles(covidx, nih, [rsna.index])))[0][0] == "image"
    assert told(check(stage_of("nih", "covidx"), CheckFiles(covidx, nih))) == []


def test_by_policy_a_declared_finding_is_an_error(write, tmp_path):
    nih = write("nih", ("7.png", "nih/7", "train", ""))
    rsna = write("rsna", ("x", "nih/7", "test", "nih/7.png"))
    policies = LeakagePolicies(image="error")
    stage = stage_of("nih", "rsna", leakage=LeakageConfig(pictures=False, pretraining=policies))
    checked = check(stage, CheckFiles(rsna, nih))
    with pytest.raises(InputError, match=r"x ~ 7\.png.*leakage\.drop: \{rsna: \[maco\]\}"):
        refuse(stage, checked.findings, tmp_path / "leaks.csv")


def test_what_is_dropped_takes_the_whole_patient_and_is_resolved(write, tmp_path):
    nih = write(
        "nih", ("7_0.png", "nih/7", "train", ""), ("7_1.png", "nih/7", "train", ""), ("8.png", "nih/8", "train", "")
    )
    rsna = write("rsna", ("x", "nih/7", "test", "nih/7_0.png"), ("y", "nih/8", "train", "nih/8.png"))
    stage = ExclusionStage(trained=split_of("nih"), tested=(split_of("rsna"),), leakage=NAMES_ALONE)
    exclude(stage, SplitFiles(nih.index), [rsna], [], tmp_path / "excluded.csv")
    assert read_excluded(tmp_path / "excluded.csv").tolist() == ["7_0.png", "7_1.png"]
    first = (tmp_path / "excluded.csv").read_bytes()
    exclude(stage, SplitFiles(nih.index), [rsna], [], tmp_path / "excluded.csv")
    assert (tmp_path / "excluded.csv").read_bytes() == first

    checked = check(stage_of("nih", "rsna"), CheckFiles(rsna, nih, excluded=tmp_path / "excluded.csv"))
    assert told(checked) == [("image", "resolved", "nih-maco train", "rsna-maco test", 1, 1)]
    verdict = as_json(stage_of("nih", "rsna"), checked.findings, {})
    assert verdict["verdict"] == "resolved"
    assert verdict["flags"] == []


def test_a_split_of_another_index_and_a_wrong_list_are_refused(write, tmp_path):
    one, other = write("one", ("a", "one/1", "test", "")), write("other", ("b", "other/1", "test", ""))
    with pytest.raises(InputError, match="1 images are not in"):
        check(stage_of("one", "one"), CheckFiles(SplitFiles(one.index, other.split)))
    (tmp_path / "wrong.csv").write_text("image\na\n")
    with pytest.raises(InputError, match="expected the columns image_id, kind, tested"):
        read_excluded(tmp_path / "wrong.csv")
    with pytest.raises(InputError, match="no such file; run exclude_films"):
        read_excluded(tmp_path / "none.csv")
