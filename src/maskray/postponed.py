"""Keeps large modules away while packages load that import them for nothing: seconds of every small job.

torchvision, at its import, asks torch's compiler for a function that its operators need at their calls; timm tells it
which functions not to compile, and nothing is ever compiled here. (Lightning Fabric, transformers and torch's
optimisers ask for more: where they load, so does the compiler.) transformers imports scipy.optimize for losses that
nobody here calls.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


@contextmanager
def postponed(name: str, *functions: str) -> Iterator[None]:
    """Imports in this block find a stand-in for the module ``name``, unless that is loaded already.

    It has ``functions`` alone, which load the module when called; to ask for any other name loads it after all.
    """
    if name in sys.modules:
        yield
        return
    stand_in = sys.modules[name] = _StandIn(name, functions)
    try:
        yield
    finally:
        stand_in.step_aside()


@contextmanager
def compiler_postponed() -> Iterator[None]:
    """The same for torch's compiler, to which nothing in this block says what not to compile."""
    if "torch._dynamo.utils" in sys.modules:
        yield
        return
    torch_compiler: Any = importlib.import_module("torch.compiler")
    disable, torch_compiler.disable = torch_compiler.disable, _leave_as_it_is
    try:
        with postponed("torch._dynamo.utils", "is_compile_supported"):
            yield
    finally:
        torch_compiler.disable = disable


class _StandIn(ModuleType):
    def __init__(self, name: str, functions: tuple[str, ...]) -> None:
        super().__init__(name)
        self.__dict__.update({function: _called_later(name, function) for function in functions})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self.step_aside()
        return getattr(importlib.import_module(self.__name__), name)

    def step_aside(self) -> None:
        """Make way for the real module, if that has not been loaded meanwhile."""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]


def _called_later(name: str, function: str) -> Any:
    return lambda *args, **options: getattr(importlib.import_module(name), function)(*args, **options)


def _leave_as_it_is(function: Any = None, *_: Any, **__: Any) -> Any:
    """A decorator, with or without arguments, in the place of ``torch.compiler.disable``."""
    return _leave_as_it_is if function is None else function
