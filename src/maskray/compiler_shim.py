"""Keeps torch's compiler away while packages load that import it for nothing: four seconds of every small job.

At their import torchvision asks it for a function that its operators need at their calls, and timm tells it which
functions not to compile. Nothing is ever compiled here. (transformers asks for more; where it loads, so does the
compiler.)
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_MODULE = "torch._dynamo.utils"


@contextmanager
def compiler_postponed() -> Iterator[None]:
    """Imports in this block find a stand-in for the compiler, unless that is loaded already."""
    if _MODULE in sys.modules:
        yield
        return
    torch_compiler: Any = importlib.import_module("torch.compiler")
    disable, torch_compiler.disable = torch_compiler.disable, _leave_as_it_is
    stand_in = sys.modules[_MODULE] = _StandIn(_MODULE)
    try:
        yield
    finally:
        torch_compiler.disable = disable
        stand_in.step_aside()


class _StandIn(ModuleType):
    """Has the one function that is wanted at import; to ask for any other name loads the compiler after all."""

    @staticmethod
    def is_compile_supported(device_type: str) -> bool:
        """Loads the compiler when it is called."""
        return importlib.import_module(_MODULE).is_compile_supported(device_type)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self.step_aside()
        return getattr(importlib.import_module(_MODULE), name)

    def step_aside(self) -> None:
        """Make way for the real module, if that has not been loaded meanwhile."""
        if sys.modules.get(_MODULE) is self:
            del sys.modules[_MODULE]


def _leave_as_it_is(function: Any = None, *_: Any, **__: Any) -> Any:
    """A decorator, with or without arguments, in the place of ``torch.compiler.disable``."""
    return _leave_as_it_is if function is None else function
