"""Texts drawn as a method reads them."""

import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from maskray.reports.byte_pairs import build_byte_pairs
from maskray.reports.tokens import build_tokenizer
from maskray.tables.figures import BLUE
from maskray.tables.shown_text import ShownWord, draw_text, words_of

TEXTS = ["Cardiomegaly is seen. No effusion, no edema (mild)."] * 5


@pytest.mark.parametrize(("build", "size"), [(build_tokenizer, 100), (build_byte_pairs, 520)])
def test_pieces_become_words_again_with_what_they_are(build, size, tmp_path):
    tokenizer = build(TEXTS, size, tmp_path)
    encoded = tokenizer("No effusion, no edema.")
    words = torch.tensor([(word or 0) + 1 if word is not None else 0 for word in encoded.word_ids()])
    flags = torch.zeros(len(words), dtype=torch.bool)
    guides, hidden = flags.clone(), flags.clone()
    guides[(words == 2).nonzero()[-1]] = True  # the last piece of "effusion"
    hidden[words == 5] = True  # edema
    shown = words_of(tokenizer, torch.tensor(encoded["input_ids"]), words, guides, hidden)
    assert [word.text.lower() for word in shown] == ["no", "effusion", ",", "no", "edema", "."]
    assert [word.guides for word in shown] == [False, True, False, False, False, False]
    assert [word.hidden for word in shown] == [False, False, False, False, True, False]


def drawn(words):
    panel = Figure().subplots()
    draw_text(words, panel)
    return panel.texts


def test_guides_are_blue_and_hidden_words_lie_on_red():
    plain, guide, hidden = drawn([ShownWord("no"), ShownWord("edema", guides=True), ShownWord("seen", hidden=True)])
    assert to_hex(guide.get_color()) == BLUE
    assert to_hex(plain.get_color()) != BLUE
    assert plain.get_bbox_patch() is None
    assert hidden.get_bbox_patch() is not None


def test_lines_end_in_time_and_signs_stand_close():
    texts = drawn([ShownWord(word) for word in ("cardiomegaly", ",", "(", "mild", ")", *["consolidation"] * 4)])
    places = [(text.get_position()[1], text.get_position()[0]) for text in texts]
    assert places[:5] == [(0, 0), (0, 12), (0, 14), (0, 15), (0, 19)]
    assert places[5:] == [(0, 21), (1, 0), (1, 14), (1, 28)]


def test_a_long_text_ends_in_dots():
    assert drawn([ShownWord("consolidation")] * 200)[-1].get_text() == "..."
