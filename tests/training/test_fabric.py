"""Processes and devices, as far as one process can tell; several are tested with scripts/pretrain.py."""

import pytest
import torch

from maskray.config.training import RuntimeConfig
from maskray.errors import InputError
from maskray.training.fabric import is_true_anywhere, on_main, start_fabric


@pytest.fixture
def fabric():
    return start_fabric(RuntimeConfig())


def test_without_a_gpu_the_cpu_is_taken(fabric, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert start_fabric(RuntimeConfig()).device.type == expected
    assert fabric.world_size == 1


@pytest.mark.parametrize("num_tasks", ["1", "2"])
def test_one_process_in_a_batch_job_is_one_rank(monkeypatch, num_tasks):
    for name, value in {"NTASKS": num_tasks, "PROCID": "0", "LOCALID": "0", "JOB_ID": "7", "JOB_NAME": "j"}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    monkeypatch.delenv("SLURM_NTASKS_PER_NODE", raising=False)
    fabric = start_fabric(RuntimeConfig())
    assert (fabric.world_size, fabric.global_rank) == (1, 0)


def test_more_devices_than_gpus_is_said(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(InputError, match=r"4 devices asked for, but this node shows 1 GPUs"):
        start_fabric(RuntimeConfig(devices=4))


def test_the_main_process_answers_for_all(fabric):
    assert on_main(fabric, lambda: {"step": 3}) == {"step": 3}

    def fail():
        raise InputError("locked")

    with pytest.raises(InputError, match="locked"):
        on_main(fabric, fail)


def test_a_statement_of_one_rank(fabric):
    assert is_true_anywhere(fabric, True) is True
    assert is_true_anywhere(fabric, False) is False
