"""Learning rate by step."""

import itertools
import math

import pytest

from maskray.config.training import OptimisationConfig
from maskray.training.schedule import phase_at, rate_factor, total_steps


def config(**changes):
    return OptimisationConfig(**({"batch_size": 4, "num_epochs": 2, "learning_rate": 1.0} | changes))


def test_warm_up_rises_to_one_and_the_cosine_falls_to_zero():
    settings = config(warmup_fraction=0.1)
    factors = [rate_factor(settings, step, 100) for step in range(100)]
    assert factors[:10] == pytest.approx([step / 10 for step in range(1, 11)])
    assert factors[10] == pytest.approx(1)
    assert factors[55] == pytest.approx(0.5)
    assert factors[99] == pytest.approx(0.5 * (1 + math.cos(math.pi * 89 / 90)))
    assert all(later < earlier for earlier, later in itertools.pairwise(factors[10:]))


def test_constant_stays():
    settings = config(schedule="constant", warmup_fraction=0)
    assert {rate_factor(settings, step, 7) for step in range(7)} == {1.0}


def test_warm_up_alone_never_divides_by_zero():
    settings = config(warmup_fraction=1)
    assert [rate_factor(settings, step, 4) for step in range(4)] == [0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize(("num_epochs", "expected"), [(0, 0), (0.01, 1), (0.5, 5), (3, 30)])
def test_total_steps(num_epochs, expected):
    assert total_steps(config(num_epochs=num_epochs), 10) == expected


def test_phases_follow_each_other_and_the_last_lasts_the_epochs():
    settings = config(num_epochs=2, phase_steps=[3, 4])
    assert total_steps(settings, 10) == 27
    assert [phase_at(settings, step) for step in (0, 2, 3, 6, 7, 26)] == [0, 0, 1, 1, 2, 2]
    assert phase_at(config(), 100) == 0
