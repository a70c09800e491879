"""Seeds by step, and repeatable arithmetic."""

import pytest
import torch

from maskray.training.seeding import compute_repeatably, seed_initial_weights, seed_step


@pytest.fixture(autouse=True)
def _restored():
    threads = torch.get_num_threads()
    yield
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(threads)


def drawn(seed_function, *arguments):
    seed_function(*arguments)
    return tuple(torch.rand(3).tolist())


def test_every_step_and_rank_has_its_own_numbers_whatever_came_before():
    draws = {drawn(seed_step, 0, step, rank) for step in range(5) for rank in range(2)}
    assert len(draws) == 10
    torch.rand(100)
    assert drawn(seed_step, 0, 3, 1) in draws


def test_initial_weights_follow_the_seed():
    assert drawn(seed_initial_weights, 1) == drawn(seed_initial_weights, 1) != drawn(seed_initial_weights, 2)


def test_threads_follow_the_setting_and_kernels_are_deterministic():
    compute_repeatably(1)
    assert torch.get_num_threads() == 1
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.is_deterministic_algorithms_warn_only_enabled() == torch.cuda.is_available()
