"""Several pre-training runs that answer together."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.special import expit

from maskray.config.training import ZeroshotConfig
from maskray.errors import InputError
from maskray.evaluation import texts
from maskray.evaluation.ensemble import mean_of_weights, score_together
from maskray.evaluation.zeroshot import build_prompts, score_zeroshot
from maskray.training.export import LoadedMethod
from tests.made_benchmark import LABELS, TinyMethod

TOKENIZER = SimpleNamespace(pad_token_id=0)
STAGE = SimpleNamespace(text_encoder=SimpleNamespace(max_tokens=77), paper="tiny")
PROMPTS = build_prompts(LABELS, ZeroshotConfig())


@pytest.fixture(autouse=True)
def letters_as_tokens(monkeypatch):
    """A token is the code of a letter."""
    ids = lambda text: SimpleNamespace(ids=[ord(letter) % 300 for letter in text])  # noqa: E731
    monkeypatch.setattr(texts, "encode", lambda tokenizer, text, max_tokens: ids(text))


def member(seed, temperature=0.1):
    method = TinyMethod(seed)
    method.temperature = temperature
    return LoadedMethod(method, TOKENIZER, STAGE)


def test_one_member_answers_as_it_is(open_images, runtime):
    images = open_images()
    alone = score_zeroshot(member(1).method, TOKENIZER, 77, images, PROMPTS, runtime)
    together = score_together([member(1)], images, PROMPTS, "probabilities", runtime)
    np.testing.assert_array_equal(together.scores_NL, alone.scores_NL)


def test_of_several_the_mean_probability_at_each_ones_temperature(open_images, runtime):
    images, temperatures = open_images(), {1: 0.1, 2: 0.5, 3: 0.05}
    members = [member(seed, temperature) for seed, temperature in temperatures.items()]
    together = score_together(iter(members), images, PROMPTS, "probabilities", runtime)
    alone = [score_zeroshot(each.method, TOKENIZER, 77, images, PROMPTS, runtime).scores_NL for each in members]
    expected = [expit(scores / tau) for scores, tau in zip(alone, temperatures.values(), strict=True)]
    np.testing.assert_allclose(together.scores_NL, np.mean(expected, axis=0), rtol=1e-5)
    assert together.notes["num_members"] == 3
    assert together.notes["prompts"]["Edema"] == list(PROMPTS["Edema"])


def test_mean_weights_are_one_method(open_images, runtime):
    images = open_images()
    merged = mean_of_weights(iter([member(1), member(2)]))
    for name, value in merged.method.state_dict().items():
        both = [TinyMethod(seed).state_dict()[name] for seed in (1, 2)]
        torch.testing.assert_close(value, (both[0] + both[1]) / 2)
    together = score_together([member(1), member(2)], images, PROMPTS, "weights", runtime)
    alone = score_zeroshot(merged.method, TOKENIZER, 77, images, PROMPTS, runtime)
    np.testing.assert_array_equal(together.scores_NL, alone.scores_NL)


def test_weights_that_do_not_fit_are_refused():
    other = member(2)
    other.method.text_encoder = torch.nn.EmbeddingBag(7, 12)
    with pytest.raises(InputError, match=r"zeroshot\.average: the weights of tiny and tiny do not fit"):
        mean_of_weights([member(1), other])
