"""A text as a method reads it, drawn beside its film: words that guide a mask, answers, and words that are hidden.

Shapes: L word pieces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from torch import Tensor

from maskray.tables.figures import BLUE, INK, RED

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_CHARACTERS_PER_LINE = 44
_MOST_LINES = 22
_OPENING = "(["


@dataclass(frozen=True)
class ShownWord:
    """A word or a sign, and what it is to the method."""

    text: str
    guides: bool = False
    hidden: bool = False


def words_of(
    tokenizer: PreTrainedTokenizerBase, ids_L: Tensor, word_L: Tensor, guides_L: Tensor, hidden_L: Tensor
) -> list[ShownWord]:
    """The words of one text, special tokens left out; one is hidden, or guides, where any of its pieces does.

    ``word_L`` numbers the words; a piece with 0, such as a stop, stands for itself.
    """
    special, pieces = set(tokenizer.all_special_ids), enumerate(zip(ids_L.tolist(), word_L.tolist(), strict=True))
    kept = [(place, piece, word or -place) for place, (piece, word) in pieces if piece not in special]
    words = []
    for _, group in groupby(kept, key=lambda piece: piece[2]):
        places, ids, _ = zip(*group, strict=True)
        text = str(tokenizer.decode(list(ids))).replace("##", "").strip()
        words.append(ShownWord(text, bool(guides_L[list(places)].any()), bool(hidden_L[list(places)].any())))
    return [word for word in words if word.text]


def draw_text(words: Sequence[ShownWord], panel: Axes) -> None:
    """Words in a fixed-width font: blue where they guide, on red where they are hidden; a long text ends in dots."""
    panel.set(xlim=(0, _CHARACTERS_PER_LINE), ylim=(_MOST_LINES, -0.5), box_aspect=1)
    for word, line, column in _placed(words):
        if line >= _MOST_LINES - 1:
            panel.text(0, line, "...", fontsize=5.4, family="monospace", color=INK, va="center")
            break
        background = {"facecolor": RED, "alpha": 0.35, "edgecolor": "none", "pad": 0.6} if word.hidden else None
        weight = "bold" if word.guides else "normal"
        panel.text(
            column, line, word.text, fontsize=5.4, family="monospace", va="center", bbox=background,
            color=BLUE if word.guides else INK, fontweight=weight,
        )  # fmt: skip


def _placed(words: Sequence[ShownWord]) -> Iterator[tuple[ShownWord, int, int]]:
    """Each word with its line and its first column; signs stand close to what they end or open."""
    line, column, is_open = 0, 0, True
    for word in words:
        is_sign = not word.text[0].isalnum() and word.text[0] not in _OPENING
        column += not (is_open or is_sign or column == 0)
        if column + len(word.text) > _CHARACTERS_PER_LINE and not is_sign:
            line, column = line + 1, 0
        yield word, line, column
        column, is_open = column + len(word.text), word.text[-1] in _OPENING
