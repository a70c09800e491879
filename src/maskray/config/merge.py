"""Overlays: later settings over earlier ones, key by key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def merge(base: Mapping[str, Any], *overlays: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with each overlay laid over it: mappings merge key by key, everything else is replaced."""
    merged = dict(base)
    for overlay in overlays:
        for key, value in overlay.items():
            old = merged.get(key)
            merged[key] = merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def differences(base: Mapping[str, Any], changed: Mapping[str, Any], path: str = "") -> dict[str, tuple[Any, Any]]:
    """Dotted path -> (old, new) for every leaf in which ``changed`` differs from ``base``."""
    found: dict[str, tuple[Any, Any]] = {}
    for key in sorted({*base, *changed}):
        old, new = base.get(key), changed.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found |= differences(old, new, f"{path}{key}.")
        elif old != new:
            found[f"{path}{key}"] = (old, new)
    return found
