from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskray.config.dataset import SplitConfig
from maskray.data.splits import draw, read_split, split, summarise, write_split
from maskray.errors import InputError

LABELS = ["A", "B"]
SHARES = SplitConfig(train=0.6, validation=0.2, test=0.2)
OFFICIAL = SplitConfig(official_test=True, validation=0.25)


def index_of(images_per_patient, positive_shares=(0.5, 0.2), seed=0, **columns):
    """An index with random labels; patients have the given numbers of images."""
    generator = np.random.default_rng(seed)
    patients = np.repeat(np.arange(len(images_per_patient)), images_per_patient)
    index = pd.DataFrame(
        {
            "image_id": [f"i{n:05}" for n in range(len(patients))],
            "patient_id": [f"p{n}" for n in patients],
            "study_id": [f"s{n:05}" for n in range(len(patients))],
            "person": [f"tiny/p{n}" for n in patients],
            "view": "PA",
            "official_part": "",
        }
    )
    for label, share in zip(LABELS, positive_shares, strict=True):
        index[f"label_{label}"] = (generator.random(len(patients)) < share).astype("float32")
    return index.assign(**columns)


def sets_of(index, drawn):
    """Part -> its patients."""
    joined = drawn.merge(index, on="image_id")
    return {part: set(rows["patient_id"]) for part, rows in joined.groupby("part")}


@settings(max_examples=30)
@given(
    sizes=st.lists(st.integers(1, 6), min_size=3, max_size=60),
    shares=st.sampled_from([(0.6, 0.2, 0.2), (0.7, 0.15, 0.15), (0.8314, 0.0562, 0.1124)]),
    seed=st.integers(0, 5),
)
def test_parts_are_disjoint_by_patient_whole_nested_and_independent_of_row_order(sizes, shares, seed):
    index = index_of(sizes, seed=seed)
    config = SplitConfig(train=shares[0], validation=shares[1], test=shares[2], seed=seed)
    drawn = split(index, config, LABELS)
    assert list(drawn["image_id"]) == sorted(index["image_id"])
    patients = sets_of(index, drawn)
    assert sum(len(part) for part in patients.values()) == len(sizes)
    assert set.union(*patients.values()) == set(index["patient_id"])
    for part, share in zip(("train", "validation", "test"), shares, strict=True):
        # Within one patient of the share, except that no part is left empty.
        assert max(1, np.floor(len(sizes) * share) - 2) <= len(patients[part]) <= np.ceil(len(sizes) * share) + 1

    subsets = [set(drawn.loc[drawn["fraction"] <= fraction, "image_id"]) for fraction in (0.01, 0.1, 1.0)]
    assert subsets[0]
    assert all(small <= large for small, large in pairwise(subsets))
    assert subsets[2] == set(drawn.loc[drawn["part"] == "train", "image_id"])
    of_patient = index.set_index("image_id")["patient_id"]
    for subset in subsets[:2]:
        others = subsets[2] - subset
        assert not {of_patient[i] for i in subset} & {of_patient[i] for i in others}

    shuffled = index.sample(frac=1, random_state=seed)
    assert split(shuffled, config, LABELS).equals(drawn)


@settings(max_examples=20)
@given(sizes=st.lists(st.integers(1, 4), min_size=30, max_size=80), seed=st.integers(0, 3))
def test_each_part_and_the_smallest_fraction_have_both_kinds_of_each_label(sizes, seed):
    index = index_of(sizes, positive_shares=(0.5, 0.0), seed=seed)
    rare = index.groupby("patient_id").head(1).index[:3]
    index.loc[rare, "label_B"] = 1  # Three patients have the rare label: one for each part.
    drawn = split(index, SHARES, LABELS).merge(index, on="image_id")
    subset = drawn[drawn["fraction"] == 0.01]
    for rows in (*(part for _, part in drawn.groupby("part")), subset):
        for label in LABELS:
            assert set(rows[f"label_{label}"]) == {0, 1}


def test_shares_of_labels_and_images_are_kept():
    sizes = np.random.default_rng(0).geometric(0.25, 3000)
    index = index_of(sizes, positive_shares=(0.4, 0.02))
    drawn = split(index, SHARES, LABELS).merge(index, on="image_id")
    counts = drawn.groupby("part")[["label_A", "label_B"]].agg(["size", "sum"])
    for part, share in (("train", 0.6), ("validation", 0.2), ("test", 0.2)):
        assert counts.loc[part, ("label_A", "size")] / len(index) == pytest.approx(share, rel=0.03)
        for label in LABELS:
            whole = index[f"label_{label}"].sum()
            assert counts.loc[part, (f"label_{label}", "sum")] / whole == pytest.approx(share, rel=0.12)
    assert drawn.groupby("part")["patient_id"].nunique().to_dict() == {"test": 600, "train": 1800, "validation": 600}
    num_train = (drawn["part"] == "train").sum()
    for fraction in (0.01, 0.1):
        rows = drawn[drawn["fraction"] <= fraction]
        assert rows["patient_id"].nunique() == round(fraction * 1800)
        assert len(rows) / num_train == pytest.approx(fraction, rel=0.2)
        assert rows["label_A"].mean() == pytest.approx(index["label_A"].mean(), abs=0.12)


