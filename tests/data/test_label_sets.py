from maskray.config.dataset import DatasetConfig
from maskray.data.label_sets import NEAR_SEEN, SET_ASIDE, by_frequency, label_sets, matching_labels

SEEN = [
    "cardiomegaly", "pulmonary edema", "consolidation", "pneumonia", "atelectasis", "pneumothorax", "pleural effusion",
    "fracture",
]  # fmt: skip


def full_table(**changes):
    """193 names as in PadChest: 8 seen ones, the 12 set aside, 173 others in falling frequency."""
    others = {f"finding {n:03}": 1000 - n for n in range(173)}
    return {**dict.fromkeys(SEEN, 50), **dict.fromkeys(SET_ASIDE, 2000), **others, **changes}


def test_the_papers_numbers_on_the_full_table():
    sets = label_sets(full_table())
    assert len(full_table()) == 193
    assert {name: len(labels) for name, labels in sets.items()} == {
        "seen": 8, "unseen_10": 10, "unseen_20": 20, "unseen_all": 173,
    }  # fmt: skip
    assert sets["seen"] == SEEN
    assert sets["unseen_20"] == [f"finding {n:03}" for n in range(20)]
    assert sets["unseen_20"][:10] == sets["unseen_10"]


def test_the_order_of_the_counts_does_not_matter_and_ties_go_by_name():
    counts = full_table(**{"finding 100": 1000, "finding 050": 1000})
    assert label_sets(counts) == label_sets(dict(reversed(counts.items())))
    assert label_sets(counts)["unseen_10"][:3] == ["finding 000", "finding 050", "finding 100"]
    assert by_frequency({"b": 1, "a": 1, "c": 2}) == ["c", "a", "b"]


def test_what_no_test_image_has_is_in_no_set():
    sets = label_sets(full_table(**{"pneumonia": 0, "finding 001": 0}))
    assert "pneumonia" not in sets["seen"]
    assert sets["unseen_10"][:2] == ["finding 000", "finding 002"]
    assert len(sets["unseen_all"]) == 172


def test_matching_takes_the_same_words_alone():
    names = ["Cardiomegaly", "rib fracture", "edema of the neck", "lobar atelectasis", "pneumothorax"]
    assert matching_labels(names) == {"Cardiomegaly": "Cardiomegaly", "Pneumothorax": "pneumothorax"}


def test_padchests_splits_are_balanced_by_the_seen_labels(repository):
    assert list(DatasetConfig.read(repository / "config/datasets/padchest.yaml").scored) == sorted(SEEN)


def test_names_near_a_seen_label_are_set_aside():
    assert not set(NEAR_SEEN) & set(matching_labels(SEEN))
    assert label_sets({"mass": 9, "Unchanged": 8, "scoliosis": 1})["unseen_all"] == ["scoliosis"]
