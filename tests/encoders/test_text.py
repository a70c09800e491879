"""The text encoder: padding, dropout, and its weights."""

import pytest
import torch

from maskray.config.encoders import TextEncoderConfig
from maskray.encoders import TextEncoder
from maskray.encoders.text import mean_of_sentences, sentences
from maskray.errors import InputError

SMALL = {"max_tokens": 16, "width": 32, "depth": 2, "num_heads": 2}


def build(weights=None, vocabulary_size=50, **sizes):
    return TextEncoder(TextEncoderConfig(weights=weights, **(SMALL | sizes)), vocabulary_size)


def test_padding_changes_nothing():
    encoder = build().eval()
    ids = torch.randint(5, 50, (2, 10))
    is_real = torch.ones(2, 10, dtype=torch.bool)
    padded = torch.cat([ids, torch.full((2, 3), 7)], dim=1)
    padded_is_real = torch.cat([is_real, torch.zeros(2, 3, dtype=torch.bool)], dim=1)
    alone, with_padding = encoder(ids, is_real), encoder(padded, padded_is_real)
    assert alone.shape == (2, 10, 32)
    assert torch.allclose(alone, with_padding[:, :10], atol=1e-5)


def test_attention_is_fused_and_dropout_is_off():
    encoder = build()
    assert encoder.model.config._attn_implementation == "sdpa"
    ids, is_real = torch.randint(5, 50, (2, 10)), torch.ones(2, 10, dtype=torch.bool)
    assert torch.equal(encoder.train()(ids, is_real), encoder(ids, is_real))
    with_dropout = build(dropout=0.5)
    assert not torch.equal(with_dropout.train()(ids, is_real), with_dropout(ids, is_real))


@pytest.mark.parametrize("kind", ["folder", "fetched name"])
def test_weights_are_read_with_their_sizes(tmp_path, monkeypatch, kind):
    encoder = build(width=48, num_heads=3).eval()
    folder = tmp_path / "owner--bert"
    encoder.model.save_pretrained(folder)
    monkeypatch.setenv("MASKRAY_WEIGHTS", str(tmp_path))
    again = build(weights=str(folder) if kind == "folder" else "owner/bert").eval()
    ids, is_real = torch.randint(5, 50, (2, 10)), torch.ones(2, 10, dtype=torch.bool)
    assert again.width == 48
    assert torch.equal(again(ids, is_real), encoder(ids, is_real))


def test_a_masked_language_model_of_the_hub_is_read(tmp_path):
    from transformers import BertConfig, BertForMaskedLM

    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    BertForMaskedLM(BertConfig(vocab_size=50, **sizes)).save_pretrained(tmp_path)
    assert build(weights=str(tmp_path)).width == 32


def test_wrong_folders_say_what_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setenv("MASKRAY_WEIGHTS", str(tmp_path))
    with pytest.raises(InputError, match=r"weights owner/bert are not here.*snakemake weights"):
        build(weights="owner/bert")
    folder = tmp_path / "owner--bert"
    build().model.save_pretrained(folder)
    with pytest.raises(InputError, match="50 word pieces, but the tokenizer has 51"):
        build(weights="owner/bert", vocabulary_size=51)
    with pytest.raises(InputError, match="at most 16 tokens; lower max_tokens"):
        build(weights="owner/bert", max_tokens=17)
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match="cannot be read as a BERT folder"):
        build(weights="owner/bert")


def test_a_sentence_read_alone_does_not_see_the_others():
    torch.manual_seed(0)
    encoder = build().eval()
    stop, both = 5, torch.tensor([[2, 10, 11, 5, 12, 13, 5, 3, 0]])
    alone = torch.tensor([[2, 12, 13, 5, 3]])
    with torch.inference_mode():
        of_both = encoder(both, both != 0, sentences(both, stop))
        of_alone = encoder(alone, alone != 0, sentences(alone, stop))
    torch.testing.assert_close(of_both[0, 4:7], of_alone[0, 1:4])
    assert not torch.allclose(of_both[0, 0], of_alone[0, 0]), "the class token sees all sentences"


def test_a_stop_ends_its_own_sentence():
    ids = torch.tensor([[2, 10, 11, 5, 12, 5, 3, 0]])
    assert sentences(ids, stop_id=5).tolist() == [[0, 1, 1, 1, 2, 2, 3, 3]]


def test_the_mean_of_sentences_counts_each_sentence_once():
    ids = torch.tensor([[2, 10, 11, 5, 12, 5, 3, 0]])
    tokens = torch.tensor([[9.0, 1, 2, 3, 10, 20, 7, 8]])[:, :, None]
    is_word = ~torch.isin(ids, torch.tensor([0, 2, 3]))
    mean = mean_of_sentences(tokens, sentences(ids, stop_id=5), is_word)
    assert mean.item() == pytest.approx(((1 + 2 + 3) / 3 + (10 + 20) / 2) / 2)
    assert mean_of_sentences(tokens, sentences(ids, 5), torch.zeros_like(is_word)).item() == 0


@pytest.mark.parametrize("kind", ["bert", "clip"])
def test_the_whole_text_is_a_token_or_the_mean_of_the_real_ones(kind):
    tokens = torch.arange(12.0).view(2, 3, 2)
    is_real = torch.tensor([[True, True, False], [True, True, True]])
    seen_all = {"bert": [[0.0, 1.0], [6.0, 7.0]], "clip": [[2.0, 3.0], [10.0, 11.0]]}[kind]
    assert build(kind=kind).whole(tokens, is_real).tolist() == seen_all
    mean = build(kind=kind, feature="mean").whole(tokens, is_real)
    torch.testing.assert_close(mean, torch.tensor([[1.0, 2.0], [8.0, 9.0]]))
