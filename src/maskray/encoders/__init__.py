"""Image, text and cross-modality encoders."""

from maskray.encoders.fusion import CrossModalityEncoder
from maskray.encoders.text import TextEncoder
from maskray.encoders.vision import ImageEncoder

__all__ = ["CrossModalityEncoder", "ImageEncoder", "TextEncoder"]
