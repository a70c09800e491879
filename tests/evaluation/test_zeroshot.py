"""Zero-shot classification by pairs of prompts."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from maskray.config.training import ZeroshotConfig
from maskray.errors import InputError
from maskray.evaluation import texts
from maskray.evaluation.zeroshot import build_prompts, encode_texts, in_own_words, score_zeroshot
from tests.made_benchmark import LABELS, TinyMethod

TOKENIZER = SimpleNamespace(pad_token_id=0)


@pytest.fixture(autouse=True)
def letters_as_tokens(monkeypatch):
    """A token is the code of a letter."""

    def encode(tokenizer, text, max_tokens):
        return SimpleNamespace(ids=[ord(letter) % 300 for letter in text][:max_tokens])

    monkeypatch.setattr(texts, "encode", encode)


def test_prompts_from_the_vocabulary_and_from_settings():
    config = ZeroshotConfig(positive="Is there {x}? Yes.", negative="no {x}", phrases={"Edema": "wet lungs"})
    assert build_prompts(LABELS, config) == {
        "Edema": ("Is there wet lungs? Yes.", "no wet lungs"),
        "Cardiomegaly": ("Is there cardiomegaly? Yes.", "no cardiomegaly"),
    }


def test_settings_that_cannot_be_meant_are_refused():
    with pytest.raises(InputError, match=r"zeroshot\.negative: \{x\}"):
        build_prompts(LABELS, ZeroshotConfig(negative="nothing"))
    with pytest.raises(InputError, match=r"zeroshot\.phrases: Oedema is no label of this benchmark"):
        build_prompts(LABELS, ZeroshotConfig(phrases={"Oedema": "water"}))


def test_scores_are_differences_of_cosines(open_images, runtime):
    images, method = open_images(), TinyMethod()
    prompts = build_prompts(LABELS, ZeroshotConfig())
    predictions = score_zeroshot(method, TOKENIZER, 77, images, prompts, runtime)
    assert len(predictions.part("validation").image_ids) == 20
    test = predictions.part("test")
    films = images.read(test.image_ids[:3]).float() / 255
    with torch.no_grad():
        films_E = method.image_encoder(films)
        for column, label in enumerate(LABELS):
            present, absent = (
                torch.cosine_similarity(films_E, encode_texts(method, TOKENIZER, 77, [text], runtime))
                for text in prompts[label]
            )
            np.testing.assert_allclose(test.scores_NL[:3, column], (present - absent).numpy(), atol=1e-6)


def test_of_several_pairs_the_mean_difference(open_images, runtime):
    images, method = open_images(), TinyMethod()
    first, second = ZeroshotConfig(), ZeroshotConfig(positive="{x} is seen", negative="{x} is not seen")
    both = ZeroshotConfig(further=((second.positive, second.negative),))
    scores = [
        score_zeroshot(method, TOKENIZER, 77, images, build_prompts(LABELS, config), runtime).scores_NL
        for config in (first, second, both)
    ]
    np.testing.assert_allclose(scores[2], (scores[0] + scores[1]) / 2, atol=1e-6)
    with pytest.raises(InputError, match=r"zeroshot\.further\.0\.1: \{x\}"):
        build_prompts(LABELS, ZeroshotConfig(further=(("{x}", "nothing"),)))


def test_the_prompts_are_kept_with_the_predictions(open_images, runtime):
    prompts = build_prompts(LABELS, ZeroshotConfig())
    predictions = score_zeroshot(TinyMethod(), TOKENIZER, 77, open_images(), prompts, runtime)
    assert predictions.notes["prompts"]["Edema"] == list(prompts["Edema"])


def test_a_better_prompt_raises_the_score(open_images, runtime):
    """The positive prompt of Edema is made the mean feature of films with Edema, the negative one its opposite."""
    images, method = open_images(), TinyMethod()
    examples = images.examples("train")
    with torch.no_grad():
        films_E = method.encode_image(images.read(examples.image_ids).float() / 255)
        is_edema = torch.from_numpy(examples.labels_NL[:, 0] == 1)
        direction = films_E[is_edema].mean(0) - films_E[~is_edema].mean(0)
    method.encode_text = lambda ids, real: torch.nn.functional.normalize(
        torch.stack([direction, -direction, direction, -direction]), dim=1
    )
    test = score_zeroshot(method, TOKENIZER, 77, images, build_prompts(LABELS, ZeroshotConfig()), runtime).part("test")
    assert test.scores_NL[test.labels_NL[:, 0] == 1, 0].mean() > test.scores_NL[test.labels_NL[:, 0] == 0, 0].mean()


def test_padding_does_not_change_a_text(runtime):
    method = TinyMethod()
    alone = encode_texts(method, TOKENIZER, 77, ["edema"], runtime)
    padded = encode_texts(method, TOKENIZER, 77, ["edema", "no edema at all"], runtime)[:1]
    torch.testing.assert_close(alone, padded)


def test_labels_without_a_phrase_are_called_by_their_own_words():
    config = ZeroshotConfig(phrases={"Grade 1": "vascular congestion"})
    labels = ["Grade 1", "Lung_vascular paucity", "Edema"]
    assert in_own_words(labels, config) == ["Lung_vascular paucity"]
    prompts = build_prompts(labels, config)
    assert [pair[0] for pair in prompts.values()] == [
        "vascular congestion", "lung vascular paucity", "pulmonary edema",
    ]  # fmt: skip


def test_no_label_is_asked_for_by_the_words_of_another():
    labels = ["fracture", "rib fracture", "pleural effusion", "empyema", "Hernia", "hiatal hernia", "atelectasis"]
    prompts = build_prompts(labels, ZeroshotConfig())
    assert len(set(prompts.values())) == len(labels)
    assert "rib fracture" in prompts["rib fracture"][0]
    assert "empyema" in prompts["empyema"][0]
    assert "hiatal hernia" in prompts["hiatal hernia"][0]
