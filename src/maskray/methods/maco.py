"""MaCo: a granular alignment algorithm using masked contrastive learning.

Huang et al., Enhancing Representation in Radiography-Reports Foundation Model, https://arxiv.org/abs/2309.05904

| section | function |
| --- | --- |
| 3.3 radiography mask-auto-encoding, Eq. (1) | ``hide_patches``, ``reconstruct`` |
| 3.3 report embedding | ``project_text`` (choice and order of sentences: the data stream "sentences") |
| 3.3 granular alignment, importance score p | ``score_visible`` |
| 3.3 Eq. (2) | ``weigh`` |
| 3.3 Eq. (3) | ``align`` |
| 3.3 Eq. (4) | ``forward`` |
| 2.3, 2.5 weight map and grounding | ``position_weights``, ``weigh_positions`` |

Shapes: B batch, G global batch, H = W pixels, N patches, V visible patches, P values per patch, h, w patches down and
across, L word pieces, C width of the text encoder. Masks are True = hidden.
"""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator
from torch import Tensor, nn

from maskray.batch import Batch
from maskray.config.base import Frozen, OpenShare
from maskray.config.encoders import ImageEncoderConfig, TextEncoderConfig
from maskray.decoders import PatchDecoder
from maskray.decoders.pixels import fill_hidden, patchify
from maskray.losses.contrastive import similarity_logits
from maskray.losses.gather import gather
from maskray.losses.reconstruction import hidden_mse, normalise_patches, undo_normalise
from maskray.losses.temperature import Temperature
from maskray.losses.weighted import correlation_weights, weighted_contrastive_loss
from maskray.masking.apply import drop, restore, visible_index
from maskray.masking.score import random_scores
from maskray.masking.select import top_fraction
from maskray.methods.base import Losses, MaskView, Method, Phase, Stream, Vocabulary, freeze


class MacoConfig(Frozen):
    """Knobs of MaCo; the default comes first."""

    objective: Literal["weighted", "mae_clip", "mae"] = Field(
        "weighted",
        description="rows of Table 5: the whole method; MAE and plain contrast; MAE on images alone",
    )
    mask_fraction: OpenShare = Field(0.5, description="share of hidden patches")
    weighting: Literal["groups", "released"] = Field(
        "groups",
        description="groups: Eq. (2); released: softplus of p multiplies the logits, no groups, no w_l",
    )
    mirrored: bool = Field(True, description="average Eq. (3) with text-to-image; false: literal, image-to-text")
    group_size: PositiveInt = Field(16, description="D; must divide the global batch")
    tau_1: PositiveFloat = Field(1.0, description="of w_t")
    tau_2: PositiveFloat = Field(16.0, description="of w_l")
    tau_3: PositiveFloat = Field(0.03, description="first value of the learned temperature of the contrast")
    reconstruction_weight: OpenShare = Field(0.9, description="lambda of Eq. (4)")
    decoder_width: PositiveInt = Field(512, description="image decoder")
    decoder_depth: NonNegativeInt = Field(8, description="blocks of the image decoder; 0: one linear layer")
    decoder_num_heads: PositiveInt = 16
    grounding_tau: PositiveFloat = Field(0.1, description="softens the position weights in grounding; not in training")

    @model_validator(mode="after")
    def _fits_together(self) -> MacoConfig:
        if self.decoder_width % self.decoder_num_heads or self.decoder_width % 4:
            raise ValueError("decoder_width must be a multiple of decoder_num_heads and of 4")
        return self


