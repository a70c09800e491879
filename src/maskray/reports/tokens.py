"""Word pieces of texts, and what is marked on them. Only tokenizer classes are imported here, never models."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from maskray.errors import InputError
from maskray.files import write_json, write_text
from maskray.reports.marks import MarkedText, Spans

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from maskray.config.encoders import TextKind

# What a tokenizer of each kind must have.
_ROLES: dict[TextKind, tuple[str, ...]] = {
    "bert": ("pad", "unk", "cls", "sep", "mask"),
    "clip": ("pad", "unk", "bos", "eos"),
}
_SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_ALWAYS = "abcdefghijklmnopqrstuvwxyz0123456789.,;:?!()/-'"


class Ends(NamedTuple):
    """Vocabulary indices of what stands before, behind and after the end of every text."""

    first: int
    last: int
    padding: int


class TokenisedText(NamedTuple):
    """One text as word pieces between its first and last token (``[CLS] … [SEP]`` of BERT), not padded.

    Attributes:
        ids: vocabulary indices.
        is_answer, is_guide: True on the pieces of which a character lies in such a span.
        sentence: number, from 1 on, of the sentence span that holds the piece's first character; 0 outside.
        word: number of the piece's word, from 1 on; 0 on the special tokens.
    """

    ids: list[int]
    is_answer: list[bool]
    is_guide: list[bool]
    sentence: list[int]
    word: list[int]


def load_tokenizer(folder: str | Path, kind: TextKind = "bert") -> PreTrainedTokenizerBase:
    """The tokenizer of a Hugging Face folder, without the network.

    :class:`InputError` where the folder or its files are missing, its tokenizer is not of ``kind``, or its vocabulary
    is not the one of ``vocab.txt``.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; it should hold a tokenizer (vocab.txt or tokenizer.json)")
    from transformers import AutoTokenizer

    vocabulary = folder / "vocab.txt"
    has_pairs = (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file()
    if not vocabulary.is_file() and not has_pairs and not (folder / "tokenizer.json").is_file():
        raise InputError(f"{folder}: holds neither vocab.txt nor tokenizer.json; fetch or build the tokenizer again")
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), use_fast=True, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{folder}: not a tokenizer ({type(error).__name__}); fetch or build it again") from None
    known = tokenizer.get_vocab()
    if missing := [role for role in _ROLES[kind] if getattr(tokenizer, f"{role}_token") not in known]:
        raise InputError(
            f"{folder}: the vocabulary lacks the tokens {', '.join(missing)}; a {kind.upper()} tokenizer is needed"
        )
    if vocabulary.is_file():
        num_lines = len(vocabulary.read_text(encoding="utf-8").splitlines())
        if len(tokenizer) < num_lines:
            raise InputError(f"{folder}: {len(tokenizer)} pieces were loaded, but vocab.txt has {num_lines}")
    return tokenizer


def ends_of(tokenizer: PreTrainedTokenizerBase) -> Ends:
    """First, last and padding token of a tokenizer of any kind."""
    is_bert = tokenizer.cls_token_id is not None
    names = ("cls", "sep") if is_bert else ("bos", "eos")
    return Ends(*(int(getattr(tokenizer, f"{name}_token_id")) for name in (*names, "pad")))


