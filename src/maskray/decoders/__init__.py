"""Decoders back to pixels and to words."""

from maskray.decoders.pixels import PatchDecoder
from maskray.decoders.words import WordDecoder

__all__ = ["PatchDecoder", "WordDecoder"]