class Maco(Method):
    """A masked autoencoder whose visible patches are also aligned with the report (Fig. 1, Fig. 6)."""

    Config = MacoConfig
    # As the alignment pools; no loss ever stands on the class token.
    image_feature = "mean of patches"

    def __init__(
        self, config: MacoConfig, image: ImageEncoderConfig, text: TextEncoderConfig, vocabulary: Vocabulary
    ) -> None:
        super().__init__(config, image, text, vocabulary)
        self.config: MacoConfig = config
        self.joint_width = self.text_encoder.width
        # Paper gap: mask ratio and decoder are not printed; half of the patches, MAE's decoder.
        sizes = config.decoder_width, config.decoder_depth, config.decoder_num_heads
        self.decoder = PatchDecoder(self.image_encoder.width, self.image_encoder.grid, image.patch_px**2, *sizes)
        self.mask_token_D = nn.Parameter(torch.randn(config.decoder_width) * 0.02)
        self.image_to_joint = nn.Linear(self.image_encoder.width, self.joint_width)
        self.tau_3 = Temperature(config.tau_3)
        # Started at zero, so that training begins with plain contrast. A bias would cancel in the softmax of Eq. (2).
        self.scorer = nn.Linear(self.image_encoder.num_patches, 1, bias=False)
        nn.init.zeros_(self.scorer.weight)
        unused: dict[str, list[nn.Module]] = {
            "weighted": [],
            "mae_clip": [self.scorer],
            "mae": [self.scorer, self.text_encoder, self.image_to_joint, self.tau_3],
        }
        freeze(unused[config.objective])

    @classmethod
    def streams(cls, config: MacoConfig) -> tuple[Stream, ...]:
        """Films with sentences of their reports."""
        return (Stream("pairs", text="sentences", needs_ridge=False),)

    @property
    def phases(self) -> tuple[Phase, ...]:
        """All terms from the first step on."""
        return (Phase(("mae",) if self.config.objective == "mae" else ("mae", "align")),)

    def hide_patches(self, batch: Batch) -> Tensor:
        """Sec. 3.3: "a subset of patches is randomly sampled", the rest is hidden, hidden_BN."""
        scores_BN = random_scores(batch.sample_seeds_B, self.image_encoder.num_patches)
        return top_fraction(scores_BN, self.config.mask_fraction).to(batch.images_BHW.device)

    def encode_visible(self, images_BHW: Tensor, visible_BV: Tensor) -> Tensor:
        """The encoder sees the visible patches alone, tokens of the patches visible_BVC."""
        placed_BNC = self.image_encoder.place(self.image_encoder.embed(images_BHW))
        return self.image_encoder.encode(drop(placed_BNC, visible_BV))[:, 1:]

    def reconstruct(self, tokens_BVC: Tensor, visible_BV: Tensor) -> Tensor:
        """v_recon of Eq. (1): all patches from the visible ones, patches_BNP."""
        embedded_BVD = self.decoder.embed(tokens_BVC)
        return self.decoder(restore(embedded_BVD, visible_BV, self.image_encoder.num_patches, self.mask_token_D))

    def score_visible(self, hidden_BN: Tensor) -> Tensor:
        """Importance scores p_B: one linear layer on the binary image, 1 = visible (Fig. 6 (b))."""
        return self.scorer((~hidden_BN).to(self.scorer.weight.dtype))[:, 0]

    def weigh(self, hidden_BN: Tensor) -> tuple[Tensor, Tensor]:
        """Temperature and loss weights of the global batch: w_t_G and w_l_G."""
        config = self.config
        scores_G = gather(self.score_visible(hidden_BN).float())
        if config.objective == "mae_clip":
            return torch.ones_like(scores_G), torch.ones_like(scores_G) / config.group_size
        if config.weighting == "released":
            w_t_G = 1 / nn.functional.softplus(scores_G)
            return w_t_G, torch.ones_like(scores_G) / config.group_size
        # Paper gap: which samples form a "mini-batch" D is not said: consecutive ones of the global batch, so that the
        # weights do not depend on the number of devices.
        return correlation_weights(scores_G, config.tau_1, config.tau_2, config.group_size)  # Eq. (2)

    def align(self, tokens_BVC: Tensor, texts_BC: Tensor, hidden_BN: Tensor) -> Tensor:
        """L_align of the global batch."""
        images_GC, texts_GC = gather(self.image_to_joint(tokens_BVC.mean(dim=1))), gather(texts_BC)
        w_t_G, w_l_G = self.weigh(hidden_BN)
        logits_GG = similarity_logits(images_GC, texts_GC, w_t_G[:, None] * self.tau_3())
        # Paper gap: Eq. (3) prints one direction and no reduction. Both directions, from the same logits; sum within
        # each group, where w_l sums to 1, and mean over groups, so that equal scores give plain InfoNCE.
        return weighted_contrastive_loss(logits_GG, w_l_G, self.config.group_size, self.config.mirrored)  # Eq. (3)

    def forward(self, *batches: Batch) -> Losses:
        """Sec. 3.3."""
        (batch,) = batches
        hidden_BN = self.hide_patches(batch)
        visible_BV = visible_index(hidden_BN)
        tokens_BVC = self.encode_visible(batch.images_BHW, visible_BV)
        # Paper gap: the targets g_recon are "embeddings for the ground truth patches": MAE's patch-normalised pixels.
        target_BNP = normalise_patches(patchify(batch.images_BHW, self.image_encoder.patch_px))
        mae = hidden_mse(self.reconstruct(tokens_BVC, visible_BV), target_BNP, hidden_BN)  # Eq. (1)
        if self.config.objective == "mae":
            return Losses({"mae": mae})
        texts_BC = self.project_text(batch.token_ids_BL, batch.token_is_real_BL)
        align = self.align(tokens_BVC, texts_BC, hidden_BN)
        weight = self.config.reconstruction_weight
        weights = {"mae": weight, "align": 1 - weight}  # Eq. (4)
        return Losses({"mae": mae, "align": align}, weights, {"tau_3": self.tau_3().detach()})

    @property
    def temperature(self) -> float:
        """tau_3 of Eq. (3); at test all patches are visible, and no w_t remains."""
        return float(self.tau_3().detach())

    def project_image(self, images_BHW: Tensor) -> tuple[Tensor, Tensor]:
        """Mean of all patches (all are visible at test), and every patch."""
        _, patches_BNC = self.image_encoder(images_BHW)
        return self.image_to_joint(patches_BNC.mean(dim=1)), self.image_to_joint(patches_BNC)

    def project_text(self, token_ids_BL: Tensor, token_is_real_BL: Tensor) -> Tensor:
        """Sec. 3.3, report embedding: the sentences of a report through BERT, texts_BC."""
        # Paper gap: "sentence representations" of BERT, not said which: the class token by default.
        return self.text_encoder.whole(self.text_encoder(token_ids_BL, token_is_real_BL), token_is_real_BL)

    def position_weights(self) -> Tensor:
        """The scorer's weights on the grid of patches, weights_hw: the map of Fig. 4."""
        return self.scorer.weight.detach()[0].unflatten(0, self.image_encoder.grid)

    @property
    def weighs_positions(self) -> bool:
        """Plain contrast learns no weights: they stay equal."""
        return self.config.objective == "weighted"

    def maps(self) -> dict[str, Tensor]:
        """The map of Fig. 4."""
        return {"position_weights": self.position_weights()} if self.weighs_positions else {}

    def weigh_positions(self, maps_Bhw: Tensor, tau: float | None = None) -> Tensor:
        """Sec. 2.3 and 2.5: maps times softmax(position weights / tau); ``tau`` for Fig. 5's sweep."""
        weights_hw = self.position_weights()
        shares_N = (weights_hw.flatten() / (tau or self.config.grounding_tau)).softmax(dim=0)
        return maps_Bhw * shares_N.view_as(weights_hw)

    @torch.no_grad()
    def explain(self, batch: Batch) -> list[MaskView]:
        """The film with its hidden patches reconstructed, their contrast and brightness borrowed from the film."""
        hidden_BN = self.hide_patches(batch)
        visible_BV = visible_index(hidden_BN)
        predicted_BNP = self.reconstruct(self.encode_visible(batch.images_BHW, visible_BV), visible_BV)
        film_like_BNP = undo_normalise(predicted_BNP, patchify(batch.images_BHW, self.image_encoder.patch_px))
        restored_BHW = fill_hidden(batch.images_BHW, film_like_BNP, hidden_BN, self.image_encoder.grid)
        return [MaskView("random", hidden_BN, reconstruction_BHW=restored_BHW)]
