"""Segmentation on films whose bright quarter is the mask."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from maskray.config.training import SegmentationConfig
from maskray.errors import InputError
from maskray.evaluation.images import BenchmarkImages
from maskray.evaluation.segmentation import WITH, WITHOUT, Segmenter, segment, segmentation_loss
from maskray.metrics.segmentation import count_pixels, dice
from tests.made_benchmark import LABELS, write_benchmark
from tests.methods.made_methods import made_method

CONFIG = SegmentationConfig(num_epochs=12, learning_rates=(3e-3,), batch_size=16, channels=8)


@pytest.fixture
def images(tmp_path):
    """Films of 32 px; where Edema is stated (every second film) the left half is bright, and is the mask."""
    paths = write_benchmark(tmp_path / "benchmark", size_px=32)
    index = pd.read_parquet(paths.index)
    half = {"label": "Edema", "x": 0, "y": 0, "w": 16, "h": 32, "grid_w": 32, "grid_h": 32}
    index["boxes"] = np.where(index["label_Edema"] == 1, json.dumps([half]), "")
    index.to_parquet(paths.index, index=False)
    return BenchmarkImages(paths.index, paths.split, paths.manifest, LABELS)


def run(images, runtime, name="maco", config=CONFIG, fraction=1.0, seed=0):
    return segment(made_method(name), images, config, fraction, seed, runtime)


def test_bright_halves_are_found(images, runtime):
    found = run(images, runtime)
    measured = found.measured
    assert set(measured.labels) == {WITH, WITHOUT}
    is_positive = np.array(measured.labels) == WITH
    assert is_positive.sum() == 15
    assert measured.values["dice"][is_positive].mean() > 0.8
    assert (measured.values["iou"] <= measured.values["dice"] + 1e-6).all()
    assert 0 < measured.settings["threshold"] < 1
    assert measured.settings["num_train_images"] == 60
    assert (found.masks.size_px, found.masks.fraction) == (32, 1.0)
    for row, image_id in enumerate(measured.item_ids):
        true, drawn = found.masks.of(image_id)
        assert true.any() == is_positive[row]
        assert dice(*count_pixels(drawn[None], true[None]))[0] == pytest.approx(measured.values["dice"][row])


def test_the_same_seed_gives_the_same_numbers_and_another_one_others(images, runtime):
    config = CONFIG.model_copy(update={"num_epochs": 2})
    first, again, other = (run(images, runtime, config=config, seed=seed).measured.values["dice"] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_methods_own_decoder_is_where_it_starts_from():
    method = made_method("medim")
    config = CONFIG.model_copy(update={"decoder": "method"})
    segmenter = Segmenter(method, config, seed=0)
    for own, theirs in zip(segmenter.decoder.blocks.parameters(), method.decoder.blocks.parameters(), strict=True):
        assert torch.equal(own, theirs)
        assert own is not theirs
    assert segmenter(torch.rand(2, 32, 32)).shape == (2, 32, 32)


def test_a_method_without_a_decoder_says_so():
    with pytest.raises(InputError, match=r"segmentation\.decoder: .* set setr_pup"):
        Segmenter(made_method("maco"), CONFIG.model_copy(update={"decoder": "method"}), seed=0)


def test_the_loss_by_hand():
    logits, targets = torch.zeros(1, 1, 2, dtype=torch.float64), torch.tensor([[[1.0, 0.0]]], dtype=torch.float64)
    # Both shares are 1/2: cross-entropy ln 2, soft Dice (2 * 1/2 + 1) / (1 + 1 + 1).
    assert segmentation_loss(logits, targets, 1.0).item() == pytest.approx(np.log(2) + 1 - 2 / 3)
    assert segmentation_loss(logits, targets, 0.0).item() == pytest.approx(np.log(2))


def test_divergence_names_the_setting(images, runtime):
    config = CONFIG.model_copy(update={"learning_rates": (1e30,), "optimiser": "sgd", "num_epochs": 2})
    with pytest.raises(InputError, match=r"segmentation\.learning_rates 1e\+30: training diverged"):
        run(images, runtime, config=config)
