"""MMCLIP: cross-modal attention masked modelling for medical language-image pre-training.

Wu, Xie, Zhang et al., https://arxiv.org/abs/2407.19546

| section | function |
| --- | --- |
| 3.1 encoders, Eq. (1) to (3) | ``embed_films``, ``embed_texts``, ``embed_prompts`` |
| 3.2.1 attentions, Eq. (4) to (6) | ``attend`` |
| 3.2.2 masks and blending, Eq. (7) and (8) | ``hide_patches`` |
| 3.2.2 Eq. (9) and 3.4.2, Eq. (12) | ``restore``, ``model_film`` |
| 3.3 entity-driven mask, Eq. (10) and (11), and 3.4.3, Eq. (13) | ``hide_words``, ``model_text`` |
| 3.4.1 alignment | ``align`` |
| 3.4.4 Eq. (14) to (16) | ``forward`` |
| 4.2 warm-up of the masked objectives | ``phases`` |

Shapes: B batch, G global batch, H = W pixels, N patches, P values per patch, S = 1 + N image tokens (class token
first), L word pieces, M pieces of all prompts, E joint width (C in the paper), X = 1, or E where single elements of
E_img are hidden. Masks are True = hidden.
"""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from torch import Tensor, nn

from maskray.batch import Batch
from maskray.config.base import Fraction, Frozen
from maskray.config.encoders import ImageEncoderConfig, TextEncoderConfig
from maskray.decoders import CaptionDecoder, PatchDecoder
from maskray.decoders.pixels import fill_hidden, patchify
from maskray.encoders import Prompts, image_projection, text_projection
from maskray.losses.contrastive import contrastive_loss, similarity_logits
from maskray.losses.gather import gather
from maskray.losses.language import hidden_words_loss
from maskray.losses.reconstruction import hidden_mse, normalise_patches, undo_normalise
from maskray.losses.temperature import Temperature
from maskray.masking.blend import hide_top, subset, union
from maskray.masking.score import attended, random_scores
from maskray.masking.select import top_fraction
from maskray.masking.text import causal_sight, hide_share, word_pieces
from maskray.methods.base import Losses, MaskView, Method, Phase, Stream, Vocabulary

Guide = Literal["report", "prompt", "self"]
CHEXPERT = (
    "no finding", "enlarged cardiomediastinum", "cardiomegaly", "lung opacity", "lung lesion", "edema",
    "consolidation", "pneumonia", "atelectasis", "pneumothorax", "pleural effusion", "pleural other", "fracture",
    "support devices",
)  # fmt: skip


class MmclipConfig(Frozen):
    """Knobs of MMCLIP; the default comes first."""

    mask: Literal["attention", "random", "none"] = Field("attention", description="image mask; none: no MIM (Table 3)")
    guides: tuple[Guide, ...] = Field(("report", "prompt", "self"), description="blended attentions; one: Table 3")
    guide_fraction: Fraction = Field(0.7, description="lambda_1: share that each attention hides")
    mask_fraction: Fraction = Field(0.75, description="lambda_2: share that is hidden in the end; also of random")
    mask_fraction_of: Literal["patches", "union"] = Field("patches", description="of what; union: literal, Eq. (8)")
    mask_unit: Literal["patch", "element"] = Field("patch", description="rows of A by length; or literal: its elements")
    placeholder: Literal["learned", "zero"] = Field("learned", description="of a hidden patch; zero: literal, Eq. (9)")
    target: Literal["normalised", "pixels"] = Field("normalised", description="in each patch, as MAE; pixels: Eq. (12)")
    text_mask: Literal["entities", "random", "full", "none"] = Field(
        "entities", description="EntMLM; share of all pieces; the causal mask alone; no MLM (rows of Table 4)"
    )
    text_mask_fraction: Fraction = Field(0.2, description="lambda_3: share of the entities (or of all pieces)")
    text_hiding: Literal["both", "decoder"] = Field("both", description="encoder and decoder; decoder alone: literal")
    text_loss: Literal["hidden", "all"] = Field("hidden", description="which pieces Eq. (13) counts; full: always all")
    prompt: str = Field("There is {x}.", description="form of the prompts")
    prompt_findings: tuple[str, ...] = Field(CHEXPERT, min_length=1, description="what the prompts ask for")
    warm_up: Literal["masked", "films"] = Field("masked", description="first phase: all but align; films: MIM alone")
    unpaired: bool = Field(True, description="a batch of films alone beside each batch of pairs")
    joint_width: PositiveInt = Field(512, description="C of Eq. (1) to (3)")
    tau: PositiveFloat = Field(0.07, description="first value of the learned temperature sigma")
    decoder_width: PositiveInt = Field(512, description="image decoder")
    decoder_depth: PositiveInt = Field(8, description="blocks of the image decoder")
    decoder_num_heads: PositiveInt = 16
    text_decoder_depth: PositiveInt = Field(3, description="blocks of the text decoder, whose width is joint_width")
    text_decoder_num_heads: PositiveInt = 8

    @model_validator(mode="after")
    def _fits_together(self) -> MmclipConfig:
        if self.decoder_width % self.decoder_num_heads or self.decoder_width % 4:
            raise ValueError("decoder_width must be a multiple of decoder_num_heads and of 4")
        if self.joint_width % self.text_decoder_num_heads:
            raise ValueError("joint_width must be a multiple of text_decoder_num_heads")
        if "{x}" not in self.prompt:
            raise ValueError("prompt lacks {x}, the place of the finding")
        return self


