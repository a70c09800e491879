"""What flows from the data to a method: one batch of film-report pairs.

Shapes: B batch, H height, W width, L tokens of the text (padded).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """One (local) batch.

    Attributes:
        images_BHW: float32, grey values in 0..1, augmented, square.
        ridge_BHW: float32, ridge response in 0..1, with the same crop as the image; zeros where not stored.
        token_ids_BL: int64 word pieces, [CLS] first, padded.
        token_is_real_BL: bool, False on padding.
        token_is_answer_BL: bool, True on the answers and verdicts of a manuscript (they take the masking budget first).
        token_is_guide_BL: bool, True on the pieces that guide an image mask or are hidden first: MeSH words, entities,
            the Appearance sections, as the method's stream asks.
        token_sentence_BL: int64 number of the piece's sentence, from 1 on; 0 on special tokens, padding, and sentences
            too short to stand alone.
        token_word_BL: int64 number of the piece's word, from 1 on; 0 on special tokens and padding.
        sample_seeds_B: int64; all randomness of a method (masks, negatives) is a function of these, so that a batch
            means the same on one GPU or on four.
    """

    images_BHW: Tensor
    ridge_BHW: Tensor
    token_ids_BL: Tensor
    token_is_real_BL: Tensor
    token_is_answer_BL: Tensor
    token_is_guide_BL: Tensor
    token_sentence_BL: Tensor
    token_word_BL: Tensor
    sample_seeds_B: Tensor

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on ``device``; the seeds stay on the host, where the generators are."""
        moved = {
            field.name: getattr(self, field.name).to(device, non_blocking=True)
            for field in dataclasses.fields(self)
            if field.name != "sample_seeds_B"
        }
        return dataclasses.replace(self, **moved)

    def split(self, num_parts: int) -> list[Batch]:
        """Equal parts in their order."""
        size = len(self) // num_parts
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        starts = range(0, size * num_parts, size)
        return [Batch(**{name: value[start : start + size] for name, value in fields.items()}) for start in starts]

    def __len__(self) -> int:
        return self.images_BHW.shape[0]
