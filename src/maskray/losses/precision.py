"""Losses keep full precision inside bf16 autocast."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def in_full_precision(loss: Callable[..., Any]) -> Callable[..., Any]:
    """Run ``loss`` outside autocast, with half-precision arguments as float32; float64 stays float64."""

    @functools.wraps(loss)
    def computed(*args: Any, **kwargs: Any) -> Any:
        kind = next(value.device.type for value in (*args, *kwargs.values()) if isinstance(value, Tensor))
        with torch.autocast(kind, enabled=False):
            return loss(*map(_widen, args), **{name: _widen(value) for name, value in kwargs.items()})

    return computed


def _widen(value: Any) -> Any:
    is_half = isinstance(value, Tensor) and value.dtype in (torch.bfloat16, torch.float16)
    return value.float() if is_half else value
