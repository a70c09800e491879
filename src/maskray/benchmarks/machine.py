"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil
import torch

_PACKAGES = (
    "maskray", "torch", "numpy", "scipy", "scikit-image", "pillow", "h5py", "spacy", "negspacy", "webdataset", "timm",
    "transformers",
)  # fmt: skip


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


def _cpu_model() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
