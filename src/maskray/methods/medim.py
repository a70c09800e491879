"""MedIM: boost medical image representation via radiology report-guided masking.

Xie et al., MICCAI 2023, https://doi.org/10.1007/978-3-031-43907-0_2

| section | function |
| --- | --- |
| 2.1 encoders, word representations | ``encode`` |
| 2.2 knowledge words, Eq. (1) and (2) | ``attend`` with ``choose_words`` (matching MeSH: ``reports.mesh``) |
| 2.2 sentence, Eq. (4) and (5) | ``attend`` with ``choose_sentence`` |
| 2.2 mask, Eq. (3) | ``hide_patches``, ``restore`` |
| 2.3 decoder with two heads | ``restore`` |
| 2.4 Eq. (6) and the total | ``forward`` |
| 2.4 alignment of MGCA | ``align`` |

Shapes: B batch, G global batch, H = W pixels, N patches, L word pieces, T words, C width of an encoder, E joint width.
Masks are True = hidden.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn

from maskray.batch import Batch
from maskray.config.base import Frozen, OpenShare
from maskray.config.encoders import ImageEncoderConfig, TextEncoderConfig
from maskray.decoders import ConvolutionDecoder
from maskray.encoders.text import spread_over_words, words_of_pieces
from maskray.losses.alignment import prototype_alignment, token_alignment
from maskray.losses.contrastive import contrastive_loss, similarity_logits
from maskray.losses.gather import gather
from maskray.losses.reconstruction import whole_mse
from maskray.masking.apply import replace
from maskray.masking.randomness import uniform
from maskray.masking.score import phrase_scores, random_scores
from maskray.masking.select import above_the_nth, mostly_high, top_fraction
from maskray.methods.base import Losses, MaskView, Method, Phase, Stream, Vocabulary, freeze

Guide = Literal["words", "sentence"]


class MedimConfig(Frozen):
    """Knobs of MedIM; the default comes first."""

    guides: tuple[Guide, ...] = Field(
        ("words", "sentence"), description="masks that are restored: KWM and SDM; none of them: the alignment alone"
    )
    mask: Literal["high", "literal", "released", "low", "random", "none"] = Field(
        "high",
        description="which patches: the most attended; strictly above the gamma N-th (one fewer); 90 % of the high "
        "half and 10 % of the low one; the least attended; random; none (Fig. 3)",
    )
    mask_fraction: OpenShare = Field(0.5, description="gamma of Eq. (3)")
    attention_tau: PositiveFloat | None = Field(
        0.1, description="Eq. (2), (5): L2-normalised products over it; null: raw products, literal"
    )
    placeholder: Literal["learned", "zero"] = Field("learned", description="[MASK] of Eq. (3)")
    restore_weight: NonNegativeFloat = Field(10.0, description="alpha, on the sum of both terms of Eq. (6)")
    joint_width: PositiveInt = Field(128, description="of the projections that attention and alignment compare")
    decoder_channels: tuple[PositiveInt, ...] = Field(
        (512, 256, 128, 64), description="of each conv-bn-relu-upsample block; one for each halving of the patch size"
    )
    instance_weight: NonNegativeFloat = Field(1.0, description="MGCA: film against report")
    token_weight: NonNegativeFloat = Field(1.0, description="MGCA: words against patches")
    prototype_weight: NonNegativeFloat = Field(1.0, description="MGCA: clusters")
    instance_tau: PositiveFloat = Field(0.07, description="temperature of film against report")
    token_tau: PositiveFloat = Field(0.1, description="temperature of words against patches")
    prototype_tau: PositiveFloat = Field(0.2, description="temperature of film or report against prototypes")
    num_prototypes: PositiveInt = Field(500, description="K")
    sinkhorn_epsilon: PositiveFloat = Field(0.05, description="the smaller, the harder the assignment")
    sinkhorn_iterations: PositiveInt = Field(3, description="normalisations of columns and rows in turn")


@dataclass(frozen=True)
class Encoded:
    """Both modalities of a batch: encoder outputs and, in the joint space, film, patches, report and words."""

    patches_BNC: Tensor
    image_BE: Tensor
    patches_BNE: Tensor
    text_BE: Tensor
    words_BTE: Tensor
    word_is_real_BT: Tensor


class Medim(Method):
    """Hides, on the encoder's output, what the report's words point at, and restores the film (Fig. 1)."""

    Config = MedimConfig

    def __init__(
        self, config: MedimConfig, image: ImageEncoderConfig, text: TextEncoderConfig, vocabulary: Vocabulary
    ) -> None:
        super().__init__(config, image, text, vocabulary)
        self.config: MedimConfig = config
        self.joint_width = config.joint_width
        # Paper gap: C differs between text and image encoders in general, and the products of Eq. (2) need one width:
        # MGCA's projections, one for what stands for the whole and one for its parts.
        self.project_image_whole, self.project_patches = _projections(self.image_encoder.width, config.joint_width)
        self.project_text_whole, self.project_words = _projections(self.text_encoder.width, config.joint_width)
        self.prototypes_KE = nn.Parameter(torch.randn(config.num_prototypes, config.joint_width))
        if not config.prototype_weight:
            self.prototypes_KE.requires_grad_(False)
        if not config.token_weight:
            # They then guide the masks as they were drawn; no loss reaches them.
            freeze([self.project_patches, self.project_words])
        if config.guides:
            self.mask_token_C = nn.Parameter(torch.zeros(self.image_encoder.width))
            self.mask_token_C.requires_grad_(config.placeholder == "learned" and config.mask != "none")
            self.decoder = ConvolutionDecoder(
                self.image_encoder.width, self.image_encoder.grid, image.patch_px, config.decoder_channels,
                num_heads=len(config.guides),
            )  # fmt: skip

    @classmethod
    def streams(cls, config: MedimConfig) -> tuple[Stream, ...]:
        """Films with findings and impression, in which MeSH words are marked."""
        return (Stream("pairs", text="report", guides="mesh"),)

    @property
    def phases(self) -> tuple[Phase, ...]:
        """All terms from the first step on."""
        return (Phase((*(f"restore_{guide}" for guide in self.config.guides), "align")),)

    def encode(self, batch: Batch) -> Encoded:
        """Sec. 2.1. Paper gap: how pieces become words is not said: their mean, last layer."""
        class_BC, patches_BNC = self.image_encoder(batch.images_BHW)
        tokens_BLC = self.text_encoder(batch.token_ids_BL, batch.token_is_real_BL)
        words_BTC = words_of_pieces(tokens_BLC, batch.token_word_BL)
        num_pieces_BT = spread_over_words(batch.token_is_real_BL.long(), batch.token_word_BL, words_BTC.shape[1])
        return Encoded(
            patches_BNC,
            self.project_image_whole(class_BC),
            self.project_patches(patches_BNC),
            self.project_text_whole(self.text_encoder.whole(tokens_BLC, batch.token_is_real_BL)),
            self.project_words(words_BTC),
            num_pieces_BT > 0,
        )

    def choose_words(self, batch: Batch, num_words: int) -> Tensor:
        """Eq. (1): the MeSH words of each report, chosen_BT."""
        return spread_over_words(batch.token_is_guide_BL.long(), batch.token_word_BL, num_words) > 0

    def choose_sentence(self, batch: Batch, num_words: int) -> Tensor:
        """Eq. (4): the words of one sentence drawn at random, chosen_BT."""
        # Paper gap: whether all sentences count is not said. Those of more than three words do; the data number them.
        num_sentences_B = batch.token_sentence_BL.max(dim=1).values
        draws_B = uniform(batch.sample_seeds_B, 1, "sentence")[:, 0].to(num_sentences_B.device)
        drawn_B = (draws_B * num_sentences_B).long() + 1
        inside_BL = (batch.token_sentence_BL == drawn_B[:, None]) & (batch.token_sentence_BL > 0)
        return spread_over_words(inside_BL.long(), batch.token_word_BL, num_words) > 0

    def attend(self, encoded: Encoded, batch: Batch, guide: Guide) -> tuple[Tensor, Tensor]:
        """C_MeSH or C_s of Eq. (2) and (5), scores_BN, and is_guided_B: False where the report has no such word."""
        choose = {"words": self.choose_words, "sentence": self.choose_sentence}[guide]
        chosen_BT = choose(batch, encoded.words_BTE.shape[1])
        scores_BN = phrase_scores(encoded.patches_BNE, encoded.words_BTE, chosen_BT, self.config.attention_tau)
        return scores_BN, chosen_BT.any(dim=1)

    def hide_patches(self, encoded: Encoded, batch: Batch, guide: Guide) -> Tensor:
        """m of Eq. (3), turned round: hidden_BN, True where the placeholder goes."""
        config, num_patches = self.config, self.image_encoder.num_patches
        scores_BN, is_guided_B = self.attend(encoded, batch, guide)
        random_BN = random_scores(batch.sample_seeds_B, num_patches, guide).to(scores_BN.device)
        # Paper gap: reports without a MeSH word are not spoken of: a random mask of the same size.
        scores_BN = torch.where(is_guided_B[:, None], scores_BN, random_BN)
        if config.mask == "none":
            return torch.zeros_like(scores_BN, dtype=torch.bool)
        if config.mask == "literal":
            return above_the_nth(scores_BN, config.mask_fraction)
        if config.mask == "released":
            return mostly_high(scores_BN, random_BN, config.mask_fraction, share_of_high=0.9)
        chosen = {"high": scores_BN, "low": -scores_BN, "random": random_BN}[config.mask]
        return top_fraction(chosen, config.mask_fraction)

    def restore(self, encoded: Encoded, hidden: list[Tensor]) -> list[Tensor]:
        """Eq. (3) and Sec. 2.3: masked representations through the decoder, a head for each mask, images_BHW."""
        masked = [replace(encoded.patches_BNC, hidden_BN, self.mask_token_C) for hidden_BN in hidden]
        # In one pass: batch norm then sees both masks, and the decoder is called once.
        features = self.decoder.features(torch.cat(masked)).chunk(len(masked))
        return [head(each)[:, 0] for head, each in zip(self.decoder.heads, features, strict=True)]

    def align(self, encoded: Encoded) -> Tensor:
        """L_align of Sec. 2.4: MGCA's three alignments."""
        config = self.config
        images_GE, texts_GE = gather(encoded.image_BE), gather(encoded.text_BE)
        logits_GG = similarity_logits(images_GE, texts_GE, images_GE.new_tensor(config.instance_tau))
        terms = [config.instance_weight * contrastive_loss(logits_GG) / 2]
        if config.token_weight:
            patches, words = encoded.patches_BNE, encoded.words_BTE
            patch_is_real_BN = torch.ones(patches.shape[:2], dtype=torch.bool, device=patches.device)
            word_is_real_BT = encoded.word_is_real_BT
            to_patches = token_alignment(words, patches, word_is_real_BT, patch_is_real_BN, config.token_tau)
            to_words = token_alignment(patches, words, patch_is_real_BN, word_is_real_BT, config.token_tau)
            terms.append(config.token_weight * (to_patches + to_words) / 2)
        if config.prototype_weight:
            sinkhorn = config.sinkhorn_epsilon, config.sinkhorn_iterations
            clusters = prototype_alignment(images_GE, texts_GE, self.prototypes_KE, config.prototype_tau, *sinkhorn)
            terms.append(config.prototype_weight * clusters)
        return torch.stack(terms).sum()

    def normalise(self, images_BHW: Tensor) -> Tensor:
        """The film as the image encoder sees it: what Eq. (6) compares with."""
        return (images_BHW - self.image_encoder.mean_3[0]) / self.image_encoder.deviation_3[0]

    def forward(self, *batches: Batch) -> Losses:
        """Sec. 2.4."""
        (batch,) = batches
        config = self.config
        encoded = self.encode(batch)
        terms: dict[str, Tensor] = {}
        if config.guides:
            hidden = [self.hide_patches(encoded, batch, guide) for guide in config.guides]
            target_BHW = self.normalise(batch.images_BHW)
            for guide, restored_BHW in zip(config.guides, self.restore(encoded, hidden), strict=True):
                terms[f"restore_{guide}"] = whole_mse(restored_BHW, target_BHW)  # Eq. (6), a term each
        terms["align"] = self.align(encoded)
        return Losses(terms, {name: config.restore_weight for name in terms if name != "align"})

    @property
    def film_decoder(self) -> ConvolutionDecoder | None:
        """Sec. 2.5: "the encoder and decoder are first initialized" with it for segmentation."""
        return self.decoder if self.config.guides else None

    @property
    def temperature(self) -> float:
        """That of the instance-wise contrast."""
        return self.config.instance_tau

    def project_image(self, images_BHW: Tensor) -> tuple[Tensor, Tensor]:
        """The joint features of the class token and of every patch."""
        class_BC, patches_BNC = self.image_encoder(images_BHW)
        return self.project_image_whole(class_BC), self.project_patches(patches_BNC)

    def project_text(self, token_ids_BL: Tensor, token_is_real_BL: Tensor) -> Tensor:
        """The joint feature of the whole text."""
        tokens_BLC = self.text_encoder(token_ids_BL, token_is_real_BL)
        return self.project_text_whole(self.text_encoder.whole(tokens_BLC, token_is_real_BL))

    @torch.no_grad()
    def explain(self, batch: Batch) -> list[MaskView]:
        """Attention, mask and restored film of each strategy (Fig. 2)."""
        guides = self.config.guides
        if not guides:
            return []
        encoded = self.encode(batch)
        hidden = [self.hide_patches(encoded, batch, guide) for guide in guides]
        views = []
        for guide, hidden_BN, restored_BHW in zip(guides, hidden, self.restore(encoded, hidden), strict=True):
            film_BHW = restored_BHW * self.image_encoder.deviation_3[0] + self.image_encoder.mean_3[0]
            name = {"words": "MeSH words", "sentence": "one sentence"}[guide]
            views.append(MaskView(name, hidden_BN, self.attend(encoded, batch, guide)[0], film_BHW.clamp(0, 1)))
        return views


def _projections(width: int, joint_width: int) -> tuple[nn.Module, nn.Module]:
    """Two layers for what stands for the whole, two more for its parts."""

    def layers() -> nn.Sequential:
        return nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, joint_width))

    return layers(), layers()