def test_the_seed_decides():
    index = index_of([1] * 200)
    again, other = split(index, SHARES, LABELS), split(index, SHARES.model_copy(update={"seed": 1}), LABELS)
    assert again.equals(split(index, SHARES, LABELS))
    assert not again.equals(other)


def test_a_known_draw_stays_the_same():
    """The draw is promised across versions of all libraries: published splits must not move."""
    drawn = split(index_of([1, 2, 1, 3, 1, 2, 1, 1, 2, 1]), SHARES, LABELS)
    letters = drawn["part"].map({"train": ".", "validation": "v", "test": "t"})
    assert "".join(letters) == "ttt.....vv..vv."


def test_unlabelled_images_are_in_the_split():
    index = index_of([1] * 20)
    index.loc[:9, ["label_A", "label_B"]] = np.nan
    assert len(split(index, SHARES, LABELS)) == 20


def test_official_parts():
    parts = ["train"] * 60 + ["validation"] * 20 + ["test"] * 20 + [""] * 4
    index = index_of([1] * 104, official_part=parts)
    official = pd.Series(parts, index=index["image_id"])

    drawn, notes, _ = draw(index, OFFICIAL, LABELS)
    part = drawn.set_index("image_id")["part"]
    assert part.value_counts().to_dict() == {"train": 60, "validation": 20, "test": 20}
    assert (official[part.index[part == "test"]] == "test").all()
    assert "4 images are of an official part, or of none, that the protocol does not use." in notes

    theirs = SplitConfig(official_test=True, official_validation=True)
    assert (official[split(index, theirs, LABELS)["image_id"]].to_numpy() == split(index, theirs, LABELS)["part"]).all()

    other = SplitConfig(official_test=True, official_test_part="validation", validation=0.25)
    part = split(index, other, LABELS).set_index("image_id")["part"]
    assert part.value_counts().to_dict() == {"train": 45, "test": 20, "validation": 15}
    assert "test" not in set(official[part.index])


def test_official_lists_that_share_a_patient_are_refused():
    index = index_of([2] * 10, official_part=["train", "test"] * 10)
    with pytest.raises(
        InputError,
        match=r"put 10 patient\(s\) into two parts, e\.g\. p0 \(i00000 in train and i00001 in test\); p1 \(i00002",
    ):
        split(index, OFFICIAL, LABELS)


def test_missing_official_lists_are_said():
    with pytest.raises(InputError, match=r"no image for the train part.*are their files in the site folder"):
        split(index_of([1] * 9), OFFICIAL, LABELS)


def test_validation_as_a_number_of_images():
    index = index_of([1, 2, 3, 4] * 100, official_part="train")
    index.loc[index["patient_id"] == "p0", "official_part"] = "test"
    drawn, notes, _ = draw(index, OFFICIAL.model_copy(update={"validation": 100}), LABELS)
    assert (drawn["part"] == "validation").sum() == 100
    assert not any("validation images" in note for note in notes)

    drawn, notes, _ = draw(index, OFFICIAL.model_copy(update={"validation": 5000}), LABELS)
    assert len(sets_of(index, drawn)["validation"]) == 399 // 5
    assert "5000 validation images are more than these data allow: 79 patients (20% of those for train" in notes[0]


def test_frontal_only():
    index = index_of([3] * 20, view=["PA", "LATERAL", ""] * 20)
    config = SHARES.model_copy(update={"frontal_only": True})
    assert len(split(index, config, LABELS)) == 20
    with pytest.raises(InputError, match="no image of a frontal view"):
        split(index.assign(view=""), config, LABELS)


def test_shares_are_drawn_from_the_owners_parts_that_the_protocol_names():
    index = index_of([1] * 60, official_part=["train"] * 40 + ["test"] * 20)
    drawn = split(index, SHARES.model_copy(update={"official_parts": ("train",)}), LABELS)
    assert set(drawn["image_id"]) == set(index["image_id"][:40])
    with pytest.raises(InputError, match="no image of the owners' part validation"):
        split(index, SHARES.model_copy(update={"official_parts": ("validation",)}), LABELS)


