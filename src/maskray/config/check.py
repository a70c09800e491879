"""Validation at ``snakemake -n``: against the JSON schemas alone, so that planning loads neither torch nor pydantic."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskray.errors import InputError

if TYPE_CHECKING:
    import jsonschema


def check(settings: Mapping[str, Any], schema_file: str | Path, source: str) -> None:
    """Raise :class:`InputError` listing every wrong key or value of ``settings`` by its path.

    Args:
        settings: as read from YAML.
        schema_file: a JSON schema of ``workflow/schemas/``.
        source: named in the message, e.g. the YAML file.
    """
    schema = json.loads(Path(schema_file).read_text(encoding="utf-8"))
    # YAML has lists where the schema, which is exported from Python tuples, has fixed-length arrays: both are arrays.
    import jsonschema  # here, since jobs that import typed settings do without it

    validator = jsonschema.Draft202012Validator(schema)
    problems = [line for error in validator.iter_errors(_plain(settings)) for line in _explain(error)]
    if problems:
        raise InputError(f"{source}: " + "\n  ".join(problems))


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """The likeliest of the allowed names, in words; "" where none is near."""
    near = difflib.get_close_matches(name, list(allowed), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _plain(value: Any) -> Any:
    """The same value in plain JSON types (snakemake hands over ordered dictionaries)."""
    return json.loads(json.dumps(value))


def _explain(error: jsonschema.ValidationError) -> Iterator[str]:
    """Readable lines for one schema error; unknown keys name the allowed ones and the likeliest."""
    if error.context:
        # Every branch of a union failed: the deepest error is about the branch that the user meant.
        yield from _explain(max(error.context, key=lambda inner: len(inner.absolute_path)))
        return
    path = ".".join(str(part) for part in error.absolute_path)
    if error.validator == "additionalProperties" and isinstance(error.instance, Mapping):
        allowed = sorted(error.schema.get("properties", {}))
        for key in sorted(set(error.instance) - set(allowed)):
            hint = did_you_mean(key, allowed)
            yield f"{path + '.' if path else ''}{key}: no such key{hint}; allowed: {', '.join(allowed)}"
    else:
        yield f"{path or 'the file'}: {error.message}"