def build_tokenizer(
    texts: Iterable[str], size: int, folder: str | Path, *, always: Iterable[str] = (), min_texts: int = 1
) -> PreTrainedTokenizerBase:
    """Build a vocabulary from texts, write it as a Hugging Face folder, and load it.

    The vocabulary holds the special tokens, every character alone and as a continuation, then whole words by falling
    count, ties by the alphabet, up to ``size`` in all. The same texts in any order give the same files.

    Args:
        texts: what is counted.
        size: upper bound of the vocabulary.
        folder: where the Hugging Face folder is written.
        always: texts whose words come first, whatever their count.
        min_texts: a word counts when so many texts hold it. The folder is exported with the weights: a word of few
            reports may be a name that was left in them.

    Raises:
        InputError: ``size`` cannot even hold the characters.
    """
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer

    normalizer, splitter = BertNormalizer(lowercase=True), BertPreTokenizer()

    def words_of(text: str) -> list[str]:
        return [word for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text))]

    counts: Counter[str] = Counter()
    num_texts: Counter[str] = Counter()
    for text in texts:
        counts.update(found := words_of(text))
        num_texts.update(set(found))
    first = {word for text in always for word in words_of(text)}
    kept = first | {word for word, number in num_texts.items() if number >= min_texts}
    characters = sorted({*_ALWAYS, *(character for word in kept | set(counts) for character in word)})
    pieces = [*_SPECIALS, *characters, *(f"##{character}" for character in characters)]
    if size < len(pieces):
        raise InputError(
            f"vocabulary_size {size} is too small: {len(pieces)} pieces are needed for the characters alone"
        )
    words = sorted((word for word in kept if len(word) > 1), key=lambda word: (word not in first, -counts[word], word))
    pieces += words[: size - len(pieces)]
    _write_folder(Path(folder), pieces)
    tokenizer = load_tokenizer(folder)
    if len(tokenizer) != len(pieces):
        raise InputError(
            f"{folder}: {len(tokenizer)} pieces were loaded of {len(pieces)}; delete the folder and run again"
        )
    return tokenizer


def _write_folder(folder: Path, pieces: Sequence[str]) -> None:
    from tokenizers import Tokenizer
    from tokenizers.decoders import WordPiece as WordPieceDecoder
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import TemplateProcessing

    ids = {piece: index for index, piece in enumerate(pieces)}
    backend = Tokenizer(WordPiece(ids, unk_token=_SPECIALS[1]))
    backend.add_special_tokens(list(_SPECIALS))
    backend.normalizer = BertNormalizer(lowercase=True)
    backend.pre_tokenizer = BertPreTokenizer()
    backend.decoder = WordPieceDecoder()
    backend.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, ids[name]) for name in ("[CLS]", "[SEP]")],
    )
    write_text(folder / "vocab.txt", "\n".join(pieces) + "\n")
    write_json(folder / "tokenizer.json", json.loads(backend.to_str()))
    names = {f"{name.strip('[]').lower()}_token": name for name in _SPECIALS}
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "BertTokenizer", "do_lower_case": True, **names})


def encode(tokenizer: PreTrainedTokenizerBase, text: str | MarkedText, max_tokens: int) -> TokenisedText:
    """One text as at most ``max_tokens`` pieces; a longer one is cut and keeps its last token."""
    return encode_many(tokenizer, [text if isinstance(text, MarkedText) else MarkedText(text)], max_tokens)[0]


def encode_many(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[MarkedText], max_tokens: int
) -> list[TokenisedText]:
    """:func:`encode` for many texts at once."""
    if not texts:
        return []
    encoded = tokenizer(
        [marked.text for marked in texts],
        truncation=True,
        max_length=max_tokens,
        return_offsets_mapping=True,
        return_attention_mask=False,
        return_token_type_ids=False,
    )
    return [
        TokenisedText(
            ids,
            pieces_of_spans(offsets, marked.answers),
            pieces_of_spans(offsets, marked.guides),
            _sentences(offsets, marked.sentences),
            [0 if word is None else word + 1 for word in encoded.word_ids(number)],
        )
        for number, (ids, offsets, marked) in enumerate(
            zip(encoded["input_ids"], encoded["offset_mapping"], texts, strict=True)
        )
    ]


def pieces_of_spans(offsets: Sequence[tuple[int, int]], spans: Iterable[tuple[int, int]]) -> list[bool]:
    """True for each piece of which a character lies in a span; special tokens have empty offsets.

    Args:
        offsets: characters ``[start, end)`` of each piece, as a fast tokenizer's ``offset_mapping`` has them.
        spans: characters ``[start, end)`` of the same text.
    """
    characters = frozenset(position for start, end in spans for position in range(start, end))
    return [not characters.isdisjoint(range(start, end)) for start, end in offsets]


def _sentences(offsets: Sequence[tuple[int, int]], spans: Spans) -> list[int]:
    """The number of each piece's sentence; spans are in the order of the text and do not overlap."""
    starts = [start for start, _ in spans]
    numbers = [bisect_right(starts, start) if end > start else 0 for start, end in offsets]
    return [
        number if number and start < spans[number - 1][1] else 0
        for number, (start, _) in zip(numbers, offsets, strict=True)
    ]
