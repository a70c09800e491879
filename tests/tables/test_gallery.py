import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

from maskray.config.stages import PretrainStage
from maskray.config.training import RuntimeConfig
from maskray.data.pairs import PairSource
from maskray.data.shard_store import ImageStore
from maskray.errors import InputError
from maskray.tables.gallery import explain_films
from maskray.tables.shown_films import GallerySource
from maskray.training.loop import pretrain
from tests.made_studies import make_source, stage


def train(paper, folder, source, **method):
    settings = stage(paper, num_epochs=1)
    settings["method"] |= method
    files = PairSource(source.index, source.split, source.manifest, source.reports)
    pretrain(PretrainStage.model_validate(settings), [files], 0, folder, RuntimeConfig())
    torch.use_deterministic_algorithms(False)
    return folder


@pytest.fixture(scope="module", params=["maco", "mnm"])
def pretrained(request, tmp_path_factory):
    """A tiny method, and a data set with 4 of 16 films in the validation part."""
    top = tmp_path_factory.mktemp("gallery")
    source = make_source(top / "made", 16)
    split = pd.read_csv(source.split, dtype=str).replace({"part": {"test": "validation"}})
    split.to_csv(source.split, index=False)
    index = pd.read_parquet(source.index)
    index["label_Edema"] = np.float32([1, np.nan] * 8)
    index["label_Lung_Opacity"] = np.float32([0, 1] * 8)
    index.to_parquet(source.index)
    source = GallerySource(**source.files())
    return request.param, train(request.param, top / "out", source), source


@pytest.fixture(scope="module")
def another(pretrained, tmp_path_factory):
    """Another variant: an MAE that hides a quarter, and reads another kind of text than M&M."""
    return train("maco", tmp_path_factory.mktemp("another") / "out", pretrained[2], mask_fraction=0.25)


def test_validation_films_are_explained(pretrained):
    paper, folder, source = pretrained
    examples = explain_films([folder], source, 3)
    validation = {"made-003", "made-007", "made-011", "made-015"}
    assert {example.caption.split(":")[0] for example in examples} < validation
    assert {example.caption.split(": ")[1] for example in examples} == {"Lung Opacity"}
    for example in examples:
        film, ridge = ImageStore(source.manifest.parent).read([example.caption.split(":")[0]])
        np.testing.assert_allclose(example.film_SS, film[0] / 255, atol=1e-6)
        if paper == "mnm":
            np.testing.assert_allclose(example.ridge_SS, ridge[0] / 255, atol=1e-6)
        else:
            assert example.ridge_SS is None
        (mask,) = example.masks
        assert mask.hidden_hw.shape == (4, 4)
        assert mask.hidden_hw.dtype == bool
        assert 0 < mask.hidden_hw.mean() < 1
        assert mask.reconstruction_SS.shape == (32, 32)


def test_visible_patches_are_the_film_itself(pretrained):
    _, folder, source = pretrained
    (example,) = explain_films([folder], source, 1)
    (mask,) = example.masks
    is_visible = np.kron(~mask.hidden_hw, np.ones((8, 8), bool))
    np.testing.assert_allclose(mask.reconstruction_SS[is_visible], example.film_SS[is_visible], atol=1e-5)


def test_no_report_text_is_shown(pretrained):
    _, folder, source = pretrained
    reports = pd.read_parquet(source.reports)
    words = {word for text in reports["manuscript"] for word in text.lower().split()} - {"edema", "lung", "opacity"}
    examples = explain_films([folder], source, 4)
    assert not words & {word for example in examples for word in example.caption.lower().split()}
    assert all(example.draw_text is None for example in examples)


def test_report_text_is_shown_where_it_is_asked_for(pretrained):
    paper, folder, source = pretrained
    examples = explain_films([folder], source, 4, shows_reports=True)
    for example in examples:
        panel = Figure().subplots()
        example.draw_text(panel)
        assert len(panel.texts) > 5
        # M&M hides words, MaCo none.
        assert any(text.get_bbox_patch() for text in panel.texts) == (paper == "mnm")


@pytest.mark.parametrize(("paper", "method", "guides"), [("medim", {}, True), ("dmlm", {"text": "report"}, False)])
def test_words_are_shown_as_guides_where_the_method_looks_at_them(pretrained, tmp_path, paper, method, guides):
    """Of the same reports, in which the same words are marked."""
    folder = train(paper, tmp_path, pretrained[2], **method)
    panel = Figure().subplots()
    for shown in explain_films([folder], pretrained[2], 4, shows_reports=True):
        shown.draw_text(panel)
    assert any(text.get_fontweight() == "bold" for text in panel.texts) == guides


def test_it_is_the_same_twice_and_asks_for_no_more_than_there_are(pretrained):
    _, folder, source = pretrained
    one, two = explain_films([folder], source, 9), explain_films([folder], source, 9)
    assert len(one) == 4
    for first, second in zip(one, two, strict=True):
        assert (first.masks[0].hidden_hw == second.masks[0].hidden_hw).all()
        assert (first.masks[0].reconstruction_SS == second.masks[0].reconstruction_SS).all()


def test_several_models_stand_side_by_side_on_the_same_films(pretrained, another):
    _, folder, source = pretrained
    alone = [explain_films([one], source, 3) for one in (folder, another)]
    together = explain_films([folder, another], source, 3, names=["Ours", "Random patches"])
    for film, *single in zip(together, *alone, strict=True):
        assert film.caption == single[0].caption == single[1].caption
        assert [mask.name for mask in film.masks] == ["Ours", "Random patches"]
        for shown, of_one in zip(film.masks, single, strict=True):
            assert (shown.hidden_hw == of_one.masks[-1].hidden_hw).all()
            assert (shown.reconstruction_SS == of_one.masks[-1].reconstruction_SS).all()
        assert film.masks[1].hidden_hw.mean() == 0.25


def test_several_models_need_a_name_each(pretrained):
    _, folder, source = pretrained
    with pytest.raises(InputError, match="1 names for 2 models"):
        explain_films([folder, folder], source, 3, names=["Ours"])


def test_a_model_that_restores_nothing_has_no_place_beside_others(pretrained, tmp_path):
    _, folder, source = pretrained
    nothing = train("mnm", tmp_path / "out", source, mask="none", text_mask_fraction=0.0)
    with pytest.raises(InputError, match="Nothing: this model restores nothing"):
        explain_films([folder, nothing], source, 3, names=["Ours", "Nothing"])


def test_without_validation_films_it_says_so(pretrained, tmp_path):
    _, folder, source = pretrained
    pd.read_csv(source.split).assign(part="train").to_csv(tmp_path / "split.csv", index=False)
    with pytest.raises(InputError, match="no test film"):
        explain_films([folder], dataclasses.replace(source, split=tmp_path / "split.csv"), 2)


def test_a_missing_file_is_named(pretrained, tmp_path):
    _, folder, source = pretrained
    with pytest.raises(InputError, match=r"none\.parquet"):
        explain_films([folder], dataclasses.replace(source, reports=tmp_path / "none.parquet"), 2)
