"""Linear layers into the joint space, with CLIP's own weights where the encoder's were CLIP's.

A random layer on top of CLIP's encoders would undo what CLIP has learned of films and words going together.
"""

from __future__ import annotations

import torch
from torch import nn

from maskray.config.encoders import ImageEncoderConfig, TextEncoderConfig
from maskray.encoders.weights import find_image_weights, find_weights, read_tensor

# Names of the projections: timm keeps CLIP's as the classifier, transformers under its own name.
_OF_IMAGES, _OF_TEXTS = "head.weight", "text_projection.weight"


def image_projection(config: ImageEncoderConfig, width: int, joint_width: int) -> nn.Linear:
    """From the image encoder's width to the joint width."""
    path = find_image_weights(config) if config.weights is not None else None
    return _projection(width, joint_width, None if path is None else read_tensor(path, _OF_IMAGES))


def text_projection(config: TextEncoderConfig, width: int, joint_width: int) -> nn.Linear:
    """From the text encoder's width to the joint width."""
    path = find_weights(config.weights) if config.weights is not None else None
    return _projection(width, joint_width, None if path is None else read_tensor(path, _OF_TEXTS))


def _projection(width: int, joint_width: int, pretrained: torch.Tensor | None) -> nn.Linear:
    """Without bias and started as CLIP's; ``pretrained`` counts only where its shape fits."""
    layer = nn.Linear(width, joint_width, bias=False)
    nn.init.normal_(layer.weight, std=width**-0.5)
    if pretrained is not None and pretrained.shape == layer.weight.shape:
        with torch.no_grad():
            layer.weight.copy_(pretrained)
    return layer
