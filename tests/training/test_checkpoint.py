"""Rolling checkpoints."""

import logging
import os
import subprocess
import sys

import pytest
import torch

from maskray.training.checkpoint import find_checkpoint, read_checkpoint, save_checkpoint

SETTINGS, OTHERS = "a" * 64, "b" * 64


def save(folder, step, settings=SETTINGS):
    return save_checkpoint(folder, step, settings, {"method": {"w": torch.full((3,), float(step))}})


def test_two_are_kept_and_the_newest_is_read(tmp_path):
    for step in (5, 10, 15):
        save(tmp_path, step)
    assert len(list(tmp_path.iterdir())) == 2
    step, state = read_checkpoint(find_checkpoint(tmp_path, SETTINGS))
    assert step == 15
    assert state["method"]["w"].tolist() == [15.0] * 3


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_a_torn_newest_falls_back_to_the_one_before(tmp_path, caplog, damage):
    save(tmp_path, 5)
    newest = save(tmp_path, 10)
    content = bytearray(newest.read_bytes())
    if damage == "cut":
        content = content[:-20]
    elif damage == "flip":
        content[len(content) // 2] ^= 1
    else:
        content = bytearray()
    newest.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert read_checkpoint(find_checkpoint(tmp_path, SETTINGS))[0] == 5
    assert "damaged, not used" in caplog.text
    assert not newest.exists()


def test_those_of_other_settings_are_not_used(tmp_path, caplog):
    save(tmp_path, 500, OTHERS)
    with caplog.at_level(logging.WARNING):
        assert find_checkpoint(tmp_path, SETTINGS) is None
    assert "other settings or data; starting afresh" in caplog.text
    save(tmp_path, 5)
    assert read_checkpoint(find_checkpoint(tmp_path, SETTINGS))[0] == 5


def test_none_is_none(tmp_path):
    assert find_checkpoint(tmp_path, SETTINGS) is None


def test_optimiser_state_loads_without_pickled_code(tmp_path):
    parameter = torch.nn.Parameter(torch.ones(2))
    optimiser = torch.optim.AdamW([{"params": [parameter], "name": "rest", "base_rate": 0.1}])
    parameter.grad = torch.ones(2)
    optimiser.step()
    path = save_checkpoint(tmp_path, 1, SETTINGS, {"optimiser": optimiser.state_dict()})
    _, state = read_checkpoint(path)
    optimiser.load_state_dict(state["optimiser"])
    assert optimiser.param_groups[0]["name"] == "rest"


def test_a_writer_that_dies_leaves_the_older_one(tmp_path):
    """Killed in the middle of writing: the half file has no name of a checkpoint."""
    save(tmp_path, 5)
    program = (
        "import os, sys, torch\n"
        "from pathlib import Path\n"
        "from maskray.training import checkpoint\n"
        "def die(state, handle):\n"
        "    handle.write(b'half'); handle.flush(); os._exit(9)\n"
        "checkpoint.torch.save = die\n"
        f"checkpoint.save_checkpoint(Path(sys.argv[1]), 10, {SETTINGS!r}, {{}})\n"
    )
    died = subprocess.run([sys.executable, "-c", program, str(tmp_path)], env=os.environ, check=False)
    assert died.returncode == 9
    assert read_checkpoint(find_checkpoint(tmp_path, SETTINGS))[0] == 5
    save(tmp_path, 10)
    assert read_checkpoint(find_checkpoint(tmp_path, SETTINGS))[0] == 10
