import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from maskray.config.stages import PretrainStage
from maskray.config.training import RuntimeConfig
from maskray.errors import InputError
from maskray.masking.text import hide_share, word_pieces
from maskray.tables.shown_films import GallerySource, choose_films
from maskray.tables.text_mask import draw_text_mask, explain_text
from maskray.training.export import load_method
from maskray.training.loop import pretrain
from tests.made_studies import make_source, stage


def train(paper, folder, **method):
    source = make_source(folder / "made", 16)
    settings = stage(paper, num_epochs=1)
    settings["method"] |= method
    pretrain(PretrainStage.model_validate(settings), [source], 0, folder / "out", RuntimeConfig())
    torch.use_deterministic_algorithms(False)
    return folder / "out", GallerySource(**source.files())


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train("mmclip", tmp_path_factory.mktemp("mmclip"), unpaired=False)


def test_a_piece_looks_at_what_is_before_it_and_not_hidden(trained):
    folder, source = trained
    mask = explain_text(folder, source)
    num = len(mask.names)
    assert mask.hidden_L.any()
    for row in range(num):
        for column in range(num):
            sees = column == row or (column < row and not mask.hidden_L[column])
            assert mask.sees_LL[row, column] == sees


def test_the_hidden_pieces_are_a_share_of_the_entities_as_in_training(trained):
    folder, source = trained
    mask, loaded = explain_text(folder, source, shows_reports=True), load_method(folder)
    batch = choose_films(source, [loaded], 1).batch(loaded)
    words = word_pieces(batch.token_ids_BL, batch.token_is_real_BL, loaded.method.vocabulary.special_ids)
    drawn = hide_share(words & batch.token_is_guide_BL, 0.2, batch.sample_seeds_B)
    np.testing.assert_array_equal(mask.hidden_L, drawn[0, : len(mask.names)])
    text = pd.read_parquet(source.reports).set_index("study_id")["findings"]
    study = pd.read_parquet(source.index).set_index("image_id")["study_id"][mask.image_id]
    shown = "".join(mask.names)
    assert "".join(text[study].split()) in shown
    entities = [name for name, guides in zip(mask.names, mask.guides_L, strict=True) if guides]
    assert "lung" in "".join(entities)
    assert "there" not in "".join(entities)


def test_no_word_is_shown_unless_it_is_asked_for(trained):
    mask = explain_text(*trained)
    assert mask.names == tuple(str(number) for number in range(1, len(mask.names) + 1))


def test_it_is_drawn_the_same_twice_with_a_cross_for_each_pair_that_is_cut(trained, tmp_path):
    mask = explain_text(*trained)
    for name in ("one", "two"):
        draw_text_mask(mask, "mmclip: MADE DATA", tmp_path / f"{name}.svg", tmp_path / f"{name}.png")
    for end in ("svg", "png"):
        assert (tmp_path / f"one.{end}").read_bytes() == (tmp_path / f"two.{end}").read_bytes()
    num_cut = sum(len(mask.names) - 1 - place for place in np.flatnonzero(mask.hidden_L))
    assert svg_crosses(tmp_path / "one.svg") == num_cut
    nothing = dataclasses.replace(mask, sees_LL=np.tri(len(mask.names), dtype=bool))
    draw_text_mask(nothing, "mmclip: MADE DATA", tmp_path / "none.svg", tmp_path / "none.png")
    assert svg_crosses(tmp_path / "none.svg") == 0
    assert Image.open(tmp_path / "none.png").size[0] > 600


def svg_crosses(path):
    """Red markers; names in red have no outline."""
    return len(re.findall(r"<use [^>]*stroke: #d1495b", path.read_text()))


def test_a_method_without_an_order_of_words_has_no_such_picture(tmp_path):
    with pytest.raises(InputError, match="keeps no order"):
        explain_text(*train("mnm", tmp_path))