class Mmclip(Method):
    """CLIP that also restores film patches and report entities, which attention and a tagger choose (Fig. 2)."""

    Config = MmclipConfig
    text_kind = "clip"

    def __init__(
        self, config: MmclipConfig, image: ImageEncoderConfig, text: TextEncoderConfig, vocabulary: Vocabulary
    ) -> None:
        super().__init__(config, image, text, vocabulary)
        self.config: MmclipConfig = config
        self.joint_width = width = config.joint_width
        self.project_films = image_projection(image, self.image_encoder.width, width)
        self.project_words = text_projection(text, self.text_encoder.width, width)
        # Paper gap: sigma has no number: learned from 0.07, as CLIP.
        self.sigma = Temperature(config.tau)
        self.asked = Prompts(vocabulary.prompts)
        if config.mask != "none":
            # Paper gap: the decoder starts from MAE's weights (Sec. 5.3.1); ours is random: MAE's reads other features
            # than CLIP's projected ones and writes three colours.
            sizes = config.decoder_width, config.decoder_depth, config.decoder_num_heads
            self.image_decoder = PatchDecoder(width, self.image_encoder.grid, image.patch_px**2, *sizes)
            self.mask_token_E = nn.Parameter(torch.zeros(width), requires_grad=config.placeholder == "learned")
        if config.text_mask != "none":
            sizes = width, config.text_decoder_depth, config.text_decoder_num_heads
            self.text_decoder = CaptionDecoder(*sizes, text.max_tokens, self.text_encoder.width, vocabulary.size)

    @classmethod
    def streams(cls, config: MmclipConfig) -> tuple[Stream, ...]:
        """Films with their reports, in which entities are marked; films alone."""
        pairs = Stream("pairs", text="report", guides="entities")
        # Without an image mask there is nothing that a film alone could teach.
        has_films = config.unpaired and config.mask != "none"
        return (pairs, Stream("images", text=None)) if has_films else (pairs,)

    @classmethod
    def prompts(cls, config: MmclipConfig) -> list[str]:
        """Fig. 2: "14 common diseases and medical devices"."""
        # Paper gap: their names and form are not printed: CheXpert's 14, each in a sentence of its own.
        return [config.prompt.replace("{x}", finding) for finding in config.prompt_findings]

    @property
    def phases(self) -> tuple[Phase, ...]:
        """Sec. 4.2: the masked objectives alone, then all."""
        config = self.config
        films = ("mim",) if config.mask != "none" else ()
        texts = ("mlm",) if config.text_mask != "none" else ()
        alone = ("mim_images",) if len(self.streams(config)) > 1 else ()
        # Paper gap: Sec. 4.2 warms up "the masked modeling objectives", Sec. 5.3.1 "the image encoder via MIM".
        first = (*films, *alone) if config.warm_up == "films" else (*films, *texts, *alone)
        whole = Phase(("align", *films, *texts, *alone))
        return (Phase(first), whole) if first else (whole,)

    def embed_films(self, images_BHW: Tensor) -> Tensor:
        """E_img, tokens_BSE; the first is the class token's, which stands for the film."""
        class_BC, patches_BNC = self.image_encoder(images_BHW)
        return self.project_films(torch.cat([class_BC[:, None], patches_BNC], dim=1))  # Eq. (1)

    def embed_texts(self, token_ids_BL: Tensor, token_is_real_BL: Tensor, sees_BLL: Tensor | None = None) -> Tensor:
        """E_report, tokens_BLE."""
        return self.project_words(self.text_encoder(token_ids_BL, token_is_real_BL, sees_BLL=sees_BLL))  # Eq. (2)

    def embed_prompts(self) -> Tensor:
        """E_prompt, the pieces of all prompts, prompts_1ME; the same for all films of a step."""
        return self.asked(self.embed_texts)  # Eq. (3)

    def attend(
        self, patches_BNE: Tensor, prompts_1ME: Tensor, report: tuple[Tensor, Tensor] | None
    ) -> dict[Guide, Tensor]:
        """The attentions A_BNE that guide; without a report (tokens_BLE, is_real_BL) those that need none."""
        asked: dict[Guide, tuple[Tensor, ...] | None] = {
            "report": report,  # Eq. (4)
            "prompt": (prompts_1ME,),  # Eq. (5)
            "self": (patches_BNE,),  # Eq. (6)
        }
        guides = self.config.guides if self.config.mask == "attention" else ()
        return {guide: attended(patches_BNE, *keys) for guide in guides if (keys := asked[guide])}

    def hide_top(self, attention_BNE: Tensor) -> Tensor:
        """M(A, lambda_1), hidden_BNX."""
        # Paper gap: "indices corresponding to the top values in feature matrix A" may mean rows or elements of N x C.
        # Rows, by their length: a patch is then hidden or seen, as in Fig. 3 and in "masked patches" (Sec. 3.4.2).
        return hide_top(attention_BNE, self.config.guide_fraction, self.config.mask_unit)

    def hide_patches(self, attentions: dict[Guide, Tensor], batch: Batch) -> Tensor:
        """M_AttMIM, hidden_BNX."""
        config = self.config
        if not attentions:
            # Paper gap: a film alone has no report; where only reports guide, its mask is random.
            random_BN = random_scores(batch.sample_seeds_B, self.image_encoder.num_patches, "subset")
            return top_fraction(random_BN, config.mask_fraction)[:, :, None].to(batch.images_BHW.device)
        union_BNX = union([self.hide_top(each) for each in attentions.values()])  # Eq. (7)
        # Paper gap: Eq. (8) takes lambda_2 of the union, Sec. 5.3.1 hides "75% of image features", and Fig. 3 has 25%.
        # The second, as far as the union goes: it is MAE's share, whatever the overlap of the three masks.
        return subset(union_BNX, config.mask_fraction, config.mask_fraction_of, batch.sample_seeds_B)  # Eq. (8)

    def restore(self, patches_BNE: Tensor, hidden_BNX: Tensor) -> Tensor:
        """y^MIM: all patches from the visible ones, patches_BNP."""
        # Paper gap: Eq. (9) multiplies by the mask; Sec. 3.4.2 speaks of "mask tokens": a learned one, as in MAE.
        seen_BNE = torch.where(hidden_BNX, self.mask_token_E.to(patches_BNE.dtype), patches_BNE)  # Eq. (9)
        return self.image_decoder(self.image_decoder.embed(seen_BNE))

    def model_film(self, batch: Batch, patches_BNE: Tensor, attentions: dict[Guide, Tensor]) -> tuple[Tensor, Tensor]:
        """Loss_MIM and the hidden share."""
        hidden_BNX = self.hide_patches(attentions, batch)
        target_BNP = patchify(batch.images_BHW, self.image_encoder.patch_px)
        if self.config.target == "normalised":
            # Paper gap: x of Eq. (12) is "the image"; the decoder is "inspired by" MAE, whose best target this is.
            target_BNP = normalise_patches(target_BNP)
        predicted_BNP = self.restore(patches_BNE, hidden_BNX)
        loss = hidden_mse(predicted_BNP, target_BNP, hidden_BNX.any(dim=2))  # Eq. (12)
        return loss, hidden_BNX.float().mean()

    def hide_words(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """RandomSubSet(M_e, lambda_3) of Eq. (10), hidden_BL, and the pieces that the loss counts, counts_BL."""
        config = self.config
        follows_BL = batch.token_is_real_BL.clone()
        follows_BL[:, 0] = False
        if config.text_mask == "full":
            return torch.zeros_like(follows_BL), follows_BL
        words_BL = word_pieces(batch.token_ids_BL, batch.token_is_real_BL, self.vocabulary.special_ids)
        candidates_BL = words_BL & batch.token_is_guide_BL if config.text_mask == "entities" else words_BL
        hidden_BL = hide_share(candidates_BL, config.text_mask_fraction, batch.sample_seeds_B)
        # Paper gap: the sum of Eq. (13) runs over all t, "where y_t is in MLM_input"; EntMLM "mainly masks and
        # reconstructs medical entity words": the hidden ones count.
        return hidden_BL, follows_BL if config.text_loss == "all" else hidden_BL

    def hidden_words(self, batch: Batch) -> Tensor | None:
        """Fig. 5: what stands out of the causal order."""
        return None if self.config.text_mask == "none" else self.hide_words(batch)[0]

    def seen_words(self, batch: Batch, hidden_BL: Tensor) -> Tensor:
        """M_MLM (Fig. 5), sees_BLL."""
        return causal_sight(batch.token_is_real_BL, hidden_BL)  # Eq. (10)

    def model_text(self, batch: Batch, image_BSE: Tensor, report_BLE: Tensor) -> Tensor:
        """Loss_MLM."""
        hidden_BL, counts_BL = self.hide_words(batch)
        sees_BLL = self.seen_words(batch, hidden_BL)
        if self.config.text_hiding == "both" and self.config.text_mask != "full":
            # Paper gap: the mask is said to act "in the text decoder". Yet E_report of later pieces already contains
            # what it hides; so the encoder reads the report once more, with the same pieces hidden.
            report_BLE = self.embed_texts(batch.token_ids_BL, batch.token_is_real_BL, sees_BLL)
        # A hidden piece's own row holds it too, and the place before the next hidden piece would see it.
        input_BLE = report_BLE.masked_fill(hidden_BL[:, :, None], 0)  # Eq. (11)
        logits_KV = self.text_decoder(input_BLE, sees_BLL, image_BSE, counts_BL, self.text_encoder.word_embeddings)
        return hidden_words_loss(logits_KV, batch.token_ids_BL, counts_BL)  # Eq. (13)

    def align(self, image_BSE: Tensor, report_BLE: Tensor, token_is_real_BL: Tensor) -> Tensor:
        """Loss_align of the global batch (Sec. 3.4.1, not numbered)."""
        # Paper gap: x_i and y_j are "the E_img" and "the E_report": CLIP's, the class token and the end token.
        images_GE = gather(image_BSE[:, 0])
        texts_GE = gather(self.text_encoder.whole(report_BLE, token_is_real_BL))
        return contrastive_loss(similarity_logits(images_GE, texts_GE, self.sigma()))

    def forward(self, *batches: Batch) -> Losses:
        """Sec. 3.4."""
        pairs, *films = batches
        prompts_1ME, image_BSE = self.embed_prompts(), self.embed_films(pairs.images_BHW)
        report = self.embed_texts(pairs.token_ids_BL, pairs.token_is_real_BL), pairs.token_is_real_BL
        terms, measures = {"align": self.align(image_BSE, *report)}, {"sigma": self.sigma().detach()}
        if self.config.mask != "none":
            attentions = self.attend(image_BSE[:, 1:], prompts_1ME, report)
            terms["mim"], measures["hidden_fraction"] = self.model_film(pairs, image_BSE[:, 1:], attentions)
        if self.config.text_mask != "none":
            terms["mlm"] = self.model_text(pairs, image_BSE, report[0])
        # So far Eq. (14), Loss_pair. Now Eq. (15), Loss_unpair.
        for batch in films:
            patches_BNE = self.embed_films(batch.images_BHW)[:, 1:]
            attentions = self.attend(patches_BNE, prompts_1ME, None)
            terms["mim_images"], _ = self.model_film(batch, patches_BNE, attentions)
        return Losses(terms, measures=measures)  # Eq. (16): the plain sum

    @property
    def temperature(self) -> float:
        """sigma of Sec. 3.4.1."""
        return float(self.sigma().detach())

    def project_image(self, images_BHW: Tensor) -> tuple[Tensor, Tensor]:
        """The class token and every patch."""
        tokens_BSE = self.embed_films(images_BHW)
        return tokens_BSE[:, 0], tokens_BSE[:, 1:]

    def project_text(self, token_ids_BL: Tensor, token_is_real_BL: Tensor) -> Tensor:
        """The end token, or what the encoder has in its place."""
        return self.text_encoder.whole(self.embed_texts(token_ids_BL, token_is_real_BL), token_is_real_BL)

    @torch.no_grad()
    def explain(self, batch: Batch) -> list[MaskView]:
        """Fig. 3: the mask of each attention, then what is hidden in the end, reconstructed."""
        if self.config.mask == "none":
            return []
        patches_BNE = self.embed_films(batch.images_BHW)[:, 1:]
        report = self.embed_texts(batch.token_ids_BL, batch.token_is_real_BL), batch.token_is_real_BL
        attentions = self.attend(patches_BNE, self.embed_prompts(), report)
        hidden_BNX = self.hide_patches(attentions, batch)
        predicted_BNP = self.restore(patches_BNE, hidden_BNX)
        if self.config.target == "normalised":
            predicted_BNP = undo_normalise(predicted_BNP, patchify(batch.images_BHW, self.image_encoder.patch_px))
        hidden_BN = hidden_BNX.any(dim=2)
        restored_BHW = fill_hidden(batch.images_BHW, predicted_BNP, hidden_BN, self.image_encoder.grid)
        top = {name: self.hide_top(each).any(dim=2) for name, each in attentions.items()}
        views = [MaskView(f"attention to {name}", top[name], each.norm(dim=2)) for name, each in attentions.items()]
        return [*views, MaskView("hidden", hidden_BN, reconstruction_BHW=restored_BHW)]
