"""The base of all typed settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from maskray.errors import InputError
from maskray.files import read_yaml

# Shares of a whole: none to all of it; without none; without all; without either.
Share = Annotated[float, Field(ge=0, le=1)]
Fraction = Annotated[float, Field(gt=0, le=1)]
ShareBelowAll = Annotated[float, Field(ge=0, lt=1)]
OpenShare = Annotated[float, Field(gt=0, lt=1)]


class Frozen(BaseModel):
    """Settings: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def parse(cls, value: Any, source: str | Path) -> Self:
        """Validate ``value``; :class:`InputError` names ``source``, the path of each bad key, and what is allowed."""
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            lines = [f"{'.'.join(str(part) for part in e['loc']) or 'the file'}: {e['msg']}" for e in error.errors()]
            raise InputError(f"{source}: " + "; ".join(lines)) from None

    @classmethod
    def read(cls, settings: str | Path) -> Self:
        """Read and validate a YAML file, or the settings themselves as JSON, as the workflow hands them over."""
        if str(settings).lstrip().startswith("{"):
            try:
                value = json.loads(str(settings))
            except ValueError as error:
                raise InputError(f"settings: not valid JSON ({error})") from None
            return cls.parse(value, "settings")
        return cls.parse(read_yaml(settings), settings)
