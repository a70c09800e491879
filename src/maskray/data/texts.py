"""The reports as word pieces, split once before training, so that a batch is put together without a tokenizer.

Shapes: B batch, L tokens (padded).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from maskray.reports.definitions import read_definitions
from maskray.reports.marks import MarkedText
from maskray.reports.pieces import piece_counter
from maskray.reports.styles import Writing, style_of
from maskray.reports.tokens import encode_many, ends_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

# Keeps the choice of sentences apart from other numbers that are drawn from the same sample seed.
_PURPOSE = 2
# Widths of padded batches are multiples of this: fewer shapes for the GPU's kernels to be chosen for.
_WIDTH_MULTIPLE = 8
# The tokenizer works on many texts in parallel; its own answer takes far more memory than the arrays kept of it.
_ENCODED_AT_ONCE = 10_000

# What is kept of a piece; the names are those of the fields of ``maskray.batch.Batch``.
_PIECE = np.dtype(
    [("ids", "i4"), ("is_real", "?"), ("is_answer", "?"), ("is_guide", "?"), ("sentence", "i2"), ("word", "i2")]
)


def training_texts(reports: pd.DataFrame) -> Iterator[str]:
    """Every text of the reports in all the forms a method may read: what a vocabulary is built from."""
    for column in ("findings", "impression", "manuscript"):
        yield from (text for text in reports[column] if isinstance(text, str) and text)


class TokenisedReports:
    """Word pieces of all reports, in a few flat arrays.

    A report is a row of segments: its sentences where sentences are chosen at random, else its one text.
    Equal segments are stored once (radiologists repeat themselves).
    """

    def __init__(
        self,
        reports: pd.DataFrame,
        text: str,
        tokenizer: PreTrainedTokenizerFast,
        max_tokens: int,
        definitions: str | None = None,
        guides: str = "",
    ) -> None:
        writing = Writing(read_definitions(definitions), max_tokens, piece_counter(tokenizer))
        self._chooses_sentences = text == "sentences"
        self._max_tokens = max_tokens
        self._ends = ends_of(tokenizer)
        number_of: dict[MarkedText, int] = {}
        rows = [
            [number_of.setdefault(segment, len(number_of)) for segment in segments]
            for segments in _segments(reports, text, guides, writing)
        ]
        self._pieces, self._starts = _encode(list(number_of), tokenizer, max_tokens)
        self._segments = np.array([number for row in rows for number in row], dtype=np.int32)
        self._row_starts = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)])

    def __len__(self) -> int:
        return len(self._row_starts) - 1

    def one(self, row: int, sample_seed: int) -> np.ndarray:
        """Word pieces of a report with first and last token, a structured array of ``_PIECE``.

        Where sentences are chosen: a random number of them, at least one, shuffled.
        """
        segments = self._segments[self._row_starts[row] : self._row_starts[row + 1]]
        if self._chooses_sentences:
            generator = np.random.Generator(np.random.PCG64([sample_seed, _PURPOSE]))
            num_chosen = int(generator.integers(1, len(segments) + 1))
            segments = generator.permutation(segments)[:num_chosen]
        chosen = [self._pieces[self._starts[segment] : self._starts[segment + 1]] for segment in segments]
        inner = np.concatenate(_numbered_on(chosen))[: self._max_tokens - 2]
        pieces = np.zeros(len(inner) + 2, _PIECE)
        pieces["is_real"] = True
        pieces[1:-1] = inner
        pieces["ids"][[0, -1]] = self._ends.first, self._ends.last
        return pieces

    def batch(self, rows: Sequence[int], sample_seeds: Sequence[int]) -> dict[str, Tensor]:
        """The fields of ``maskray.batch.Batch`` that begin with ``token_``."""
        texts = [self.one(row, seed) for row, seed in zip(rows, sample_seeds, strict=True)]
        width = max(len(pieces) for pieces in texts)
        width = min(-(-width // _WIDTH_MULTIPLE) * _WIDTH_MULTIPLE, self._max_tokens)
        pieces_BL = np.zeros((len(texts), width), _PIECE)
        pieces_BL["ids"] = self._ends.padding
        for number, pieces in enumerate(texts):
            pieces_BL[number, : len(pieces)] = pieces
        return _tensors(pieces_BL)


def no_texts(num: int) -> dict[str, Tensor]:
    """The texts of ``num`` films that have none, as :meth:`TokenisedReports.batch` gives them."""
    return _tensors(np.zeros((num, 0), _PIECE))


def _tensors(pieces_BL: np.ndarray) -> dict[str, Tensor]:
    """A field of a batch each: bool, or int64."""
    return {
        f"token_{name}_BL": torch.from_numpy(pieces_BL[name].astype(np.bool_ if _PIECE[name] == np.bool_ else np.int64))
        for name in _PIECE.names or ()
    }


def _numbered_on(segments: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The segments of one text; words count on from one to the next."""
    numbered, num_words = [], 0
    for segment in segments:
        if num_words:
            segment = segment.copy()
            segment["word"] += num_words
        numbered.append(segment)
        num_words = int(segment["word"].max(initial=num_words))
    return numbered


def _encode(
    segments: Sequence[MarkedText], tokenizer: PreTrainedTokenizerFast, max_tokens: int
) -> tuple[np.ndarray, np.ndarray]:
    """Pieces of all segments without first and last token, and where each segment starts."""
    kept, lengths = [np.zeros(0, _PIECE)], [0]
    for first in range(0, len(segments), _ENCODED_AT_ONCE):
        for text in encode_many(tokenizer, segments[first : first + _ENCODED_AT_ONCE], max_tokens):
            pieces = np.zeros(len(text.ids) - 2, _PIECE)
            pieces["is_real"] = True
            for name in text._fields:
                pieces[name] = getattr(text, name)[1:-1]
            kept.append(pieces)
            lengths.append(len(pieces))
    return np.concatenate(kept), np.cumsum(lengths, dtype=np.int64)


def _segments(reports: pd.DataFrame, text: str, guides: str, writing: Writing) -> Iterator[list[MarkedText]]:
    """For each report its segments."""
    if text == "sentences":
        for sentences in reports["sentences"]:
            yield [MarkedText(str(sentence)) for sentence in sentences]
        return
    style = style_of(text, guides)
    write = style.writer(writing)
    for values in zip(*(reports[column] for column in style.columns), strict=True):
        yield [write(dict(zip(style.columns, values, strict=True)))]
