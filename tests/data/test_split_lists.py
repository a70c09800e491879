from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskray.config.dataset import SplitConfig
from maskray.data.splits import draw, summarise
from maskray.errors import InputError
from tests.data.layouts import write
from tests.data.test_splits import LABELS, index_of

INDEX = index_of([1] * 12)
PARTS = {
    "train": ["i00000", "i00001", "i00002", "i00003"],
    "validation": ["i00004", "i00005"],
    "test": ["i00006", "i00007", "i00008"],
}


def lists_in(folder, **lists):
    """Lists by name without .txt; those that are not given are ``PARTS``; None leaves one out."""
    for name, ids in (PARTS | lists).items():
        if ids is not None:
            write(folder / f"{name.replace('_0', '_0.')}.txt", ids)
    return SplitConfig(lists=str(folder))


def test_the_lists_decide(tmp_path):
    config = lists_in(tmp_path, test=["i00008", "", " i00006 "])
    drawn, notes, facts = draw(INDEX.sample(frac=1, random_state=0), config, LABELS)
    part = drawn.set_index("image_id")["part"]
    assert sorted(part.index[part == "train"]) == PARTS["train"]
    assert sorted(part.index[part == "test"]) == ["i00006", "i00008"]
    assert "4 images that the protocol could use stand in no list." in notes
    assert facts["files"]["test.txt"] == {"num_ids": 2, "num_repeated": 0, "num_not_in_index": 0, "num_not_used": 0}


def test_what_does_not_fit_is_counted_and_said(tmp_path):
    index = INDEX.assign(view=["LATERAL", *["PA"] * 11])
    config = lists_in(tmp_path, train=["i00000", "i00001", "i00001", "x", "y"])
    config = config.model_copy(update={"frontal_only": True, "note": "Theirs."})
    summary = summarise(draw(index, config, LABELS), index, config, LABELS)
    facts = {"num_ids": 4, "num_repeated": 1, "num_not_in_index": 2, "num_not_used": 1}
    assert summary["lists"]["files"]["train.txt"] == facts
    assert summary["num_images_left_out"] == 6
    for said in (
        "Theirs. Of the ids of train.txt, 1 stand there twice.",
        "Of the ids of train.txt, 2 are not in the index.",
        "Of the ids of train.txt, 1 are of images that the protocol does not use.",
        "5 images that the protocol could use stand in no list.",
    ):
        assert said in summary["note"]


def test_an_id_in_two_parts_is_refused_with_file_line_and_pairs(tmp_path):
    config = lists_in(tmp_path, test=["i00006", "i00001", "i00002"])
    message = (
        r"test\.txt, line 2: 2 id\(s\) stand in two parts: i00001 \(train\.txt, line 2 and test\.txt, line 2\);"
        r" i00002 \(train\.txt, line 3 and test\.txt, line 3\)"
    )
    with pytest.raises(InputError, match=message):
        draw(INDEX, config, LABELS)


def test_patients_in_two_parts_are_refused_named_declared_or_dropped(tmp_path):
    index = index_of([1] * 3 + [2] + [1] * 7)  # i00003 and i00004 are of p3: training and validation.
    config = lists_in(tmp_path)
    with pytest.raises(InputError, match=r"1 patient.*p3 \(i00003 in train and i00004 in validation\)"):
        draw(index, config, LABELS)
    drawn, notes, _ = draw(index, config.model_copy(update={"shared_patients": "declare"}), LABELS)
    assert (drawn["part"] == "train").sum() == 4
    assert "1 patients stand in two parts, as the lists have it (declared)." in notes
    drawn, notes, _ = draw(index, config.model_copy(update={"shared_patients": "drop"}), LABELS)
    assert sorted(drawn["image_id"][drawn["part"] == "train"]) == PARTS["train"][:3]
    assert (drawn["part"] == "validation").sum() == 2
    assert "1 images are left out: their 1 patients stand in a later part too." in notes


def test_fractions_of_the_user(tmp_path):
    config = lists_in(tmp_path, train_01=["i00000", "i00002"], train_001=["i00002"])
    drawn, _, facts = draw(INDEX, config, LABELS)
    fraction = drawn.set_index("image_id")["fraction"].dropna().to_dict()
    assert fraction == {"i00000": 0.1, "i00001": 1.0, "i00002": 0.01, "i00003": 1.0}
    assert facts["files"]["train_0.01.txt"]["num_ids"] == 1


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ({"test": None}, r"test\.txt: no such list"),
        ({"validation": [""]}, r"validation\.txt: the list is empty"),
        ({"test": ["x", "y"]}, r"test\.txt: none of its 2 ids, e\.g\. x, .* e\.g\. i00000"),
        ({"train_01": ["i00001"]}, r"has train_0\.1\.txt; .* need all of train_0\.01\.txt, train_0\.1\.txt, or none"),
        (
            {"train_01": ["i00001"], "train_001": ["i00001", "i00002"]},
            r"train_0\.01\.txt, line 2: i00002 is not in train_0\.1\.txt \(1 such",
        ),
        (
            {"train_01": ["i00001", "i00006"], "train_001": ["i00001"]},
            r"train_0\.1\.txt, line 2: i00006 is not in train\.txt \(1 such",
        ),
    ],
)
def test_bad_lists_are_named(tmp_path, lists, message):
    with pytest.raises(InputError, match=message):
        draw(INDEX, lists_in(tmp_path, **lists), LABELS)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere: no such folder of lists"):
        draw(INDEX, SplitConfig(lists=str(tmp_path / "nowhere")), LABELS)


def test_lists_of_patients_and_of_studies(tmp_path):
    index = index_of([2] * 6)
    config = lists_in(tmp_path / "patients", train=["p0", "p1"], validation=["p2"], test=["p3", "p5"])
    drawn = draw(index, config.model_copy(update={"lists_of": "patient"}), LABELS).split
    assert list(drawn["image_id"][drawn["part"] == "test"]) == ["i00006", "i00007", "i00010", "i00011"]
    config = lists_in(tmp_path / "studies", train=["s00000"], validation=["s00002"], test=["s00009"])
    drawn = draw(index, config.model_copy(update={"lists_of": "study"}), LABELS).split
    assert list(drawn["image_id"]) == ["i00000", "i00002", "i00009"]


@settings(max_examples=25)
@given(st.data())
def test_any_lists_give_disjoint_parts_and_nested_fractions_in_any_order(tmp_path_factory, data):
    ids = list(INDEX["image_id"])
    order = data.draw(st.permutations(ids))
    ends = sorted(data.draw(st.sets(st.integers(1, 11), min_size=2, max_size=2)))
    lists = {"train": order[: ends[0]], "validation": order[ends[0] : ends[1]], "test": order[ends[1] :]}
    folder = tmp_path_factory.mktemp("lists")
    config = lists_in(folder, **lists)
    drawn = draw(INDEX, config, LABELS).split
    for part, listed in lists.items():
        assert set(drawn["image_id"][drawn["part"] == part]) == set(listed)
    subsets = [set(drawn["image_id"][drawn["fraction"] <= share]) for share in (0.01, 0.1, 1.0)]
    assert all(small <= large for small, large in pairwise(subsets))
    lists_in(folder, **{part: data.draw(st.permutations(listed)) for part, listed in lists.items()})
    pd.testing.assert_frame_equal(draw(INDEX[::-1], config, LABELS).split, drawn)
