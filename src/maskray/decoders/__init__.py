"""Decoders back to pixels and to words."""

from maskray.decoders.captions import CaptionDecoder
from maskray.decoders.convolution import ConvolutionDecoder
from maskray.decoders.pixels import PatchDecoder
from maskray.decoders.words import WordDecoder

__all__ = ["CaptionDecoder", "ConvolutionDecoder", "PatchDecoder", "WordDecoder"]
