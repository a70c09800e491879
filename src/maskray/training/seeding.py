"""Randomness as a function of (seed, step), and arithmetic that repeats bit by bit."""

from __future__ import annotations

import os

import torch

from maskray.data.sampler import derive_seed


def compute_repeatably(num_threads: int) -> None:
    """Make one machine repeat its own bits: a fixed number of threads and deterministic kernels only.

    On a GPU an operation without a deterministic kernel warns, on the CPU it is an error.
    """
    # Read by cuBLAS when its first handle is made; without it matrix products may differ between runs.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(num_threads)
    # The same switch as use_deterministic_algorithms, which imports the compiler as well: four seconds of every job.
    torch.set_deterministic_debug_mode("warn" if torch.cuda.is_available() else "error")
    torch.backends.cudnn.benchmark = False


def seed_initial_weights(seed: int) -> None:
    """Seed torch before a method is built: the same weights on every rank."""
    torch.manual_seed(derive_seed(seed, "initial weights"))


def seed_step(seed: int, step: int, rank: int) -> None:
    """Seed torch before a step, so that dropout needs no generator state to resume; ranks differ."""
    torch.manual_seed(derive_seed(seed, "step", step, rank))
