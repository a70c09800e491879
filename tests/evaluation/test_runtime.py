"""Device, threads and precision."""

import pytest
import torch

from maskray.evaluation.runtime import Runtime, prepare_runtime


@pytest.fixture
def restored():
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(deterministic)


@pytest.mark.usefixtures("restored")
def test_threads_are_those_of_the_settings():
    runtime = prepare_runtime(2, "32-true")
    assert torch.get_num_threads() == 2
    assert torch.are_deterministic_algorithms_enabled()
    assert runtime.device.type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize(("precision", "kind"), [("32-true", torch.float32), ("bf16-mixed", torch.bfloat16)])
def test_precision_is_that_of_the_settings(precision, kind):
    layer = torch.nn.Linear(2, 2)
    with Runtime(torch.device("cpu"), precision).autocast():
        assert layer(torch.ones(1, 2)).dtype == kind
    assert layer(torch.ones(1, 2)).dtype == torch.float32
