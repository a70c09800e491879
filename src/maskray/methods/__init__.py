"""The methods: an explicit register. A new one is one module and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maskray.config.encoders import ImageEncoderConfig, TextEncoderConfig
from maskray.errors import InputError
from maskray.methods.base import Losses, MaskView, Method, Phase, Stream, Vocabulary
from maskray.methods.dmlm import Dmlm
from maskray.methods.maco import Maco
from maskray.methods.medim import Medim
from maskray.methods.mmclip import Mmclip
from maskray.methods.mnm import Mnm

METHODS: dict[str, type[Method]] = {"mnm": Mnm, "maco": Maco, "medim": Medim, "dmlm": Dmlm, "mmclip": Mmclip}

__all__ = ["METHODS", "Losses", "MaskView", "Method", "Phase", "Stream", "Vocabulary", "build_method"]


def build_method(
    name: str,
    method_config: Mapping[str, Any],
    image: ImageEncoderConfig,
    text: TextEncoderConfig,
    vocabulary: Vocabulary,
) -> Method:
    """Build a method from the ``method`` section of its paper file; initial weights follow torch's global seed.

    Raises:
        InputError: the method, one of its knobs or a size is not allowed, or weights are missing.
    """
    if name not in METHODS:
        raise InputError(f"no method {name!r}; there are {', '.join(sorted(METHODS))}")
    method = METHODS[name]
    config = method.Config.parse(method_config, f"method {name}")
    if text.kind != method.text_kind:
        raise InputError(f"text_encoder.kind is {text.kind}, but {name} reads texts as {method.text_kind}: set it so")
    return method(config, image, text, vocabulary)
