"""Linear probe on frozen features."""

import numpy as np
import pytest
import torch

from maskray.config.training import LinearProbeConfig
from maskray.errors import InputError
from maskray.evaluation.images import Examples
from maskray.evaluation.linear_probe import probe_all, train_head
from maskray.evaluation.objective import Objective
from maskray.metrics.classification import auroc, macro_auroc
from tests.made_benchmark import TinyMethod

CONFIG = LinearProbeConfig(num_epochs=30, learning_rate=0.05, batch_size=8)


def run(images, runtime, fractions=(0.1, 1.0), seeds=(0, 1), config=CONFIG):
    runs = probe_all(TinyMethod().image_encoder, images, config, fractions, seeds, runtime)
    return {(fraction, seed): predictions for fraction, seed, predictions in runs}


def test_all_fractions_and_seeds_and_they_learn(open_images, runtime):
    runs = run(open_images(), runtime)
    assert set(runs) == {(0.1, 0), (0.1, 1), (1.0, 0), (1.0, 1)}
    test = runs[1.0, 0].part("test")
    assert len(test.image_ids) == 30
    assert len(runs[1.0, 0].part("validation").image_ids) == 20
    assert macro_auroc(test.labels_NL, test.scores_NL) > 0.9
    assert runs[1.0, 0].notes["num_train_images"] == 60
    assert runs[0.1, 0].notes["num_train_images"] == 12


def test_a_run_is_the_same_bits_alone_or_among_others(open_images, runtime):
    images = open_images()
    among = run(images, runtime)[0.1, 1]
    alone = run(images, runtime, fractions=(0.1,), seeds=(1,))[0.1, 1]
    np.testing.assert_array_equal(among.scores_NL, alone.scores_NL)


def test_seeds_differ(open_images, runtime):
    runs = run(open_images(), runtime, fractions=(0.1,))
    assert (runs[0.1, 0].scores_NL != runs[0.1, 1].scores_NL).any()


def test_the_encoder_stays_as_it_was(open_images, runtime):
    encoder, before = TinyMethod().image_encoder, TinyMethod().image_encoder.state_dict()
    list(probe_all(encoder, open_images(), CONFIG, (1.0,), (0,), runtime))
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())
    assert all(parameter.grad is None for parameter in encoder.parameters())


def line(num_images, sign):
    """One feature that tells the label, with this sign."""
    labels = (np.arange(num_images) % 2).astype(np.float32)[:, None]
    examples = Examples([str(i) for i in range(num_images)], ["p"] * num_images, labels)
    return torch.from_numpy(
        sign * (2 * labels - 1) + 0.1 * np.arange(num_images, dtype=np.float32)[:, None] / 10
    ), examples


def test_the_best_epoch_on_validation_is_kept_and_training_stops_after_patience():
    features, examples = line(16, 1.0)
    opposite, validation = line(8, -1.0)
    config = LinearProbeConfig(num_epochs=200, learning_rate=0.01, batch_size=16, patience=3)
    head, epoch, quality = train_head(features, examples, opposite, validation, config, 0, Objective())
    # Training makes validation worse from some epoch on; the kept head is that epoch's, not the last.
    assert quality == auroc(validation.labels_NL[:, 0], head(opposite).detach().numpy()[:, 0])
    assert epoch < 20
    longer = LinearProbeConfig(num_epochs=epoch, learning_rate=0.01, batch_size=16, patience=3)
    assert torch.equal(
        head.weight, train_head(features, examples, opposite, validation, longer, 0, Objective())[0].weight
    )


def test_features_that_are_not_numbers_stop_with_a_clear_error():
    features, examples = line(8, 1.0)
    with pytest.raises(InputError, match=r"linear_probe\.learning_rate"):
        train_head(features * float("nan"), examples, features, examples, CONFIG, 0, Objective())


def test_labels_not_stated_are_ignored(open_images, runtime):
    def hide_some(part, row, labels):
        return np.where(part == "train" and row % 3 == 0, np.float32("nan"), labels)

    test = run(open_images(labels_of=hide_some), runtime, fractions=(1.0,), seeds=(0,))[1.0, 0].part("test")
    assert macro_auroc(test.labels_NL, test.scores_NL) > 0.9


def test_one_class_of_several_is_probed(open_classes, runtime):
    config = LinearProbeConfig(num_epochs=60, learning_rate=0.05, batch_size=16)
    runs = probe_all(TinyMethod().image_encoder, open_classes(), config, [1.0], [0], runtime)
    ((_, _, predictions),) = runs
    test = predictions.part("test")
    np.testing.assert_allclose(test.scores_NL.sum(axis=1), 1, rtol=1e-5)
    assert (test.scores_NL.argmax(axis=1) == test.labels_NL.argmax(axis=1)).mean() > 0.8
