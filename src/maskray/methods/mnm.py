"""Masks & Manuscripts: advancing medical pre-training with end-to-end masking and narrative structuring.

Gowda and Clifton, MICCAI 2024, https://arxiv.org/abs/2407.16264

| section | function |
| --- | --- |
| 2.1 masked image modelling, Meijering filter | ``hide_patches`` (the filter itself: ``images.ridge``) |
| 2.2 manuscripts | ``views.hidden_words`` (the texts themselves: ``reports.manuscripts``) |
| 2.3 conditional reconstruction, Eq. (1) | ``views.encode_views``, ``reconstruct_text``, ``reconstruct_image`` |
| 2.4 contrast (ITC), Eq. (2) | ``compare``, ``views.contrast`` |
| 2.4 matching (ITM), Eq. (3) | ``match`` |
| 2.4 total, Eq. (4) | ``forward`` |

Shapes: B batch, G global batch, M pairs to match, H = W pixels, N patches, P values per patch, S = 1 + N image tokens
(class token first), L word pieces, K hidden word pieces of the batch, C latent width. Masks are True = hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator
from torch import Tensor, nn

from maskray.batch import Batch
from maskray.config.base import OpenShare
from maskray.config.encoders import ImageEncoderConfig, TextEncoderConfig
from maskray.decoders import PatchDecoder, WordDecoder
from maskray.decoders.pixels import fill_hidden, patchify
from maskray.encoders.teacher import Teacher
from maskray.encoders.text import mean_of_sentences, sentences
from maskray.losses.gather import gather, gather_padded, rows_of_this_process
from maskray.losses.language import hidden_words_loss
from maskray.losses.matching import choose_negatives, matching_loss
from maskray.losses.reconstruction import hidden_l1
from maskray.masking.generator import MaskGenerator
from maskray.masking.randomness import uniform
from maskray.masking.score import random_scores, ridge_scores
from maskray.masking.select import top_fraction
from maskray.methods.base import Losses, MaskView, Phase, Stream, Vocabulary
from maskray.methods.views import TwoViewMethod, Views, ViewsConfig


class MnmConfig(ViewsConfig):
    """Knobs of Masks & Manuscripts."""

    text: Literal["manuscript", "report", "triplet", "ke_triplet"] = Field(
        "manuscript", description="what is read: rows of Table 7; ke_triplet: with the definition of the entity"
    )
    mask: Literal["meijering", "quantile", "random", "attmask", "automae", "none"] = Field(
        "meijering",
        description="image mask: ridge response above Otsu's threshold; highest fixed share of it; random share; most "
        "attended by the class token of a moving average; learned against the reconstruction; none (no image "
        "reconstruction)",
    )
    mask_fraction: OpenShare = Field(0.6, description="fixed share (all masks but meijering)")
    teacher_momentum: OpenShare = Field(0.996, description="of the moving average whose attention guides (attmask)")
    generator_tau: PositiveFloat = Field(1.0, description="temperature of the relaxed choice (automae)")
    masked_input: Literal["film", "ridge"] = Field("film", description="image of which the masked pass sees the rest")
    target: Literal["pixels", "ridge", "both"] = Field("pixels", description="what is reconstructed")
    text_unit: Literal["manuscript", "sentence"] = Field(
        "manuscript",
        description="one pass, as text_encoder.feature says; or the mean of sentences read alone (Fig. 3)",
    )
    decoder_width: PositiveInt = Field(512, description="image decoder")
    decoder_depth: NonNegativeInt = Field(2, description="blocks of the image decoder; 0: linear layers alone")
    decoder_num_heads: PositiveInt = 16
    negatives: Literal["hard", "random"] = Field("hard", description="ITM: drawn by ITC similarity, or uniformly")

    @model_validator(mode="after")
    def _fits_together(self) -> MnmConfig:
        if self.decoder_width % self.decoder_num_heads or self.decoder_width % 4:
            raise ValueError("decoder_width must be a multiple of decoder_num_heads and of 4")
        return self


class Mnm(TwoViewMethod):
    """Reconstructs each modality from its masked form and the other, and aligns both (Fig. 1)."""

    Config = MnmConfig

    def __init__(
        self, config: MnmConfig, image: ImageEncoderConfig, text: TextEncoderConfig, vocabulary: Vocabulary
    ) -> None:
        super().__init__(config, image, text, vocabulary)
        self.config: MnmConfig = config
        width = config.latent_width
        self.project_im = nn.Linear(width, width)
        self.project_txt = nn.Linear(width, width)
        self.itm_head = nn.Linear(width, 2)
        # Paper gap: sizes of g and d are not printed. Three blocks as in MaskVLM; a light decoder, as g already mixes.
        if config.mask != "none":
            patch_values = image.patch_px**2 * (2 if config.target == "both" else 1)
            sizes = config.decoder_width, config.decoder_depth, config.decoder_num_heads
            self.mask_token_C = nn.Parameter(torch.randn(self.image_encoder.width) * 0.02)
            self.d_im = PatchDecoder(width, self.image_encoder.grid, patch_values, *sizes)
        if config.text_mask_fraction:
            self.d_txt = WordDecoder(width, self.text_encoder.width, vocabulary.size)
        if config.mask == "attmask":
            self.teacher = Teacher(self.image_encoder, config.teacher_momentum)
        if config.mask == "automae":
            self.generator = MaskGenerator(self.image_encoder.width, self.image_encoder.grid, config.generator_tau)

    @classmethod
    def streams(cls, config: MnmConfig) -> tuple[Stream, ...]:
        """Films with their manuscripts, or another text of Table 7."""
        return (Stream("pairs", text=config.text, needs_ridge=True),)

    @property
    def phases(self) -> tuple[Phase, ...]:
        """All terms from the first step on."""
        text = ("mvlm_txt",) if self.config.text_mask_fraction else ()
        image = ("mvlm_im",) if self.config.mask != "none" else ()
        return (Phase((*text, *image, "itc", "itm")),)

    def followers(self) -> Sequence[tuple[Teacher, nn.Module]]:
        """The attending encoder follows the trained one (attmask)."""
        return [(self.teacher, self.image_encoder)] if self.config.mask == "attmask" else []

    def score_patches(self, batch: Batch) -> Tensor:
        """Sec. 2.1 and Table 6: where to look, scores_BN."""
        if self.config.mask == "random":
            return random_scores(batch.sample_seeds_B, self.image_encoder.num_patches).to(batch.images_BHW.device)
        if self.config.mask == "attmask":
            return self.teacher.copied.class_attention(batch.images_BHW)
        return ridge_scores(batch.ridge_BHW, self.image_encoder.patch_px)

    def hide_patches(self, batch: Batch) -> Tensor | None:
        """Sec. 2.1: the patches that the ridge filter answers to are hidden, hidden_BN; automae: weights of 0 and 1."""
        config = self.config
        if config.mask == "none":
            return None
        if config.mask == "automae":
            patches_BNC = self.image_encoder.place(self.image_encoder.embed(batch.images_BHW))
            return self.generator(patches_BNC, batch.sample_seeds_B, config.mask_fraction)
        if config.mask != "meijering":
            return top_fraction(self.score_patches(batch), config.mask_fraction)
        return self.hide_ridges(batch)

    def masked_film(self, batch: Batch) -> Tensor | None:
        """The ridge response, where the masked pass sees that instead of the film."""
        # Paper gap: Fig. 2 (b) filters the film "before reconstruction"; in Eq. (1) I_m is the film itself, masked.
        return batch.ridge_BHW if self.config.masked_input == "ridge" else None

    def sentences(self, token_ids_BL: Tensor) -> Tensor | None:
        """The sentence of each piece, sentence_BL, where sentences are read alone."""
        # Paper gap: "embedding it sentence by sentence" (Fig. 3) fits neither the start token of Sec. 2 nor the words
        # that Eq. (1) hides. One pass by default; `sentence` reads each alone, an observation with its answer.
        return sentences(token_ids_BL, self.vocabulary.stop_id) if self.config.text_unit == "sentence" else None

    def whole_text(self, texts_BLC: Tensor, token_ids_BL: Tensor, token_is_real_BL: Tensor) -> Tensor:
        """What ITC compares of a text, text_BC: what stands for it as a whole, or the mean of its sentences."""
        sentence_BL = self.sentences(token_ids_BL)
        if sentence_BL is None:
            return self.text_encoder.whole(texts_BLC, token_is_real_BL)
        special = torch.tensor(self.vocabulary.special_ids, device=token_ids_BL.device)
        return mean_of_sentences(texts_BLC, sentence_BL, ~torch.isin(token_ids_BL, special))

    def reconstruct_text(self, views: Views, batch: Batch, hidden_BL: Tensor) -> Tensor:
        """phi_txt(I, T_m) of Eq. (1): g_txt looks at the whole film, d_txt gives the hidden words, logits_KV."""
        return self.d_txt(self.fuse_text(views, batch)[hidden_BL], self.text_encoder.word_embeddings)

    def reconstruct_image(self, views: Views, batch: Batch) -> Tensor:
        """phi_im(I_m, T) of Eq. (1): g_im looks at the whole text, d_im gives all patches, patches_BNP."""
        return self.d_im(self.d_im.embed(self.fuse_image(views, batch)[:, 1:]))

    def image_target(self, batch: Batch) -> Tensor:
        """I of Eq. (1), patches_BNP."""
        # Paper gap: Sec. 2.1 speaks of filtered "intermediate forms for reconstruction", Sec. 2.3 of retrieving the
        # film I itself. Eq. (1) decides: pixels.
        film_BNP = patchify(batch.images_BHW, self.image_encoder.patch_px)
        ridge_BNP = patchify(batch.ridge_BHW, self.image_encoder.patch_px)
        both_BNP = torch.cat([film_BNP, ridge_BNP], dim=2)
        return {"pixels": film_BNP, "ridge": ridge_BNP, "both": both_BNP}[self.config.target]

    def compare(self, views: Views, batch: Batch) -> tuple[Tensor, Tensor]:
        """z_im . z_txt / tau of the global batch, logits_GG, and which texts are the same, same_GG."""
        # Paper gap: z is said to be projected by "separate fully-connected layers": of the class tokens; cosine.
        image_BC = self.project_im(views.image_BSC[:, 0])
        text_BC = self.whole_text(views.text_BLC, batch.token_ids_BL, batch.token_is_real_BL)
        return self.similarities(image_BC, self.project_txt(text_BC), batch)

    def match(self, views: Views, batch: Batch, logits_GG: Tensor, same_GG: Tensor) -> tuple[Tensor, Tensor]:
        """g_itm of Eq. (3) on each pair, each film with a wrong text, each text with a wrong film: M = 3 B."""
        # Paper gap: negatives are not described. They are drawn by ITC similarity; an equal manuscript is no negative,
        # as "does not match" would be untrue of it.
        rows = rows_of_this_process(len(batch))
        own_B = torch.arange(len(logits_GG), device=logits_GG.device)[rows]
        nearness_GG = logits_GG if self.config.negatives == "hard" else torch.zeros_like(logits_GG)
        draws_B2 = uniform(batch.sample_seeds_B, 2, "negatives")
        wrong_text_B = choose_negatives(nearness_GG[rows], same_GG[rows], own_B, draws_B2[:, 0])
        wrong_film_B = choose_negatives(nearness_GG.T[rows], same_GG[rows], own_B, draws_B2[:, 1])
        film_M, text_M = torch.cat([own_B, own_B, wrong_film_B]), torch.cat([own_B, wrong_text_B, own_B])
        image_MSC, text_MLC = gather(views.image_BSC)[film_M], gather_padded(views.text_BLC)[text_M]
        is_real_ML = gather_padded(batch.token_is_real_BL)[text_M]
        cross_im_MC = self.g_im(image_MSC, None, text_MLC, is_real_ML, class_only=True)
        cross_txt_MC = self.g_txt(text_MLC, is_real_ML, image_MSC, None, class_only=True)
        return self.itm_head(cross_im_MC * cross_txt_MC), torch.arange(len(film_M), device=film_M.device) < len(batch)

    def forward(self, *batches: Batch) -> Losses:
        """Sec. 2.3 and 2.4."""
        (batch,) = batches
        hidden_BN, hidden_BL = self.hide_patches(batch), self.hidden_words(batch)
        views = self.encode_views(batch, hidden_BN, hidden_BL)
        terms, measures = {}, {"tau": self.tau().detach()}
        # Eq. (1): first the text term, then the image term.
        # Paper gap: Omega is not explained: the number of hidden values of each film.
        if hidden_BL is not None:
            logits_KV = self.reconstruct_text(views, batch, hidden_BL)
            terms["mvlm_txt"] = hidden_words_loss(logits_KV, batch.token_ids_BL, hidden_BL)
        if hidden_BN is not None:
            terms["mvlm_im"] = hidden_l1(self.reconstruct_image(views, batch), self.image_target(batch), hidden_BN)
            measures["hidden_fraction"] = hidden_BN.detach().float().mean()
        logits_GG, same_GG = self.compare(views, batch)
        terms["itc"] = self.contrast(logits_GG, same_GG)  # Eq. (2)
        itm_logits_M2, is_match_M = self.match(views, batch, logits_GG, same_GG)
        terms["itm"] = matching_loss(itm_logits_M2, is_match_M)  # Eq. (3)
        measures["itm_accuracy"] = (itm_logits_M2.argmax(dim=1) == is_match_M).float().mean()
        return Losses(terms, measures=measures)  # Eq. (4): the plain sum

    def project_image(self, images_BHW: Tensor) -> tuple[Tensor, Tensor]:
        """ITC's projection of the class token and of every patch."""
        class_BC, patches_BNC = (self.image_to_latent(tokens) for tokens in self.image_encoder(images_BHW))
        return self.project_im(class_BC), self.project_im(patches_BNC)

    def project_text(self, token_ids_BL: Tensor, token_is_real_BL: Tensor) -> Tensor:
        """ITC's projection of the text's feature."""
        tokens_BLC = self.text_encoder(token_ids_BL, token_is_real_BL, self.sentences(token_ids_BL))
        return self.project_txt(self.whole_text(self.text_to_latent(tokens_BLC), token_ids_BL, token_is_real_BL))

    @torch.no_grad()
    def explain(self, batch: Batch) -> list[MaskView]:
        """The film (the ridge response where that alone is the target) with its hidden patches reconstructed."""
        shown_BHW = batch.ridge_BHW if self.config.target == "ridge" else batch.images_BHW
        hidden_BN = self.hide_patches(batch)
        if hidden_BN is None:
            return []
        predicted_BNP = self.reconstruct_image(self.encode_views(batch, hidden_BN, None), batch)
        first_BNP = predicted_BNP[:, :, : self.image_encoder.patch_px**2]
        restored_BHW = fill_hidden(shown_BHW, first_BNP, hidden_BN.bool(), self.image_encoder.grid)
        return [MaskView(self.config.mask, hidden_BN.bool(), reconstruction_BHW=restored_BHW)]
