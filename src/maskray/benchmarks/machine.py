"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch

_PACKAGES = (
    "maskray", "torch", "numpy", "scipy", "scikit-image", "pillow", "h5py", "spacy", "negspacy", "webdataset", "timm",
    "transformers",
)  # fmt: skip
_MATRIX_SIDE = {"cpu": 2048, "cuda": 8192}
_COPIED_BYTES = 1 << 28


def machine() -> dict[str, Any]:
    """Processor, cores, threads; ``gpu`` is what the training steps ran on, where there is one."""
    return {
        "cpu": _cpu_model(),
        "num_cores": psutil.cpu_count(logical=False) or 0,
        "num_hardware_threads": os.cpu_count() or 0,
        "num_threads_used": torch.get_num_threads(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "",
        "system": f"{platform.system()} {platform.machine()}",
    }


def versions() -> dict[str, str]:
    """Of Python and of all packages that were measured."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in _PACKAGES}


def load_now() -> float:
    """Processes that wanted to run in the last minute, on average."""
    return round(os.getloadavg()[0], 2)


def matrix_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Multiplications and additions a second of a large matrix product, the best of five: a limit of the machine."""
    side = _MATRIX_SIDE[device.type]
    one, other = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    return 2 * side**3 / least_seconds(lambda: float((one @ other)[0, 0]))  # a value waits for the device


def copy_rate() -> float:
    """Bytes a second of a large copy in memory, the best of five: a limit of the machine."""
    source = np.ones(_COPIED_BYTES, np.uint8)
    target = np.empty_like(source)
    return _COPIED_BYTES / least_seconds(lambda: np.copyto(target, source))


def least_seconds(work: Callable[[], object]) -> float:
    """Of six times, the first not counted."""
    seconds = []
    for _ in range(6):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds[1:])


def _cpu_model() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
