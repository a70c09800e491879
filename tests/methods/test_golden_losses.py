"""Ten training steps give the recorded losses; MASKRAY_RECORD=1 rewrites the record after an intended change."""

import os
from pathlib import Path

import pytest
import torch

from maskray.methods import METHODS
from tests.methods.made_methods import made_batches, made_method

GOLDEN = Path(__file__).resolve().parent.parent / "golden"


@pytest.mark.parametrize("name", METHODS)
def test_ten_losses_are_as_recorded(name):
    method = made_method(name)
    optimiser = torch.optim.AdamW(method.parameters(), lr=1e-3)
    losses = []
    for step in range(10):
        optimiser.zero_grad()
        total = method(*made_batches(name, seed=step)).total()
        total.backward()
        optimiser.step()
        losses.append(total.item())
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("MASKRAY_RECORD"):
        path.write_text("".join(f"{loss:.6f}\n" for loss in losses), encoding="utf-8")
    recorded = [float(line) for line in path.read_text(encoding="utf-8").split()]
    assert losses == pytest.approx(recorded, rel=1e-4)
