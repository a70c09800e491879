"""Image, text and cross-modality encoders."""

from maskray.encoders.fusion import CrossModalityEncoder
from maskray.encoders.projection import image_projection, text_projection
from maskray.encoders.prompts import Prompts
from maskray.encoders.text import TextEncoder
from maskray.encoders.vision import Feature, ImageEncoder, ImageFeatures

__all__ = [
    "CrossModalityEncoder",
    "Feature",
    "ImageEncoder",
    "ImageFeatures",
    "Prompts",
    "TextEncoder",
    "image_projection",
    "text_projection",
]
