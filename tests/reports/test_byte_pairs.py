"""CLIP's kind of tokenizer: its order, what it learns, what leaves with the weights."""

import pytest
from transformers import AutoTokenizer

from maskray.errors import InputError
from maskray.reports.byte_pairs import build_byte_pairs, learn_merges
from maskray.reports.marks import MarkedText
from maskray.reports.tokens import build_tokenizer, encode, ends_of, load_tokenizer

TEXTS = ["There is pleural effusion. No pneumothorax."] * 6 + ["Mr Smith-Jones has effusion in 2019."] * 4
FIRST, LAST = "<|startoftext|>", "<|endoftext|>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("byte_pairs")
    build_byte_pairs(TEXTS, 700, folder, always=["support devices"], min_texts=5)
    return folder


@pytest.fixture(scope="module")
def tokenizer(folder):
    return load_tokenizer(folder, "clip")


def pieces(tokenizer, text):
    return tokenizer.convert_ids_to_tokens(encode(tokenizer, text, 77).ids)


def test_merges_by_hand():
    # l o w</w> 5, l o w e r</w> 2, n e w</w> 6: "e w" 6, "n ew" 6, then "l o" 7 before both.
    merges = learn_merges({"low": 5, "lower": 2, "new": 6}, 10)
    assert merges[:3] == [("l", "o"), ("e", "w</w>"), ("n", "ew</w>")]
    assert merges[3] == ("lo", "w</w>")
    assert learn_merges({"low": 5, "lower": 2, "new": 6}, 2) == merges[:2]
    assert learn_merges({"ab": 1}, 5) == []


def test_a_run_of_one_letter_is_joined_from_left_to_right(tmp_path):
    assert learn_merges({"aaaab": 3}, 2) == [("a", "a"), ("aa", "aa")]
    tokenizer = build_byte_pairs(["aaaab"] * 3, 516, tmp_path)
    assert pieces(tokenizer, "aaaab")[1:-1] == ["aaaa", "b</w>"]


def test_the_vocabulary_is_bytes_then_joined_pieces_then_the_ends(tokenizer):
    names = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    assert all(len(name) == 1 for name in names[:256])
    assert all(name.endswith("</w>") for name in names[256:512])
    assert names[-2:] == [FIRST, LAST]
    assert ends_of(tokenizer) == (len(names) - 2, len(names) - 1, len(names) - 1)


def test_frequent_words_and_wanted_ones_are_whole(tokenizer):
    text = "No PNEUMOTHORAX, support devices."
    whole = ["no</w>", "pneumothorax</w>", ",</w>", "support</w>", "devices</w>", ".</w>"]
    assert pieces(tokenizer, text) == [FIRST, *whole, LAST]


def test_nothing_of_a_word_that_few_texts_hold_leaves(tokenizer, folder):
    kept = {"there", "is", "pleural", "effusion", "no", "pneumothorax", "support", "devices", "."}
    for name in tokenizer.get_vocab():
        piece = name.removesuffix("</w>")
        if len(piece) > 1 and name not in (FIRST, LAST):
            assert any(piece in word for word in kept), name
    assert pieces(tokenizer, "Smith")[1:-1] == ["s", "m", "i", "t", "h</w>"]
    written = b"".join(path.read_bytes() for path in folder.iterdir()).lower()
    assert b"smi" not in written
    assert b"ones" not in written


def test_every_text_can_be_spelt(tokenizer):
    text = "größe 12.5 µ 肺 \U0001fac1"
    ids = encode(tokenizer, text, 77).ids
    assert tokenizer.unk_token_id not in ids[:-1]
    assert tokenizer.decode(ids, skip_special_tokens=True).replace(" ", "") == text.replace(" ", "")


def test_any_order_of_the_texts_gives_the_same_files(folder, tmp_path):
    build_byte_pairs(TEXTS[::-1], 700, tmp_path, always=["support devices"], min_texts=5)
    names = {path.name for path in folder.iterdir()}
    assert names == {path.name for path in tmp_path.iterdir()}
    assert all((tmp_path / name).read_bytes() == (folder / name).read_bytes() for name in names)


def test_size_bounds_the_vocabulary(tmp_path):
    assert len(build_byte_pairs(TEXTS, 520, tmp_path)) == 520
    with pytest.raises(InputError, match="514 pieces are needed for the bytes alone"):
        build_byte_pairs(TEXTS, 513, tmp_path)


def test_long_texts_keep_their_end_and_marks_fall_on_pieces(tokenizer):
    text = MarkedText("there is pleural effusion. " * 9, guides=((9, 25),), sentences=((0, 26),))
    encoded = encode(tokenizer, text, 12)
    ends = ends_of(tokenizer)
    assert (encoded.ids[0], encoded.ids[-1], len(encoded.ids)) == (ends.first, ends.last, 12)
    assert encoded.is_guide == [False] * 3 + [True] * 2 + [False] * 7
    assert encoded.word == [0, *range(1, 11), 0]


def test_the_hubs_two_files_are_read(tokenizer, tmp_path):
    import json

    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    (tmp_path / "vocab.json").write_text(json.dumps(tokenizer.get_vocab()))
    (tmp_path / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "CLIPTokenizer"}')
    again = load_tokenizer(tmp_path, "clip")
    assert pieces(again, TEXTS[0]) == pieces(tokenizer, TEXTS[0])


def test_it_is_read_by_transformers_alone_and_never_as_another_kind(folder, tokenizer, tmp_path):
    auto = AutoTokenizer.from_pretrained(str(folder))
    assert auto(TEXTS[0])["input_ids"] == encode(tokenizer, TEXTS[0], 77).ids
    with pytest.raises(InputError, match=r"lacks the tokens cls, sep, mask; a BERT tokenizer is needed"):
        load_tokenizer(folder)
    build_tokenizer(TEXTS, 200, tmp_path)
    with pytest.raises(InputError, match=r"lacks the tokens bos, eos; a CLIP tokenizer is needed"):
        load_tokenizer(tmp_path, "clip")
