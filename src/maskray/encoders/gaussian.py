"""Tokens as Gaussians (D-MLM, Eq. (1)).

Shapes: ... any number of leading axes, B batch, H = W pixels, L word pieces, C width.
"""

from __future__ import annotations

from torch import Tensor, nn

from maskray.encoders.text import TextEncoder
from maskray.encoders.vision import ImageEncoder

Gaussian = tuple[Tensor, Tensor]
"""Mean and logarithm of the variance."""

# Beyond these a variance is 0 or boundless for all purposes, and its gradients blow up.
_LOWEST_LOG_VARIANCE, _HIGHEST_LOG_VARIANCE = -8.0, 4.0


class GaussianHead(nn.Module):
    """Two linear layers: a token's mean and the logarithm of its variance, each of width C."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.to_mean = nn.Linear(width, width)
        self.to_log_variance = nn.Linear(width, width)

    def forward(self, tokens_C: Tensor) -> Gaussian:
        """mean_C and log_variance_C, the latter within -8..4."""
        log_variance_C = self.to_log_variance(tokens_C).clamp(_LOWEST_LOG_VARIANCE, _HIGHEST_LOG_VARIANCE)
        return self.to_mean(tokens_C), log_variance_C


class GaussianEncoders(nn.Module):
    """Both encoders, their way to a common width, and their heads: whole films and texts as Gaussians, Eq. (1)."""

    def __init__(
        self,
        image_encoder: ImageEncoder,
        image_to_latent: nn.Module,
        image_head: GaussianHead,
        text_encoder: TextEncoder,
        text_to_latent: nn.Module,
        text_head: GaussianHead,
    ) -> None:
        super().__init__()
        self.image_encoder, self.image_to_latent, self.image_head = image_encoder, image_to_latent, image_head
        self.text_encoder, self.text_to_latent, self.text_head = text_encoder, text_to_latent, text_head

    def forward(self, images_BHW: Tensor, token_ids_BL: Tensor, token_is_real_BL: Tensor) -> tuple[Gaussian, Gaussian]:
        """Films and texts."""
        return self.image(images_BHW), self.text(token_ids_BL, token_is_real_BL)

    def image(self, images_BHW: Tensor) -> Gaussian:
        """The class token, then the patches."""
        encoder = self.image_encoder
        return self.image_head(self.image_to_latent(encoder.encode(encoder.place(encoder.embed(images_BHW)))))

    def text(self, token_ids_BL: Tensor, token_is_real_BL: Tensor) -> Gaussian:
        """All word pieces; those of padding mean nothing."""
        return self.text_head(self.text_to_latent(self.text_encoder(token_ids_BL, token_is_real_BL)))
