"""What Masks & Manuscripts and D-MLM share: both modalities, unmasked and masked, and the blocks that mix them.

Shapes: B batch, G global batch, H = W pixels, N patches, S = 1 + N image tokens (class token first), L word pieces,
C latent width. Masks are True = hidden.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from torch import Tensor, nn

from maskray.batch import Batch
from maskray.config.base import Frozen, ShareBelowAll
from maskray.config.encoders import ImageEncoderConfig, TextEncoderConfig
from maskray.encoders import CrossModalityEncoder
from maskray.losses.contrastive import contrastive_loss, same_text, similarity_logits
from maskray.losses.gather import gather, gather_padded
from maskray.losses.temperature import Temperature
from maskray.masking.apply import replace
from maskray.masking.score import ridge_scores
from maskray.masking.select import otsu
from maskray.masking.text import hide_words
from maskray.methods.base import Method, Vocabulary


class ViewsConfig(Frozen):
    """Knobs that both papers have."""

    min_mask_fraction: ShareBelowAll = Field(0.15, description="lower limit of the adaptive share of patches")
    max_mask_fraction: ShareBelowAll = Field(0.75, description="upper limit of the adaptive share of patches")
    text_mask_fraction: ShareBelowAll = Field(0.3, description="share of hidden word pieces; 0: no text reconstruction")
    answers_first: bool = Field(True, description="answers and verdicts take the budget first; false: at random")
    latent_width: PositiveInt = Field(768, description="common width of both modalities")
    cross_depth: PositiveInt = Field(3, description="cross-modality blocks per modality")
    cross_num_heads: PositiveInt = 12
    tau: PositiveFloat = Field(0.07, description="first value of the learned temperature of ITC")
    same_text: Literal["negative", "left_out"] = Field("negative", description="ITC: another sample with the same text")

    @model_validator(mode="after")
    def _views_fit_together(self) -> ViewsConfig:
        if self.min_mask_fraction > self.max_mask_fraction:
            raise ValueError("min_mask_fraction is above max_mask_fraction")
        if self.latent_width % self.cross_num_heads:
            raise ValueError("latent_width must be a multiple of cross_num_heads")
        return self


@dataclass(frozen=True)
class Views:
    """A batch as both encoders see it, unmasked and masked; a masked view is None where nothing is hidden."""

    image_BSC: Tensor
    text_BLC: Tensor
    masked_image_BSC: Tensor | None
    masked_text_BLC: Tensor | None


class TwoViewMethod(Method):
    """Encodes films and texts unmasked and masked; a masked view looks at the whole of the other modality.

    Attributes:
        mask_token_C: stands in the place of hidden patches; made by the methods that hide some.
    """

    config: ViewsConfig
    mask_token_C: nn.Parameter

    def __init__(
        self, config: ViewsConfig, image: ImageEncoderConfig, text: TextEncoderConfig, vocabulary: Vocabulary
    ) -> None:
        super().__init__(config, image, text, vocabulary)
        self.joint_width = width = config.latent_width
        self.image_to_latent = _adapt(self.image_encoder.width, width)
        self.text_to_latent = _adapt(self.text_encoder.width, width)
        self.g_im = CrossModalityEncoder(width, config.cross_depth, config.cross_num_heads)
        self.g_txt = CrossModalityEncoder(width, config.cross_depth, config.cross_num_heads)
        self.tau = Temperature(config.tau)

    @property
    def temperature(self) -> float:
        """That of the contrast."""
        return float(self.tau().detach())

    def hidden_words(self, batch: Batch) -> Tensor | None:
        """A share of the word pieces, the answers before all others if asked, hidden_BL."""
        # Paper gap: "binary answers in observations and verdicts, useful for masked pre-training" (M&M, Sec. 2.2), by
        # what rule is not printed: they take the budget first. All samples are pairs: M&M's 15 % never apply.
        fraction = self.config.text_mask_fraction
        first_BL = batch.token_is_answer_BL & self.config.answers_first
        words = batch.token_ids_BL, batch.token_is_real_BL, first_BL
        return hide_words(*words, fraction, batch.sample_seeds_B, self.vocabulary.special_ids) if fraction else None

    def hide_ridges(self, batch: Batch) -> Tensor:
        """M&M's mask (Sec. 2.1): the patches that the ridge filter answers to, hidden_BN."""
        # Paper gap: "the model adapts the mask ratio based on the input" (Sec. 3.2), by what rule is not said. Otsu's
        # threshold parts ridges from ground per film without a knob; the limits keep flat and crowded films trainable.
        scores_BN = ridge_scores(batch.ridge_BHW, self.image_encoder.patch_px)
        return otsu(scores_BN, self.config.min_mask_fraction, self.config.max_mask_fraction)

    def masked_film(self, batch: Batch) -> Tensor | None:
        """What the masked pass sees between hidden patches, images_BHW, where that is not the film itself."""
        return None

    def sentences(self, token_ids_BL: Tensor) -> Tensor | None:
        """The sentence of each piece, sentence_BL, where sentences are read alone."""
        return None

    def encode_views(self, batch: Batch, hidden_BN: Tensor | None, hidden_BL: Tensor | None) -> Views:
        """The encoders on (I, T) and on (I_m, T_m), each in one pass."""
        patches = self.image_encoder.embed(batch.images_BHW)
        if hidden_BN is not None:
            other_BHW = self.masked_film(batch)
            seen_BNC = patches if other_BHW is None else self.image_encoder.embed(other_BHW)
            patches = torch.cat([patches, replace(seen_BNC, hidden_BN, self.mask_token_C)])
        images = self.image_to_latent(self.image_encoder.encode(self.image_encoder.place(patches)))
        ids, is_real, sentence_BL = batch.token_ids_BL, batch.token_is_real_BL, self.sentences(batch.token_ids_BL)
        if hidden_BL is not None:
            ids = torch.cat([ids, ids.masked_fill(hidden_BL, self.vocabulary.mask_id)])
            is_real = torch.cat([is_real, is_real])
            sentence_BL = None if sentence_BL is None else torch.cat([sentence_BL, sentence_BL])
        texts = self.text_to_latent(self.text_encoder(ids, is_real, sentence_BL))
        num = len(batch)
        masked_images = None if hidden_BN is None else images[num:]
        masked_texts = None if hidden_BL is None else texts[num:]
        return Views(images[:num], texts[:num], masked_images, masked_texts)

    def fuse_image(self, views: Views, batch: Batch) -> Tensor:
        """The masked film's tokens after looking at the whole text, fused_BSC."""
        assert views.masked_image_BSC is not None
        return self.g_im(views.masked_image_BSC, None, views.text_BLC, batch.token_is_real_BL)

    def fuse_text(self, views: Views, batch: Batch) -> Tensor:
        """The masked text's tokens after looking at the whole film, fused_BLC."""
        assert views.masked_text_BLC is not None
        return self.g_txt(views.masked_text_BLC, batch.token_is_real_BL, views.image_BSC, None)

    def similarities(self, image_BC: Tensor, text_BC: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Cosine over tau of the global batch, logits_GG, and which texts are the same, same_GG."""
        same_GG = same_text(gather_padded(batch.token_ids_BL), gather_padded(batch.token_is_real_BL))
        return similarity_logits(gather(image_BC), gather(text_BC), self.tau()), same_GG

    def contrast(self, logits_GG: Tensor, same_GG: Tensor) -> Tensor:
        """M&M's contrast of matched films and texts with all others."""
        # Paper gap: equal texts are frequent (normal films), and negatives of each other as printed.
        return contrastive_loss(logits_GG, same_GG if self.config.same_text == "left_out" else None)


def _adapt(width: int, latent_width: int) -> nn.Module:
    """A linear layer to the latent width; nothing at the papers' sizes, which are all 768."""
    return nn.Identity() if width == latent_width else nn.Linear(width, latent_width)
