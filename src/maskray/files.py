"""Files that are either whole or absent."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from maskray.errors import InputError


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it to ``path`` on success, remove it on failure.

    A reader therefore never sees half a file, and a killed job leaves no file that looks complete.
    The temporary name keeps the suffix, since many writers choose their format by it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        yield partial
        with partial.open("rb+") as handle:
            os.fsync(handle.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all."""
    with written_whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any) -> None:
    """Write ``value`` as indented JSON with sorted keys, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True) + "\n")


def write_yaml(path: str | Path, value: Any) -> None:
    """Write ``value`` as YAML in the order of its keys, whole or not at all."""
    write_text(path, yaml.safe_dump(value, sort_keys=False, allow_unicode=True))


def read_json(path: str | Path) -> Any:
    """Read a JSON file; :class:`InputError` names the file where it is missing or damaged."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except ValueError as error:
        raise InputError(f"{path}: not valid JSON ({error}); delete it and run again") from None


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file safely; :class:`InputError` names the file and line where it is missing or damaged."""
    try:
        # libyaml's parser: a tenth of the time of PyYAML's own.
        return yaml.load(Path(path).read_text(encoding="utf-8"), yaml.CSafeLoader)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not valid YAML ({error})") from None


def hash_of(value: Any) -> str:
    """SHA-256 over the canonical JSON of ``value``: equal values have equal hashes, whatever their key order."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def hash_of_file(path: str | Path) -> str:
    """SHA-256 of the bytes of a file."""
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
