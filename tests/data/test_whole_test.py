import pandas as pd
import pytest
from pydantic import ValidationError

from maskray.config.dataset import SplitConfig
from maskray.data.splits import draw, read_split, summarise, write_split


@pytest.fixture
def index():
    columns = {
        "image_id": ["b", "a", "c"],
        "patient_id": ["p", "p", "q"],
        "view": ["PA", "AP", "LATERAL"],
        "person": ["x/p", "x/p", "x/q"],
    }
    return pd.DataFrame(columns).assign(label_Edema=pd.Series([1, None, None], dtype="float32"))


def test_every_image_is_tested_on_and_nothing_trained(index, tmp_path):
    config = SplitConfig(whole_test=True, note="zero-shot")
    result = draw(index, config, ["Edema"])
    drawn, notes, _ = result
    assert drawn[["image_id", "part"]].to_numpy().tolist() == [["a", "test"], ["b", "test"], ["c", "test"]]
    assert drawn["fraction"].isna().all()
    assert notes == ["The test part has no negative image of Edema."]
    write_split(drawn, tmp_path / "split.csv")
    assert read_split(tmp_path / "split.csv").equals(drawn)
    summary = summarise(result, index, config, ["Edema"])
    assert {part: counts["images"] for part, counts in summary["parts"].items()} == {
        "train": 0, "validation": 0, "test": 3,
    }  # fmt: skip
    assert summary["fractions"] == {}


def test_frontal_films_alone_may_be_asked_for(index):
    assert list(draw(index, SplitConfig(whole_test=True, frontal_only=True), [])[0]["image_id"]) == ["a", "b"]


@pytest.mark.parametrize("more", [{"train": 0.5, "test": 0.5}, {"validation": 0.1}, {"official_test": True}])
def test_it_leaves_no_room_for_another_rule(more):
    with pytest.raises(ValidationError, match="whole_test leaves nothing"):
        SplitConfig(whole_test=True, **more)