def test_positive_only():
    index = index_of([1] * 100)
    drawn, notes, _ = draw(index, SHARES.model_copy(update={"positive_only": "A"}), ["A"])
    assert set(drawn["image_id"]) == set(index["image_id"][index["label_A"] == 1])
    assert not any("no negative image" in note for note in notes)
    with pytest.raises(InputError, match="no image that is positive for A"):
        split(index.assign(label_A=0), SHARES.model_copy(update={"positive_only": "A"}), ["A"])
    with pytest.raises(InputError, match="no label C"):
        split(index, SHARES.model_copy(update={"positive_only": "C"}), ["A"])


def test_no_validation_part_where_none_is_asked_for():
    drawn, notes, _ = draw(index_of([1] * 50), SplitConfig(train=0.8, test=0.2), LABELS)
    assert drawn["part"].value_counts().to_dict() == {"train": 40, "test": 10}
    assert not any("validation" in note for note in notes)


def test_a_number_of_studies_for_the_test_part_one_image_each():
    index = index_of([2, 4, 6] * 50, official_part="train")
    index["study_id"] = [f"s{n // 2}" for n in range(len(index))]
    index["official_part"] = np.where(index["patient_id"].str[1:].astype(int) < 50, "validation", "test")
    index.loc[index["patient_id"].isin([f"p{n}" for n in range(100, 150)]), "official_part"] = "train"
    config = SplitConfig(official_test=True, official_test_part="validation_and_test", test_studies=100)
    drawn = split(index, config, LABELS).merge(index, on="image_id")
    assert drawn["part"].value_counts()["test"] == 100
    held_out = drawn[drawn["part"] != "train"]
    assert held_out["study_id"].is_unique
    assert set(held_out["official_part"]) == {"validation", "test"}
    assert set(drawn["official_part"][drawn["part"] == "train"]) == {"train"}
    patients = sets_of(index, drawn[["image_id", "part"]])
    assert not patients["validation"] & patients["test"]
    _, notes, _ = draw(index, config.model_copy(update={"test_studies": 2200}), LABELS)
    assert "2200 test images are more than these data allow: 80 patients (80% of those for validation" in notes[0]


def test_two_ids_of_one_person_are_never_parted():
    """A data set that joins others may know one patient by two ids."""
    index = index_of([1] * 40)
    index["person"] = [f"nih/{n // 2}" for n in range(40)]
    for seed in range(5):
        part = split(index, SHARES.model_copy(update={"seed": seed}), LABELS)["part"]
        assert (part[::2].to_numpy() == part[1::2].to_numpy()).all()
    parted = split(index.assign(person=index["patient_id"]), SHARES, LABELS)["part"]
    assert (parted[::2].to_numpy() != parted[1::2].to_numpy()).any()


def test_too_few_patients_and_unknown_labels_are_said():
    with pytest.raises(InputError, match=r"2 patient\(s\): too few"):
        split(index_of([5, 5]), SHARES, LABELS)
    with pytest.raises(InputError, match="no label C"):
        split(index_of([1] * 5), SHARES, ["A", "C"])


def test_summary_says_counts_hashes_and_what_did_not_come_out():
    index = index_of([2] * 30, positive_shares=(0.5, 0.0))
    config = SHARES.model_copy(update={"note": "Ours."})
    summary = summarise(draw(index, config, LABELS), index, config, LABELS)
    assert summary["parts"]["train"]["images"] == 36
    assert summary["parts"]["test"]["patients"] == 6
    train = summary["parts"]["train"]
    assert train["positives"]["A"] + train["negatives"]["A"] == 36
    assert summary["fractions"]["1"]["sha256"] == train["sha256"] != summary["fractions"]["0.1"]["sha256"]
    assert list(summary["fractions"]) == ["0.01", "0.1", "1"]
    assert summary["note"].startswith("Ours. The 1% subset has ")
    assert "The test part has no positive image of B." in summary["note"]


def test_split_files_round_trip(tmp_path):
    drawn = split(index_of([1] * 30), SHARES, LABELS)
    write_split(drawn, tmp_path / "split.csv")
    assert read_split(tmp_path / "split.csv").equals(drawn.astype({"image_id": "str", "part": "str"}))
    lines = (tmp_path / "split.csv").read_text().splitlines()
    assert lines[0] == "image_id,part,fraction"
    assert {line.split(",", 1)[1] for line in lines[1:]} <= {
        "train,0.01",
        "train,0.1",
        "train,1",
        "validation,",
        "test,",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image_id,part\na,train\n", "expected the columns"),
        ("image_id,part,fraction\na,train,1\nb,dev,\n", "line 3"),
        ("image_id,part,fraction\na,train,\n", "line 2"),
        ("image_id,part,fraction\na,train,1\na,test,\n", "line 3"),
        ("image_id,part,fraction\na,train,much\n", "not a readable split"),
    ],
)
def test_bad_split_files_are_named(tmp_path, text, message):
    (tmp_path / "split.csv").write_text(text)
    with pytest.raises(InputError, match=rf"split.csv.*{message}"):
        read_split(tmp_path / "split.csv")
