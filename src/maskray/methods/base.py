"""What every method declares and answers; the training loop and the evaluation know nothing else of it.

Shapes: B batch, H = W image pixels, N patches (row by row), h, w patches down and across, L word pieces, E joint width.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from maskray.batch import Batch
from maskray.config.base import Frozen
from maskray.config.encoders import ImageEncoderConfig, TextEncoderConfig, TextKind
from maskray.decoders import ConvolutionDecoder
from maskray.encoders import Feature, ImageEncoder, TextEncoder
from maskray.encoders.teacher import Teacher

Text = Literal[
    "manuscript",
    "sentences",
    "report",
    "structured",
    "triplet",
    "ke_triplet",
    "structured_without_definition",
    "structured_without_appearance",
]


@dataclass(frozen=True)
class Stream:
    """One kind of batches that a method trains on; without ``text`` they are films alone.

    ``guides`` says which of the text's pieces ``token_is_guide_BL`` must mark; empty: the method looks at none.
    """

    name: str
    text: Text | None
    needs_ridge: bool = False
    guides: Literal["", "mesh", "entities", "appearance"] = ""


@dataclass(frozen=True)
class Phase:
    """Which loss terms count. How long it lasts stands in the settings (``optimisation.phase_steps``)."""

    terms: tuple[str, ...]


@dataclass(frozen=True)
class Vocabulary:
    """What a method must know of the tokenizer.

    Attributes:
        size: number of pieces.
        mask_id: stands for a hidden piece; -1 where the tokenizer has none (CLIP's).
        special_ids: never hidden.
        stop_id: ends a sentence.
        prompts: the method's own texts (:meth:`Method.prompts`) as pieces with first and last token, not padded.
    """

    size: int
    mask_id: int
    special_ids: tuple[int, ...]
    stop_id: int
    prompts: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True)
class Losses:
    """Loss terms named as in the paper, the weights of those that do not count once, and numbers worth logging."""

    terms: dict[str, Tensor]
    weights: Mapping[str, float] = field(default_factory=dict)
    measures: dict[str, Tensor] = field(default_factory=dict)

    def total(self, counted: Sequence[str] | None = None) -> Tensor:
        """The weighted sum of all terms, or of those that count in a phase.

        The others stay in it with weight 0: every process then has a gradient for every parameter.
        """
        weights = [self.weights.get(name, 1.0) * (counted is None or name in counted) for name in self.terms]
        return torch.stack([weight * term for weight, term in zip(weights, self.terms.values(), strict=True)]).sum()


@dataclass(frozen=True)
class MaskView:
    """One mask of a batch, for the gallery.

    Attributes:
        name: what chose the patches, in a word or two.
        hidden_BN: True = hidden.
        attention_BN: the scores that the mask comes from, where a text or the film itself was asked.
        reconstruction_BHW: the film as restored under this mask, 0..1, where the method restores it.
    """

    name: str
    hidden_BN: Tensor
    attention_BN: Tensor | None = None
    reconstruction_BHW: Tensor | None = None


class Method(nn.Module, ABC):
    """Base of all methods: two encoders, and what the rest of maskray may ask.

    Attributes:
        Config: this paper's knobs.
        text_kind: the kind of text encoder that the method is written for.
        image_feature: what fine-tuning and probes put a head on, see :class:`maskray.encoders.ImageFeatures`.
        joint_width: E.
    """

    Config: ClassVar[type[Frozen]]
    text_kind: ClassVar[TextKind] = "bert"
    image_feature: ClassVar[Feature] = "class token"
    joint_width: int

    def __init__(
        self, config: Frozen, image: ImageEncoderConfig, text: TextEncoderConfig, vocabulary: Vocabulary
    ) -> None:
        super().__init__()
        self.config = config
        self.vocabulary = vocabulary
        self.image_encoder = ImageEncoder(image)
        self.text_encoder = TextEncoder(text, vocabulary.size)

    @classmethod
    @abstractmethod
    def streams(cls, config: Any) -> tuple[Stream, ...]:
        """The kinds of batches under these knobs; of every one a batch a step."""

    @classmethod
    def prompts(cls, config: Any) -> list[str]:
        """Texts of the method's own that it asks about every film; ``vocabulary.prompts`` has their pieces."""
        return []

    @property
    @abstractmethod
    def phases(self) -> tuple[Phase, ...]:
        """The phases of training in their order."""

    @abstractmethod
    def forward(self, *batches: Batch) -> Losses:
        """The losses of one batch of each stream; all randomness is a function of the batches' ``sample_seeds_B``."""

    @property
    def film_decoder(self) -> ConvolutionDecoder | None:
        """A decoder from patches to films that segmentation may start from; None where a method has none."""
        return None

    def maps(self) -> dict[str, Tensor]:
        """Learned weights over the grid of patches, each [h, w], worth following through training; none by default."""
        return {}

    def followers(self) -> Sequence[tuple[Teacher, nn.Module]]:
        """Moving averages, each with the module that it follows; none by default."""
        return ()

    def after_update(self) -> None:
        """After each step of the optimiser: the moving averages follow."""
        for teacher, student in self.followers():
            teacher.follow(student)

    @property
    @abstractmethod
    def temperature(self) -> float:
        """What cosines of films and texts are divided by before a softmax over them."""

    @abstractmethod
    def project_image(self, images_BHW: Tensor) -> tuple[Tensor, Tensor]:
        """Whole films in the joint space, not normalised: features_BE and, per patch, patches_BNE."""

    @abstractmethod
    def project_text(self, token_ids_BL: Tensor, token_is_real_BL: Tensor) -> Tensor:
        """Texts in the joint space, not normalised: features_BE."""

    @abstractmethod
    def explain(self, batch: Batch) -> list[MaskView]:
        """Masks and reconstructions of a batch, with the masks that training would use; none where it hides nothing."""

    def hidden_words(self, batch: Batch) -> Tensor | None:
        """The word pieces that training would hide, hidden_BL; None for a method that hides none."""
        return None

    def seen_words(self, batch: Batch, hidden_BL: Tensor) -> Tensor | None:
        """Row = word piece, column = what it may look at where hidden ones are restored, sees_BLL; None: all."""
        return None

    def encode_image(self, images_BHW: Tensor) -> Tensor:
        """Features_BE of length 1, nothing hidden."""
        return nn.functional.normalize(self.project_image(images_BHW)[0].float(), dim=1)

    def encode_text(self, token_ids_BL: Tensor, token_is_real_BL: Tensor) -> Tensor:
        """Features_BE of length 1, nothing hidden."""
        return nn.functional.normalize(self.project_text(token_ids_BL, token_is_real_BL).float(), dim=1)

    @property
    def weighs_positions(self) -> bool:
        """Whether some positions of a film count more than others, see :meth:`weigh_positions`."""
        return False

    def weigh_positions(self, maps_Bhw: Tensor, tau: float | None = None) -> Tensor:
        """Maps over patches, each patch times the weight of its position; as they are where all count the same.

        ``tau`` softens the weights; without it, the method's own.
        """
        return maps_Bhw

    def patch_text_similarity(
        self, images_BHW: Tensor, token_ids_BL: Tensor, token_is_real_BL: Tensor, tau: float | None = None
    ) -> Tensor:
        """How much each patch of a film resembles its own text, maps_Bhw: cosines, weighed by position."""
        return self.weigh_positions(self.patch_text_cosines(images_BHW, token_ids_BL, token_is_real_BL), tau)

    def patch_text_cosines(self, images_BHW: Tensor, token_ids_BL: Tensor, token_is_real_BL: Tensor) -> Tensor:
        """Cosine in -1..1 between each patch of a film and its own text, maps_Bhw."""
        patches_BNE = nn.functional.normalize(self.project_image(images_BHW)[1].float(), dim=2)
        texts_BE = nn.functional.normalize(self.project_text(token_ids_BL, token_is_real_BL).float(), dim=1)
        return torch.einsum("bne,be->bn", patches_BNE, texts_BE).unflatten(1, self.image_encoder.grid)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Trainable parameters as image_encoder, text_encoder and rest; a group without any is left out."""
        groups: dict[str, list[nn.Parameter]] = {"image_encoder": [], "text_encoder": [], "rest": []}
        for name, parameter in self.named_parameters():
            if parameter.requires_grad:
                part = name.split(".")[0]
                groups[part if part in groups else "rest"].append(parameter)
        return {name: parameters for name, parameters in groups.items() if parameters}


def freeze(parts: Sequence[nn.Module]) -> None:
    """Take ``parts`` out of training, for what an objective does not use."""
    for part in parts:
        part.requires_grad_(False)
