"""Phrase grounding: maps of a method against boxes."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.ndimage import gaussian_filter

from maskray.config.training import GroundingConfig
from maskray.data.phrases import mask_of_boxes
from maskray.errors import InputError
from maskray.evaluation.grounding import enlarge, ground, measure_grounding, phrases_of, spread_phrases
from maskray.evaluation.images import BenchmarkImages
from maskray.metrics.grounding import measure_map
from maskray.training.export import load_method
from tests.made_benchmark import LABELS, write_benchmark, write_pretrained
from tests.made_phrases import NUM_PHRASES, write_phrases


@pytest.fixture
def images(tmp_path):
    paths = write_benchmark(tmp_path / "data", size_px=16)
    write_phrases(paths)
    return BenchmarkImages(paths.index, paths.split, paths.manifest, LABELS)


@pytest.fixture(scope="module")
def maco(tmp_path_factory):
    loaded = load_method(write_pretrained(tmp_path_factory.mktemp("maco") / "pretrain"))
    loaded.method.scorer.weight.data = torch.tensor([[0.3, -0.2, 0.1, 0.0]])
    return loaded


class Oracle:
    """As much of a method as grounding sees: it knows that the bright half of a film is what every phrase means."""

    weighs_positions = False

    def to(self, device):
        return self

    def eval(self):
        return self

    def patch_text_cosines(self, films_BHW, token_ids_BL, token_is_real_BL):
        return torch.nn.functional.avg_pool2d(films_BHW[:, None], 2)[:, 0]

    def weigh_positions(self, maps_Bhw, tau=None):
        return maps_Bhw


@pytest.fixture
def oracle(maco):
    stage = SimpleNamespace(paper="oracle", variant="default", text_encoder=maco.stage.text_encoder)
    return SimpleNamespace(method=Oracle(), tokenizer=maco.tokenizer, stage=stage)


@pytest.mark.parametrize("paper", ["mnm", "dmlm", "medim", "mmclip", "maco"])
def test_every_method_measures_every_phrase(paper, tmp_path, images, runtime):
    loaded = load_method(write_pretrained(tmp_path / "pretrain", paper))
    measured = measure_grounding(loaded, images, GroundingConfig(), runtime)
    assert len(measured.item_ids) == NUM_PHRASES
    assert set(measured.labels) == {"Edema", "Cardiomegaly"}
    assert set(measured.values) == {"miou", "cnr", "cnr_signed", "pointing_game", "box_share"}
    assert all(np.isfinite(values).all() for values in measured.values.values())
    np.testing.assert_array_equal(measured.values["cnr"], np.abs(measured.values["cnr_signed"]))


def test_a_method_that_sees_what_is_boxed_is_right(oracle, images, runtime):
    measured = measure_grounding(oracle, images, GroundingConfig(smoothing_sigma=0), runtime)
    is_edema = np.array(measured.labels) == "Edema"
    assert (measured.values["pointing_game"][is_edema] == 1).all()
    assert measured.values["cnr_signed"][is_edema].min() > 1
    assert measured.values["miou"].mean() > 0.5
    np.testing.assert_array_equal(measured.values["box_share"][is_edema], 0.5)


def test_what_is_measured_is_the_map_of_the_method_on_the_boxes(maco, images, runtime):
    config = GroundingConfig(taus=(0.05, 1.0))
    measured = measure_grounding(maco, images, config, runtime)
    phrases = phrases_of(images)
    assert [phrase.item_id for phrase in phrases] == measured.item_ids
    phrase = phrases[3]
    film = images.read([phrase.image_id]).float() / 255
    tokens = maco.tokenizer(phrase.text, return_tensors="pt")
    for name, tau in {"": None, "/tau=0.05": 0.05, "/tau=1": 1.0}.items():
        with torch.no_grad():
            (map_hw,) = maco.method.patch_text_similarity(
                film, tokens["input_ids"], tokens["attention_mask"].bool(), tau
            )
        heat = enlarge(map_hw[None], 16, 1.5)[0]
        expected = measure_map(heat, mask_of_boxes(phrase.boxes, (0, 0, 16, 16), 16), config.thresholds)
        for metric in ("miou", "cnr", "pointing_game"):
            assert measured.values[f"{metric}{name}"][3] == pytest.approx(expected[metric], rel=1e-3), (metric, name)
    assert not np.allclose(measured.values["cnr/tau=0.05"], measured.values["cnr/tau=1"])
    assert "box_share/tau=1" not in measured.values


def test_a_sweep_of_a_method_without_position_weights_is_refused(oracle, images, runtime):
    with pytest.raises(InputError, match=r"grounding\.taus: oracle \(default\) weighs no positions"):
        measure_grounding(oracle, images, GroundingConfig(taus=(0.1,)), runtime)


def test_bars_of_padding_can_be_left_out(oracle, images, runtime):
    (one,) = ground(oracle, images, phrases_of(images)[:1], GroundingConfig(), runtime)
    narrow = type(one)(one.phrase, one.film_SS, (0, 4, 16, 8), one.maps)
    share = {
        padding: narrow.measure(GroundingConfig(padding=padding))["box_share"] for padding in ("counted", "left_out")
    }
    assert share["left_out"] == 2 * share["counted"] > 0


def test_maps_become_as_large_as_films_smoothed_in_patches():
    maps = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 4, 4)))
    plain = enlarge(maps, 8, 0)
    # Halfway between the centres of patches at half the size: three quarters of the near and a quarter of the far one.
    row = maps[1, 0].numpy()
    np.testing.assert_allclose(plain[1, 0, 1:3], [0.75 * row[0] + 0.25 * row[1], 0.25 * row[0] + 0.75 * row[1]])
    smooth = enlarge(maps, 8, 1.5)
    np.testing.assert_allclose(
        smooth[1], enlarge(torch.from_numpy(gaussian_filter(maps[1:].numpy(), (0, 1.5, 1.5))), 8, 0)[0]
    )
    assert smooth.std() < plain.std() / 2


def test_a_diverged_method_is_named_without_its_phrase(maco, oracle, images, runtime):
    oracle.method.patch_text_cosines = lambda films, ids, real: torch.full((len(films), 2, 2), torch.nan)
    with pytest.raises(InputError, match=r"phrase test-\d+/0: .*did the pre-training diverge\?") as raised:
        measure_grounding(oracle, images, GroundingConfig(), runtime)
    assert "edema" not in str(raised.value)


def test_phrases_to_show_are_spread_over_the_categories(images):
    shown = spread_phrases(phrases_of(images), 4)
    assert [phrase.label for phrase in shown] == ["Cardiomegaly", "Cardiomegaly", "Edema", "Edema"]
    assert len(spread_phrases(phrases_of(images), 1000)) == NUM_PHRASES


def test_films_without_phrases_are_named(tmp_path):
    paths = write_benchmark(tmp_path / "data", size_px=16)
    index = pd.read_parquet(paths.index)
    boxes = [json.dumps([{"label": "Mass", "x": 0, "y": 0, "w": 1, "h": 1, "grid_w": 9, "grid_h": 9}])] * len(index)
    index.assign(boxes=boxes).to_parquet(paths.index, index=False)
    with pytest.raises(InputError, match=r"index\.parquet: no film of the test part has a box for a phrase"):
        phrases_of(BenchmarkImages(paths.index, paths.split, paths.manifest, LABELS))
