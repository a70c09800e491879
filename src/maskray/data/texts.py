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
from maskray.reports.pieces import piece_counter
from maskray.reports.styles import Writing, style_of
from maskray.reports.tokens import encode_many

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

# Keeps the choice of sentences apart from other numbers that are drawn from the same sample seed.
_PURPOSE = 2
# Widths of padded batches are multiples of this: fewer shapes for the GPU's kernels to be chosen for.
_WIDTH_MULTIPLE = 8
# The tokenizer works on many texts in parallel; its own answer takes far more memory than the arrays kept of it.
_ENCODED_AT_ONCE = 10_000

# A text, and the character spans of its answers.
_Segment = tuple[str, tuple[tuple[int, int], ...]]


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
    ) -> None:
        writing = Writing(read_definitions(definitions), max_tokens, piece_counter(tokenizer))
        self._chooses_sentences = text == "sentences"
        self._max_tokens = max_tokens
        self._first, self._last, self._padding = (
            int(token) for token in (tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id)
        )
        number_of: dict[_Segment, int] = {}
        rows = [
            [number_of.setdefault(segment, len(number_of)) for segment in segments]
            for segments in _segments(reports, text, writing)
        ]
        self._ids, self._answers, self._starts = _encode(list(number_of), tokenizer, max_tokens)
        self._segments = np.array([number for row in rows for number in row], dtype=np.int32)
        self._row_starts = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)])

    def __len__(self) -> int:
        return len(self._row_starts) - 1

    def one(self, row: int, sample_seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Word pieces of a report with first and last token, and which of them are answers.

        Where sentences are chosen: a random number of them, at least one, shuffled.
        """
        segments = self._segments[self._row_starts[row] : self._row_starts[row + 1]]
        if self._chooses_sentences:
            generator = np.random.Generator(np.random.PCG64([sample_seed, _PURPOSE]))
            num_chosen = int(generator.integers(1, len(segments) + 1))
            segments = generator.permutation(segments)[:num_chosen]
        spans = [slice(self._starts[segment], self._starts[segment + 1]) for segment in segments]
        inner = self._max_tokens - 2
        ids = np.concatenate([self._ids[span] for span in spans])[:inner]
        answers = np.concatenate([self._answers[span] for span in spans])[:inner]
        return np.concatenate([[self._first], ids, [self._last]]), np.concatenate([[False], answers, [False]])

    def batch(self, rows: Sequence[int], sample_seeds: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
        """token_ids_BL int64, token_is_real_BL and token_is_answer_BL bool, as in ``maskray.batch.Batch``."""
        texts = [self.one(row, seed) for row, seed in zip(rows, sample_seeds, strict=True)]
        width = max(len(ids) for ids, _ in texts)
        width = min(-(-width // _WIDTH_MULTIPLE) * _WIDTH_MULTIPLE, self._max_tokens)
        ids_BL = np.full((len(texts), width), self._padding, dtype=np.int64)
        real_BL = np.zeros((len(texts), width), dtype=np.bool_)
        answer_BL = np.zeros((len(texts), width), dtype=np.bool_)
        for number, (ids, answers) in enumerate(texts):
            ids_BL[number, : len(ids)] = ids
            real_BL[number, : len(ids)] = True
            answer_BL[number, : len(ids)] = answers
        return torch.from_numpy(ids_BL), torch.from_numpy(real_BL), torch.from_numpy(answer_BL)


def _encode(
    segments: Sequence[_Segment], tokenizer: PreTrainedTokenizerFast, max_tokens: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pieces of all segments without first and last token, which are answers, and where each segment starts."""
    ids, answers, lengths = [np.zeros(0, np.int32)], [np.zeros(0, np.bool_)], [0]
    for first in range(0, len(segments), _ENCODED_AT_ONCE):
        chunk = segments[first : first + _ENCODED_AT_ONCE]
        for pieces in encode_many(tokenizer, [text for text, _ in chunk], [spans for _, spans in chunk], max_tokens):
            ids.append(np.array(pieces.ids[1:-1], dtype=np.int32))
            answers.append(np.array(pieces.is_answer[1:-1], dtype=np.bool_))
            lengths.append(len(ids[-1]))
    return np.concatenate(ids), np.concatenate(answers), np.cumsum(lengths, dtype=np.int64)


def _segments(reports: pd.DataFrame, text: str, writing: Writing) -> Iterator[list[_Segment]]:
    """For each report its segments: a text and the character spans of its answers."""
    if text == "sentences":
        for sentences in reports["sentences"]:
            yield [(str(sentence), ()) for sentence in sentences]
        return
    style = style_of(text)
    write = style.writer(writing)
    for values in zip(*(reports[column] for column in style.columns), strict=True):
        written = write(dict(zip(style.columns, values, strict=True)))
        yield [(written.text, written.answers)]
