"""The shipped protocols, each against what its paper prints."""

import numpy as np
import pytest

from maskray.config.dataset import DatasetConfig
from maskray.data.splits import draw
from tests.data.test_splits import index_of

DRAWN = {
    ("rsna", "mnm"): (0.6, 0.2, 0.2),
    ("rsna", "dmlm"): (0.6, 0.2, 0.2),
    ("rsna", "mmclip"): (0.6, 0.2, 0.2),
    ("rsna", "maco"): (22_184 / 26_684, 1_500 / 26_684, 3_000 / 26_684),
    ("siim", "mnm"): (0.6, 0.2, 0.2),
    ("siim", "mnm_segmentation"): (0.6, 0.2, 0.2),
    ("siim", "dmlm"): (0.6, 0.2, 0.2),
    ("siim", "dmlm_segmentation"): (0.6, 0.2, 0.2),
    ("siim", "medim"): (0.7, 0.15, 0.15),
    ("siim", "maco"): (0.7, 0.15, 0.15),
    ("nih", "dmlm"): (0.8, 0.1, 0.1),
    ("nih", "maco"): (0.7, 0.1, 0.2),
    ("nih", "mmclip"): (0.7, 0.1, 0.2),
    ("mimic", "medim"): (0.8, 0, 0.2),
}
# Owners' part -> ours; validation is a share or number of the training part where the owners' has none.
OFFICIAL = {
    ("rsna", "maco_release"): ({"test": "test"}, 1_500),
    ("nih", "official"): ({"test": "test"}, 0.1),
    ("chexpert", "mnm"): ({"validation": "test"}, 0.1),
    ("chexpert", "dmlm"): ({"validation": "test"}, 0.2),
    ("chexpert", "maco"): ({"validation": "test"}, 5_000),
    ("chexpert", "medim"): ({"validation": "validation", "test": "test"}, 0),
    ("chexpert", "mmclip"): ({"validation": "validation", "test": "test"}, 0),
    ("mimic", "mnm"): ({"validation": "validation", "test": "test"}, 0),
    ("mimic", "dmlm"): ({"validation": "validation", "test": "test"}, 0),
    ("mimic", "mmclip"): ({"validation": "validation", "test": "test"}, 0),
    ("mimic", "maco"): ({"validation": "validation", "test": "test"}, 0),
}


def shipped(repository, dataset):
    return DatasetConfig.read(repository / f"config/datasets/{dataset}.yaml")


def made_index(settings, **columns):
    """4,000 one-image patients: 80 % the owners' training part, the rest validation and test."""
    index = index_of([1] * 4000, official_part=np.repeat(["train", "validation", "test"], [3200, 300, 500]))
    generator = np.random.default_rng(1)
    index["view"] = generator.choice(["PA", "LATERAL"], 4000, p=[0.75, 0.25])
    for label in settings.labels:
        index[f"label_{label}"] = (generator.random(4000) < 0.3).astype("float32")
    return index.assign(**columns)


def drawn_by(settings, protocol, index):
    config = settings.splits[protocol]
    labels = settings.scored or settings.labels
    return draw(index, config, labels).split.merge(index, on="image_id")


def test_every_protocol_is_checked_here(repository):
    checked = {*DRAWN, *OFFICIAL, ("mimic", "mmclip_ablation")}
    for dataset in ("rsna", "siim", "nih", "chexpert", "mimic"):
        assert {(dataset, protocol) for protocol in shipped(repository, dataset).splits} <= checked


@pytest.mark.parametrize(("dataset", "protocol"), DRAWN)
def test_shares_are_the_papers(repository, dataset, protocol):
    settings = shipped(repository, dataset)
    index = made_index(settings)
    drawn = drawn_by(settings, protocol, index)
    used = index[index["view"] == "PA"] if protocol == "medim" and dataset == "mimic" else index
    used = used[used["official_part"] == "train"] if dataset == "rsna" else used
    used = used[used["label_Pneumothorax"] == 1] if protocol.endswith("_segmentation") else used
    assert set(drawn["image_id"]) == set(used["image_id"])
    for part, share in zip(("train", "validation", "test"), DRAWN[dataset, protocol], strict=True):
        assert (drawn["part"] == part).mean() == pytest.approx(share, abs=0.001)


@pytest.mark.parametrize(("dataset", "protocol"), OFFICIAL)
def test_official_parts_are_the_papers(repository, dataset, protocol):
    settings = shipped(repository, dataset)
    ours, validation = OFFICIAL[dataset, protocol]
    assert settings.splits[protocol].validation == validation
    assert not settings.splits[protocol].frontal_only
    drawn = drawn_by(settings, protocol, made_index(settings))
    for theirs, part in ours.items():
        assert set(drawn["part"][drawn["official_part"] == theirs]) == {part}
    of_train = drawn["part"][drawn["official_part"] == "train"]
    assert set(of_train) == ({"train", "validation"} if validation else {"train"})
    if 0 < validation < 1:
        assert (drawn["part"] == "validation").sum() / (drawn["part"] != "test").sum() == pytest.approx(
            validation, abs=1e-3
        )


def test_the_ablations_of_mmclip_have_2200_frontal_studies_outside_pretraining(repository):
    """As many held-out patients and films as MIMIC-CXR has: 8,150 films of some 793 patients."""
    settings = shipped(repository, "mimic")
    sizes = np.random.default_rng(0).geometric(0.1, 1500)
    index = index_of(sizes)
    number = index["patient_id"].str[1:].astype(int)
    index["official_part"] = np.select([number < 500, number < 793], ["validation", "test"], "train")
    index["study_id"] = index["patient_id"] + "-" + (index.groupby("patient_id").cumcount() // 2).astype(str)
    index["view"] = np.random.default_rng(1).choice(["PA", "AP", "LATERAL"], len(index))
    for label in settings.labels:
        index[f"label_{label}"] = index["label_B"]
    drawn = drawn_by(settings, "mmclip_ablation", index)
    test = drawn[drawn["part"] == "test"]
    assert len(test) == test["study_id"].nunique() == 2200
    assert set(test["view"]) == {"PA", "AP"}
    assert set(test["official_part"]) == {"validation", "test"}
    held_out = drawn[drawn["part"] != "train"]
    assert test["label_Edema"].mean() == pytest.approx(held_out["label_Edema"].mean(), abs=0.02)
    assert not set(test["patient_id"]) & set(drawn["patient_id"][drawn["part"] != "test"])
