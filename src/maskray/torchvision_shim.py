"""Lets torchvision import beside a CPU build of torch.

torchvision's wheels are built against the CUDA build of torch. Beside a CPU build their compiled operators do not
load, ``import torchvision`` raises "operator torchvision::nms does not exist", and timm and all transformers model
classes fail with it, although none of ours uses those operators. Declaring the operators is enough to import.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from maskray.postponed import compiler_postponed

_OPERATORS = ("nms", "qnms")
_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
# The declarations live only as long as the Library object.
_libraries: list[Any] = []


def ensure_torchvision_imports() -> None:
    """Make ``import torchvision`` work; call it before importing timm or a transformers model class.

    Does nothing where torchvision imports by itself, is already imported, or is not installed.
    """
    try:
        with compiler_postponed():
            importlib.import_module("torchvision")
    except ImportError:
        return
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise
        _forget("torchvision")
        _declare_operators()
        with compiler_postponed():
            importlib.import_module("torchvision")


def _forget(package: str) -> None:
    """Drop the half-imported modules of ``package``."""
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        del sys.modules[name]


def _declare_operators() -> None:
    """Declare the operators without implementations: calling one still fails, with torch's own message."""
    from torch import library

    fragment = library.Library("torchvision", "FRAGMENT")
    for operator in _OPERATORS:
        fragment.define(operator + _SCHEMA)
    _libraries.append(fragment)
