"""D-MLM: distribution-based masked medical vision-language model using structured reports.

Gowda, Zhang, Gu, Weng and Yang, 2025, https://arxiv.org/abs/2507.21794

| section | function |
| --- | --- |
| 2.1 structured reports | ``streams`` (the texts themselves: ``reports.structured``) |
| 2.2 tokens and patches as Gaussians, Eq. (1) | ``encoders.gaussian.GaussianEncoders`` |
| 2.2 masks: Appearance, 30 % of the text | ``attend``, ``hide_patches``, ``views.hidden_words`` |
| 2.3 prediction, Eq. (2) | ``predict_text``, ``predict_image`` |
| 2.3 KL, Eq. (3) | ``forward`` |
| 2.3 alignment, Eq. (4) | ``align`` |
| 2.3 total, Eq. (5) | ``forward`` |

Shapes: B batch, H = W pixels, N patches, S = 1 + N image tokens (class token first), L word pieces, C latent width.
A Gaussian is a pair: mean and logarithm of the variance. Masks are True = hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator
from torch import Tensor, nn

from maskray.batch import Batch
from maskray.config.base import OpenShare
from maskray.config.encoders import ImageEncoderConfig, TextEncoderConfig
from maskray.encoders.gaussian import Gaussian, GaussianEncoders, GaussianHead
from maskray.encoders.teacher import Teacher
from maskray.losses.gaussian import as_key, as_points, as_query, kl_divergence, mean_over_hidden, squared_wasserstein
from maskray.masking.score import phrase_scores, random_scores
from maskray.masking.select import otsu, top_fraction
from maskray.methods.base import Losses, MaskView, Phase, Stream, Text, Vocabulary, freeze
from maskray.methods.views import TwoViewMethod, Views, ViewsConfig


class DmlmConfig(ViewsConfig):
    """Knobs of D-MLM; the default comes first."""

    text: Text = Field("structured", description="what is read; the others: rows of Table 6, or a section less")
    mask: Literal["appearance", "adaptive", "meijering", "random", "none"] = Field(
        "appearance",
        description="image mask: a fixed share, most attended by the Appearance section; as many as Otsu's threshold "
        "of that attention takes, within the limits; M&M's; random share; none (no prediction of patches)",
    )
    mask_fraction: OpenShare = Field(0.3, description="fixed share; adaptive: of films without an Appearance section")
    attention_tau: PositiveFloat | None = Field(
        0.1, description="cosines of words and patches over it guide the mask; null: raw products"
    )
    target: Literal["teacher", "stop_gradient"] = Field(
        "teacher", description="of Eq. (3), on the unmasked input: a moving average; the encoders as they are"
    )
    teacher_momentum: OpenShare = Field(0.996, description="of the moving average")
    reconstruction_weight: OpenShare = Field(0.2, description="lambda of Eq. (5), on Eq. (3); 1 - lambda on Eq. (4)")
    align: bool = Field(True, description="false: without Eq. (4), whose share of the total falls away")
    aligned: Literal["class", "token_argmax"] = Field(
        "class", description="A of Eq. (4): class tokens of the matched pair; each word piece with its nearest patch"
    )
    anchor: Literal["itc", "none"] = Field(
        "itc", description="M&M's contrast on the means of the class tokens; none: literal, may collapse"
    )
    anchor_weight: NonNegativeFloat = Field(1.0, description="of the contrast, beside Eq. (5)")
    zeroshot: Literal["cosine", "w2"] = Field(
        "cosine", description="of the class tokens' means; w2: minus the squared Wasserstein distance"
    )

    @model_validator(mode="after")
    def _has_an_objective(self) -> DmlmConfig:
        if self.mask == "none" and not self.text_mask_fraction and not self.align and self.anchor == "none":
            raise ValueError("mask, text_mask_fraction, align and anchor leave no loss to train with")
        return self


class Dmlm(TwoViewMethod):
    """Predicts the distributions of hidden words and patches, and draws those of matched pairs together (Fig. 1)."""

    Config = DmlmConfig

    def __init__(
        self, config: DmlmConfig, image: ImageEncoderConfig, text: TextEncoderConfig, vocabulary: Vocabulary
    ) -> None:
        super().__init__(config, image, text, vocabulary)
        self.config: DmlmConfig = config
        width = config.latent_width
        self.image_head, self.text_head = GaussianHead(width), GaussianHead(width)
        # Paper gap: what predicts is not described. M&M's cross-modality encoders, since the paper follows M&M, then
        # heads of their own.
        self.predict_head_im, self.predict_head_txt = GaussianHead(width), GaussianHead(width)
        self.mask_token_C = nn.Parameter(torch.randn(self.image_encoder.width) * 0.02)
        if config.target == "teacher":
            self.teacher = Teacher(self.gaussian_encoders(), config.teacher_momentum)
        self.joint_width = 2 * width + 1 if config.zeroshot == "w2" else width
        self._freeze_unused()

    def _freeze_unused(self) -> None:
        """Take out of training what no loss of this configuration reaches."""
        if self.config.mask == "none":
            freeze([self.g_im, self.predict_head_im])
            self.mask_token_C.requires_grad_(False)
        if not self.config.text_mask_fraction:
            freeze([self.g_txt, self.predict_head_txt])
        if not self.config.align:
            # Targets carry no gradient: only Eq. (4) teaches variances, and only it and the anchor teach means.
            freeze([self.image_head.to_log_variance, self.text_head.to_log_variance])
        if self.config.anchor == "none":
            freeze([self.tau] if self.config.align else [self.tau, self.image_head, self.text_head])

    def gaussian_encoders(self) -> GaussianEncoders:
        """Eq. (1) as one module, which the moving average copies; it owns nothing."""
        image = self.image_encoder, self.image_to_latent, self.image_head
        return GaussianEncoders(*image, self.text_encoder, self.text_to_latent, self.text_head)

    def followers(self) -> Sequence[tuple[Teacher, nn.Module]]:
        """The targets' encoders and heads follow the trained ones."""
        return [(self.teacher, self.gaussian_encoders())] if self.config.target == "teacher" else []

    @classmethod
    def streams(cls, config: DmlmConfig) -> tuple[Stream, ...]:
        """Films with structured reports, in which the Appearance sections are marked."""
        has_appearance = config.text in ("structured", "structured_without_definition")
        guides = has_appearance and config.mask in ("appearance", "adaptive")
        needs_ridge = config.mask == "meijering"
        return (Stream("pairs", text=config.text, guides="appearance" if guides else "", needs_ridge=needs_ridge),)

    @property
    def is_guided(self) -> bool:
        """Whether the text's marked pieces choose the patches; those of other texts are no Appearance section."""
        return self.streams(self.config)[0].guides == "appearance"

    @property
    def phases(self) -> tuple[Phase, ...]:
        """All terms from the first step on."""
        config = self.config
        wanted = {
            "dmlm_txt": config.text_mask_fraction > 0,
            "dmlm_im": config.mask != "none",
            "align": config.align,
            "itc": config.anchor == "itc",
        }
        return (Phase(tuple(name for name, is_wanted in wanted.items() if is_wanted)),)

    @torch.no_grad()
    def targets(self, batch: Batch) -> tuple[Gaussian, Gaussian]:
        """The "ground truth distributions" of Eq. (3): Eq. (1) of the unmasked film and text, without gradient."""
        # Paper gap: whose output they are, and whether gradient flows into them, is not said. Gradient would move the
        # targets to what is easily predicted.
        encoders = self.teacher if self.config.target == "teacher" else self.gaussian_encoders()
        return encoders(batch.images_BHW, batch.token_ids_BL, batch.token_is_real_BL)

    def attend(self, targets: tuple[Gaussian, Gaussian], batch: Batch) -> Tensor:
        """Where the Appearance section's words look, scores_BN; zero for a text without one."""
        # Paper gap: how words become regions is not said: MedIM's attention map, on means that nothing is hidden from.
        (image_mean_BSC, _), (text_mean_BLC, _) = targets
        return phrase_scores(image_mean_BSC[:, 1:], text_mean_BLC, batch.token_is_guide_BL, self.config.attention_tau)

    def hide_patches(self, targets: tuple[Gaussian, Gaussian], batch: Batch) -> Tensor | None:
        """Sec. 2.2: the patches that the Appearance section describes are hidden, hidden_BN."""
        config = self.config
        if config.mask == "none":
            return None
        if config.mask == "meijering":
            return self.hide_ridges(batch)
        random_BN = random_scores(batch.sample_seeds_B, self.image_encoder.num_patches).to(batch.images_BHW.device)
        random_mask_BN = top_fraction(random_BN, config.mask_fraction)
        if not self.is_guided:
            return random_mask_BN
        scores_BN = self.attend(targets, batch)
        # Paper gap: "adaptive" in Sec. 3.5, "fixed at 0.3" in Sec. 3.6, which is later and has a number.
        if config.mask == "adaptive":
            chosen_BN = otsu(scores_BN, config.min_mask_fraction, config.max_mask_fraction)
        else:
            chosen_BN = top_fraction(scores_BN, config.mask_fraction)
        # Paper gap: texts without an Appearance section are not spoken of: a random mask.
        return torch.where(batch.token_is_guide_BL.any(dim=1)[:, None], chosen_BN, random_mask_BN)

    def predict_text(self, views: Views, batch: Batch) -> Gaussian:
        """Eq. (2) for word pieces, from the other pieces and the whole film."""
        return self.predict_head_txt(self.fuse_text(views, batch))

    def predict_image(self, views: Views, batch: Batch) -> Gaussian:
        """Eq. (2) for patches, from the other patches and the whole text."""
        mean_BSC, log_variance_BSC = self.predict_head_im(self.fuse_image(views, batch))
        return mean_BSC[:, 1:], log_variance_BSC[:, 1:]

    def align(self, image: Gaussian, text: Gaussian, batch: Batch) -> Tensor:
        """L_align: the mean over A of the distances."""
        # Paper gap: neither A nor the kind of W is given: class tokens of the matched pair, squared W2.
        if self.config.aligned == "class":
            return squared_wasserstein(*self.whole_text(text, batch.token_is_real_BL), *_class(image)).mean()  # Eq. (4)
        patches = tuple(part[:, 1:] for part in image)
        with torch.no_grad():
            nearest_BL = torch.cdist(as_points(*text), as_points(*patches)).argmin(dim=2)
        index_BLC = nearest_BL[:, :, None].expand(-1, -1, self.config.latent_width)
        nearest = (part.gather(1, index_BLC) for part in patches)
        special = torch.tensor(self.vocabulary.special_ids, device=index_BLC.device)
        is_word_BL = batch.token_is_real_BL & ~torch.isin(batch.token_ids_BL, special)
        return mean_over_hidden(squared_wasserstein(*text, *nearest), is_word_BL)

    def whole_text(self, text: Gaussian, token_is_real_BL: Tensor) -> Gaussian:
        """That of the class token; or the mean of all pieces' means and log-variances."""
        mean_BLC, log_variance_BLC = text
        return tuple(self.text_encoder.whole(part, token_is_real_BL) for part in (mean_BLC, log_variance_BLC))  # type: ignore[return-value]

    def forward(self, *batches: Batch) -> Losses:
        """Sec. 2.3."""
        (batch,) = batches
        config, targets = self.config, self.targets(batch)
        hidden_BN, hidden_BL = self.hide_patches(targets, batch), self.hidden_words(batch)
        views = self.encode_views(batch, hidden_BN, hidden_BL)
        image, text = self.image_head(views.image_BSC), self.text_head(views.text_BLC)  # Eq. (1)
        image_mean_BC, text_mean_BC = _class(image)[0], self.whole_text(text, batch.token_is_real_BL)[0]
        measures = {"spread_im": _spread(image_mean_BC), "spread_txt": _spread(text_mean_BC)}
        measures["guided_fraction"] = batch.token_is_guide_BL.any(dim=1).float().mean() * self.is_guided
        terms: dict[str, Tensor] = {}
        # Eq. (3): first the words, then the patches.
        # Paper gap: sums over tokens and dimensions would weigh long texts more: means, so that lambda has one meaning.
        if hidden_BL is not None:
            kl_BL = kl_divergence(*self.predict_text(views, batch), *targets[1])
            terms["dmlm_txt"] = mean_over_hidden(kl_BL, hidden_BL)
        if hidden_BN is not None:
            kl_BN = kl_divergence(*self.predict_image(views, batch), *(part[:, 1:] for part in targets[0]))
            terms["dmlm_im"] = mean_over_hidden(kl_BN, hidden_BN)
            measures["hidden_fraction"] = hidden_BN.float().mean()
        if config.align:
            terms["align"] = self.align(image, text, batch)
        if config.anchor == "itc":
            # Paper gap: Eq. (5) has no negatives, and constant distributions minimise it. The paper builds on M&M,
            # whose contrast, on the means of film and text, keeps samples apart.
            logits_GG, same_GG = self.similarities(image_mean_BC, text_mean_BC, batch)
            terms["itc"] = self.contrast(logits_GG, same_GG)
        share = config.reconstruction_weight
        weights = {"dmlm_txt": share, "dmlm_im": share, "align": 1 - share, "itc": config.anchor_weight}
        return Losses(terms, weights, measures)  # Eq. (5), and the anchor

    def project_image(self, images_BHW: Tensor) -> tuple[Tensor, Tensor]:
        """Means of the class token and of every patch."""
        mean_BSC, _ = self.gaussian_encoders().image(images_BHW)
        return mean_BSC[:, 0], mean_BSC[:, 1:]

    def project_text(self, token_ids_BL: Tensor, token_is_real_BL: Tensor) -> Tensor:
        """The mean of the whole text's Gaussian."""
        return self.whole_text(self.gaussian_encoders().text(token_ids_BL, token_is_real_BL), token_is_real_BL)[0]

    def encode_image(self, images_BHW: Tensor) -> Tensor:
        """For cosine: the class mean, of length 1. For w2: so that the product with a text is minus the distance."""
        if self.config.zeroshot == "cosine":
            return super().encode_image(images_BHW)
        return as_query(*_class(self.gaussian_encoders().image(images_BHW)))

    def encode_text(self, token_ids_BL: Tensor, token_is_real_BL: Tensor) -> Tensor:
        """For cosine: the text's mean, of length 1. For w2: :func:`as_key` of its Gaussian."""
        if self.config.zeroshot == "cosine":
            return super().encode_text(token_ids_BL, token_is_real_BL)
        text = self.gaussian_encoders().text(token_ids_BL, token_is_real_BL)
        return as_key(*self.whole_text(text, token_is_real_BL))

    @torch.no_grad()
    def explain(self, batch: Batch) -> list[MaskView]:
        """The mask, and the attention of the Appearance section where it guides."""
        targets = self.targets(batch)
        hidden_BN = self.hide_patches(targets, batch)
        if hidden_BN is None:
            return []
        name = self.config.mask if self.is_guided or self.config.mask == "meijering" else "random"
        return [MaskView(name, hidden_BN, self.attend(targets, batch) if self.is_guided else None)]


def _class(gaussian: Gaussian) -> Gaussian:
    """That of the class token."""
    mean_BTC, log_variance_BTC = gaussian
    return mean_BTC[:, 0], log_variance_BTC[:, 0]


def _spread(means_BC: Tensor) -> Tensor:
    """How far the batch's means lie apart: their standard deviation, averaged over dimensions; 0 = collapse."""
    return means_BC.detach().float().std(dim=0, correction=0).mean()
