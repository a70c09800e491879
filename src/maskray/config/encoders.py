"""Settings of the encoders."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveInt

from maskray.config.base import Frozen, ShareBelowAll

TextKind = Literal["bert", "clip"]


class ImageEncoderConfig(Frozen):
    """A timm vision transformer. Null means the timm model's own value."""

    name: str = Field("vit_base_patch16_224", description="timm model")
    weights: str | None = Field(
        description="timm name with tag, or owner/name, also with @revision; a local folder or file; or null: random"
    )
    image_px: PositiveInt = 224
    patch_px: PositiveInt = 16
    width: PositiveInt | None = None
    depth: PositiveInt | None = None
    num_heads: PositiveInt | None = None


class TextEncoderConfig(Frozen):
    """A Hugging Face text encoder. The sizes are used only where ``weights`` is null."""

    kind: TextKind = Field(
        "bert", description="bert: sees the whole text, word pieces; clip: sees what comes before, byte pairs"
    )
    weights: str | None = Field(
        description="Hugging Face name, also with @revision; a local folder; or null for random weights"
    )
    max_tokens: PositiveInt = 256
    width: PositiveInt = 768
    depth: PositiveInt = 12
    num_heads: PositiveInt = 12
    vocabulary_size: PositiveInt = Field(8000, description="upper bound of the vocabulary built from the reports")
    dropout: ShareBelowAll = 0.0
    feature: Literal["token", "mean"] = Field(
        "token",
        description="what stands for the whole text: BERT's first token, CLIP's last; or the mean of all tokens",
    )
