"""Fine-tuning end to end."""

import logging

import numpy as np
import pytest
import torch

from maskray.config.training import AugmentationConfig, FinetuneConfig
from maskray.errors import InputError
from maskray.evaluation.finetune import Classifier, ClassifierSearch, finetune
from maskray.evaluation.runtime import Runtime
from maskray.evaluation.search import epochs_of
from maskray.evaluation.supervised import new_head
from maskray.metrics.classification import macro_auroc
from tests.made_benchmark import TinyMethod, one_class

MILD = AugmentationConfig(crop_min_area=0.9, brightness=0.05, contrast=0.05)


def config_of(**changes):
    settings = {"num_epochs": 8, "learning_rates": (0.01,), "batch_size": 8, "augmentation": MILD}
    return FinetuneConfig(**(settings | changes))


def test_it_learns_and_predicts_both_parts(open_images, runtime):
    encoder = TinyMethod().image_encoder
    predictions = finetune(encoder, open_images(), config_of(), 1.0, 0, runtime)
    test = predictions.part("test")
    assert macro_auroc(test.labels_NL, test.scores_NL) > 0.9
    assert len(predictions.part("validation").image_ids) == 20
    assert predictions.notes["num_train_images"] == 60
    assert not torch.equal(encoder[1].weight, TinyMethod().image_encoder[1].weight)


def test_the_same_seed_is_the_same_bits_and_another_is_not(open_images, runtime):
    images = open_images()
    first, again, other = (
        finetune(TinyMethod().image_encoder, images, config_of(num_epochs=2), 0.1, seed, runtime).scores_NL
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
def test_four_images_are_enough(open_images, runtime, optimiser):
    predictions = finetune(
        TinyMethod().image_encoder,
        open_images(),
        config_of(batch_size=64, optimiser=optimiser, schedule="cosine"),
        0.05,
        0,
        runtime,
    )
    assert predictions.notes["num_train_images"] == 4
    assert np.isfinite(predictions.scores_NL).all()


def test_the_rate_that_is_best_on_validation_is_taken(open_images, runtime):
    images = open_images()
    both = finetune(TinyMethod().image_encoder, images, config_of(learning_rates=(1e-9, 0.01)), 1.0, 0, runtime)
    alone = finetune(TinyMethod().image_encoder, images, config_of(learning_rates=(0.01,)), 1.0, 0, runtime)
    assert both.notes["learning_rate"] == 0.01
    # The first rate leaves no trace: each starts from the same weights.
    np.testing.assert_array_equal(both.scores_NL, alone.scores_NL)


def test_the_kept_epoch_is_the_best_on_validation(open_images, runtime):
    training = ClassifierSearch(TinyMethod().image_encoder, open_images(), config_of(num_epochs=6), 1.0, 0, runtime)
    qualities = []
    original = training._quality
    training._quality = lambda epoch: qualities.append(original(epoch)) or [0.1, 0.4, 0.9, 0.9, 0.2, 0.3][epoch - 1]
    weights = {}
    step = training._step

    def remember(optimiser, rows, epoch):
        loss = step(optimiser, rows, epoch)
        weights[epoch] = training.model.head.weight.detach().clone()
        return loss

    training._step = remember
    best = training.try_rate(0.01)
    assert (best.epoch, best.quality) == (3, 0.9)
    assert torch.equal(best.state["head.weight"], weights[3])
    assert len(qualities) == 6


def test_a_rate_that_diverges_is_left_out(open_images, runtime, caplog):
    caplog.set_level(logging.WARNING)
    config = config_of(learning_rates=(1e30, 0.01), optimiser="sgd", momentum=0.0)
    predictions = finetune(TinyMethod().image_encoder, open_images(), config, 1.0, 0, runtime)
    assert predictions.notes["learning_rate"] == 0.01
    assert "learning rate 1e+30" in caplog.text


def test_divergence_with_every_rate_is_an_error_that_names_the_setting(open_images, runtime):
    config = config_of(learning_rates=(1e30,), optimiser="sgd", momentum=0.0)
    with pytest.raises(InputError, match=r"finetune\.learning_rates 1e\+30: training diverged"):
        finetune(TinyMethod().image_encoder, open_images(), config, 1.0, 0, runtime)


def test_epochs_by_fraction():
    config = config_of(num_epochs={"1%": 50, "100%": 20})
    assert (epochs_of(config, 0.01, "finetune"), epochs_of(config, 1.0, "finetune")) == (50, 20)
    assert epochs_of(config_of(num_epochs=7), 0.1, "finetune") == 7
    with pytest.raises(InputError, match=r"finetune\.num_epochs: no entry for 10%; it has 1%, 100%"):
        epochs_of(config, 0.1, "finetune")


def test_gradients_reach_the_encoder_and_the_head():
    model = Classifier(TinyMethod().image_encoder, new_head(12, 2, 0))
    model(torch.rand(3, 8, 8)).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert len(list(model.parameters())) == 4


def test_bfloat16_trains_too(open_images):
    runtime = Runtime(torch.device("cpu"), "bf16-mixed")
    predictions = finetune(TinyMethod().image_encoder, open_images(), config_of(), 1.0, 0, runtime)
    test = predictions.part("test")
    assert macro_auroc(test.labels_NL, test.scores_NL) > 0.8


def test_unstated_labels_do_not_stop_it(open_images, runtime):
    def hide_second(part, row, labels):
        return np.array([labels[0], np.nan if part == "train" else labels[1]], np.float32)

    predictions = finetune(
        TinyMethod().image_encoder, open_images(labels_of=hide_second), config_of(num_epochs=2), 1.0, 0, runtime
    )
    assert np.isfinite(predictions.scores_NL).all()


def test_one_class_of_several_is_learnt(open_classes, runtime):
    predictions = finetune(TinyMethod().image_encoder, open_classes(), config_of(num_epochs=30), 1.0, 0, runtime)
    test = predictions.part("test")
    np.testing.assert_allclose(test.scores_NL.sum(axis=1), 1, rtol=1e-5)
    assert (test.scores_NL.argmax(axis=1) == test.labels_NL.argmax(axis=1)).mean() > 0.8
    assert predictions.exclusive


def test_balanced_weights_find_a_rare_class(open_classes, runtime):
    """Two training films are of the class Both, 45 of the others; the rest of its films have no class stated."""

    def rare(part, number, labels_L):
        codes = one_class(part, number, labels_L)
        return np.full(4, np.nan, np.float32) if part == "train" and codes[3] and number > 8 else codes

    images, shares = open_classes(labels_of=rare), {}
    for weights in ("equal", "balanced"):
        config = config_of(num_epochs=10, class_weights=weights)
        test = finetune(TinyMethod().image_encoder, images, config, 1.0, 0, runtime).part("test")
        shares[weights] = test.scores_NL[test.labels_NL[:, 3] == 1, 3].mean()
    assert shares["balanced"] > shares["equal"] + 0.2
