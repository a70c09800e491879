import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from maskray.config.preprocessing import ReportsConfig
from maskray.errors import InputError
from maskray.reports.manuscripts import write_manuscript
from maskray.reports.marks import MarkedText
from maskray.reports.tokens import build_tokenizer, encode, encode_many, load_tokenizer, pieces_of_spans
from maskray.reports.triplets import Triplet

TEXTS = ["Is there pneumothorax? No. Verdict: pneumothorax absent.", "Is there effusion? Yes.", "Is there edema?"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    build_tokenizer(TEXTS, 200, folder)
    return folder


@pytest.fixture(scope="module")
def tokenizer(folder):
    return load_tokenizer(folder)


def test_vocabulary_is_specials_characters_then_words_by_count(folder):
    pieces = (folder / "vocab.txt").read_text().splitlines()
    assert pieces[:5] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    num_characters = sum(piece.startswith("##") for piece in pieces)
    assert [piece[2:] for piece in pieces[5 + num_characters : 5 + 2 * num_characters]] == pieces[
        5 : 5 + num_characters
    ]
    assert pieces[5 + 2 * num_characters :] == [
        "is", "there", "pneumothorax", "absent", "edema", "effusion", "no", "verdict", "yes",
    ]  # fmt: skip


def test_any_order_of_the_texts_gives_the_same_files(folder, tmp_path):
    build_tokenizer(TEXTS[::-1], 200, tmp_path)
    for name in ("vocab.txt", "tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_size_bounds_the_vocabulary(tmp_path):
    full = len(build_tokenizer(TEXTS, 1000, tmp_path / "full"))
    assert len(build_tokenizer(TEXTS, full - 3, tmp_path / "small")) == full - 3
    with pytest.raises(InputError, match="too small"):
        build_tokenizer(TEXTS, 20, tmp_path / "tiny")


def test_auto_tokenizer_reads_the_folder_and_a_saved_copy(folder, tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    expected = encode(tokenizer, TEXTS[0], 64).ids
    for each in (folder, tmp_path):
        auto = AutoTokenizer.from_pretrained(str(each))
        assert len(auto) == len(tokenizer)
        assert auto(TEXTS[0])["input_ids"] == expected


def test_unseen_words_fall_into_characters_not_unknown(tokenizer):
    ids = encode(tokenizer, "Zebra 2.5 cm!", 64).ids
    assert tokenizer.unk_token_id not in ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == "zebra 2. 5 cm!"


def test_answers_are_marked(tokenizer):
    manuscript = write_manuscript(
        [Triplet("pneumothorax", "", "absent", 0, 0, 1), Triplet("effusion", "", "uncertain", 0, 0, 1)], ReportsConfig()
    )
    ids, is_answer, *_ = encode(tokenizer, MarkedText(manuscript.text, manuscript.answers), 128)
    assert ids[0] == tokenizer.cls_token_id
    assert ids[-1] == tokenizer.sep_token_id
    marked = tokenizer.decode([i for i, answer in zip(ids, is_answer, strict=True) if answer])
    assert (
        marked.replace(" ", "").replace("##", "")
        == "nouncertainabsentuncertainuncertain"[: len("nouncertainabsentuncertain")]
    )


def test_long_texts_are_cut_and_keep_their_end(tokenizer):
    ids, is_answer, *_ = encode(tokenizer, MarkedText("edema " * 50, ((0, 5),)), 8)
    assert len(ids) == len(is_answer) == 8
    assert (ids[0], ids[-1]) == (tokenizer.cls_token_id, tokenizer.sep_token_id)
    assert is_answer == [False, True] + [False] * 6


def test_empty_text_and_no_text(tokenizer):
    assert encode(tokenizer, "", 8).ids == [tokenizer.cls_token_id, tokenizer.sep_token_id]
    assert encode_many(tokenizer, [], 8) == []


@settings(max_examples=30)
@given(st.lists(st.text(alphabet="noyes. ?é0", max_size=30), min_size=1, max_size=4), st.integers(2, 12))
def test_many_equals_one_by_one(tokenizer, texts, max_tokens):
    marked = [
        MarkedText(text, answers=((0, 2), (3, 7)), guides=((1, 4),), sentences=((0, 5), (6, 9))) for text in texts
    ]
    expected = [encode(tokenizer, text, max_tokens) for text in marked]
    assert encode_many(tokenizer, marked, max_tokens) == expected
    assert all({len(field) for field in text} == {len(text.ids)} and len(text.ids) <= max_tokens for text in expected)


def test_folders_that_do_not_load_are_named(tmp_path, folder):
    with pytest.raises(InputError, match="no such folder"):
        load_tokenizer(tmp_path / "missing")
    with pytest.raises(InputError, match="neither"):
        load_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(InputError, match=str(tmp_path)):
        load_tokenizer(tmp_path)


def test_vocab_txt_alone_is_not_silently_five_pieces(folder, tmp_path):
    for name in ("vocab.txt", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    assert len(load_tokenizer(tmp_path)) == len(load_tokenizer(folder))


def test_no_model_is_imported():
    code = "import sys, maskray.reports.tokens; print(sorted({'transformers', 'torch'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_a_word_of_few_reports_is_spelt_out(tmp_path):
    texts = ["no edema"] * 5 + ["no edema for smith", "smith smith smith smith"]
    tokenizer = build_tokenizer(texts, 300, tmp_path, always=["pleural thickening"], min_texts=5)
    words = set(tokenizer.get_vocab())
    assert {"edema", "pleural", "thickening"} <= words
    assert "smith" not in words
    assert tokenizer.decode(tokenizer("smith")["input_ids"], skip_special_tokens=True) == "smith"


@pytest.fixture(scope="module")
def clip_tokenizer():
    """CLIP's own tokenizer class with a made vocabulary: bytes, and the pieces of "effus"."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    alphabet = sorted(ByteLevel.alphabet())
    merges = [("e", "f"), ("ef", "f"), ("u", "s"), ("eff", "us")]
    pieces = [*alphabet, *(f"{c}</w>" for c in alphabet), *("".join(pair) for pair in merges)]
    pieces += ["<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={piece: i for i, piece in enumerate(pieces)}, merges=merges)


@pytest.mark.parametrize(
    ("text", "names", "marked"),
    [
        ("Effusions", ["Effusion"], ["effus", "i", "o", "n"]),
        ("an effusion", ["effusion"], ["effus", "i", "o", "n</w>"]),
        ("no   café.", ["café"], ["c", "a", "f", "Ã", "©</w>"]),
        ("can't see", ["n't"], ["n</w>", "'", "t</w>"]),
        ("a effusion", ["us"], ["effus"]),
        ("— x", ["—", "x"], ["â", "Ģ", "Ķ</w>", "x</w>"]),
        ("effus", [], []),
    ],
)
def test_pieces_that_overlap_a_span(clip_tokenizer, text, names, marked):
    encoded = clip_tokenizer(text, return_offsets_mapping=True)
    spans = [(text.index(name), text.index(name) + len(name)) for name in names]
    chosen = pieces_of_spans(encoded["offset_mapping"], spans)
    pieces = clip_tokenizer.convert_ids_to_tokens(encoded["input_ids"])
    assert [piece for piece, inside in zip(pieces, chosen, strict=True) if inside] == marked
    assert not chosen[0]
    assert not chosen[-1]


def test_a_piece_with_its_leading_space_belongs_to_its_word():
    # "Ġleft Ġbase" of tokenizers that keep the space: characters of "left" are 0 to 4, of " base" 4 to 9.
    assert pieces_of_spans([(0, 4), (4, 9)], [(0, 4)]) == [True, False]
    assert pieces_of_spans([(0, 4), (4, 9)], [(5, 9)]) == [False, True]
    assert pieces_of_spans([(0, 0), (0, 4)], [(0, 4)]) == [False, True]
    assert pieces_of_spans([(3, 4)], []) == [False]
