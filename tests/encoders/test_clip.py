"""CLIP's encoders: the causal text encoder, the image encoder against timm, and their projections."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from maskray.config.encoders import ImageEncoderConfig, TextEncoderConfig
from maskray.encoders import ImageEncoder, Prompts, TextEncoder, image_projection, text_projection
from maskray.errors import InputError

SMALL = {"kind": "clip", "max_tokens": 16, "width": 32, "depth": 2, "num_heads": 2}
VIT = {
    "name": "vit_base_patch16_clip_quickgelu_224",
    "image_px": 32,
    "patch_px": 8,
    "width": 32,
    "depth": 2,
    "num_heads": 2,
}
# The two last pieces are first and last of each text, as in CLIP.
START, END = 48, 49


def text_config(weights=None, **changes):
    return TextEncoderConfig(weights=weights, **(SMALL | changes))


def build(weights=None, **changes):
    return TextEncoder(text_config(weights, **changes), 50).eval()


def made_texts():
    ids = torch.randint(0, START, (3, 10), generator=torch.Generator().manual_seed(0))
    ids[:, 0] = START
    lengths = torch.tensor([10, 6, 4])
    ids[torch.arange(3), lengths - 1] = END
    is_real = torch.arange(10) < lengths[:, None]
    return ids.masked_fill(~is_real, END), is_real


def save_clip(folder, vocabulary_size=50):
    """A whole CLIP, both towers and projections, as the hub has it."""
    from transformers import CLIPConfig, CLIPModel

    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    text = sizes | {
        "vocab_size": vocabulary_size,
        "max_position_embeddings": 16,
        "bos_token_id": START,
        "eos_token_id": END,
    }
    vision = sizes | {"image_size": 32, "patch_size": 8}
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=24)).eval()
    model.save_pretrained(folder)
    return model


def test_it_sees_what_comes_before_and_no_padding():
    encoder, (ids, is_real) = build(), made_texts()
    tokens = encoder(ids, is_real)
    later = ids.clone()
    later[0, 5:9] = 7
    assert torch.allclose(encoder(later, is_real)[0, :5], tokens[0, :5], atol=1e-6)
    assert not torch.allclose(encoder(later, is_real)[0, 5:], tokens[0, 5:], atol=1e-3)
    assert torch.allclose(encoder(ids[1:2, :6], is_real[1:2, :6])[0], tokens[1, :6], atol=1e-6)
    assert encoder.model.config._attn_implementation == "sdpa"


def test_the_end_stands_for_the_text_as_transformers_pools_it():
    encoder, (ids, is_real) = build(), made_texts()
    tokens = encoder(ids, is_real)
    whole = encoder.whole(tokens, is_real)
    assert torch.equal(whole, torch.stack([tokens[0, 9], tokens[1, 5], tokens[2, 3]]))
    assert torch.allclose(whole, encoder.model(input_ids=ids, attention_mask=is_real).pooler_output, atol=1e-6)
    bert = TextEncoder(text_config(kind="bert"), 50)
    assert torch.equal(bert.whole(tokens, is_real), tokens[:, 0])


@pytest.mark.parametrize("kind", ["clip", "bert"])
def test_a_table_says_what_each_piece_sees(kind):
    encoder, (ids, is_real) = build(kind=kind), made_texts()
    triangle = torch.ones(10, 10, dtype=torch.bool).tril()
    sees = (triangle if kind == "clip" else torch.ones_like(triangle)) & is_real[:, None] | torch.eye(
        10, dtype=torch.bool
    )
    assert torch.allclose(encoder(ids, is_real, sees_BLL=sees)[is_real], encoder(ids, is_real)[is_real], atol=1e-5)
    # The third piece is hidden from all others: its word then means nothing to them.
    sees[:, :, 2] = False
    sees[:, 2, 2] = True
    other = ids.clone()
    other[:, 2] = 9
    one, two = (encoder(each, is_real, sees_BLL=sees) for each in (ids, other))
    others = torch.arange(10) != 2
    assert torch.equal(one[:, others], two[:, others])
    assert not torch.allclose(one[:, 2], two[:, 2])


def test_a_whole_clip_of_the_hub_is_read_with_its_projection(tmp_path, monkeypatch):
    monkeypatch.setenv("MASKRAY_WEIGHTS", str(tmp_path))
    model = save_clip(tmp_path / "owner--clip")
    ids, is_real = made_texts()
    encoder = build("owner/clip", width=99, depth=7)
    layer = text_projection(text_config("owner/clip"), encoder.width, 24)
    ours = layer(encoder.whole(encoder(ids, is_real), is_real))
    theirs = model.get_text_features(input_ids=ids, attention_mask=is_real)
    theirs = theirs if isinstance(theirs, torch.Tensor) else theirs.pooler_output
    assert torch.allclose(ours, theirs, atol=1e-5)
    # Of another width it is started anew.
    assert text_projection(text_config("owner/clip"), 32, 16).weight.shape == (16, 32)


def test_wrong_folders_say_what_is_wrong(tmp_path):
    save_clip(tmp_path / "clip")
    with pytest.raises(InputError, match="50 word pieces, but the tokenizer has 51"):
        TextEncoder(text_config(str(tmp_path / "clip")), 51)
    with pytest.raises(InputError, match="at most 16 tokens; lower max_tokens"):
        build(str(tmp_path / "clip"), max_tokens=77)
    TextEncoder(text_config(kind="bert"), 50).model.save_pretrained(tmp_path / "bert")
    with pytest.raises(InputError, match=r"bert: (cannot be read as a CLIP folder|lacks \d+ tensors of a CLIP)"):
        build(str(tmp_path / "bert"))


def test_an_open_pass_of_clips_vit_equals_timm(tmp_path):
    encoder = ImageEncoder(ImageEncoderConfig(weights=None, **VIT)).eval()
    assert isinstance(encoder.model.norm_pre, torch.nn.LayerNorm)
    torch.nn.init.normal_(encoder.model.norm_pre.weight)
    films = torch.rand(3, 32, 32)
    class_token, patches = encoder(films)
    mean, deviation = (
        torch.tensor(encoder.model.pretrained_cfg["mean"]),
        torch.tensor(encoder.model.pretrained_cfg["std"]),
    )
    assert mean[0] != 0.5
    colour = (films[:, None] - mean[:, None, None]) / deviation[:, None, None]
    expected = encoder.model.forward_features(colour)
    assert torch.allclose(class_token, expected[:, 0], atol=1e-6)
    assert torch.allclose(patches, expected[:, 1:], atol=1e-6)


def test_clips_image_projection_is_timms_classifier(tmp_path, monkeypatch):
    monkeypatch.setenv("MASKRAY_WEIGHTS", str(tmp_path))
    folder = tmp_path / "vit_base_patch16_clip_224.openai"
    folder.mkdir()
    encoder = ImageEncoder(ImageEncoderConfig(weights=None, **VIT))
    head = {"head.weight": torch.randn(24, 32), "head.bias": torch.zeros(24)}
    save_file(encoder.model.state_dict() | head, folder / "model.safetensors")
    config = ImageEncoderConfig(weights="vit_base_patch16_clip_224.openai", **VIT)
    ImageEncoder(config)
    assert torch.equal(image_projection(config, 32, 24).weight, head["head.weight"])
    assert not torch.equal(
        image_projection(config, 32, 24).weight,
        image_projection(ImageEncoderConfig(weights=None, **VIT), 32, 24).weight,
    )
    # Without a classifier it is random, as CLIP begins.
    save_file(encoder.model.state_dict(), folder / "model.safetensors")
    assert "head.weight" not in load_file(folder / "model.safetensors")
    assert image_projection(config, 32, 4096).weight.std().item() == pytest.approx(32**-0.5, rel=0.05)
    (folder / "model.safetensors").write_bytes(b"half a file")
    with pytest.raises(InputError, match="not a whole safetensors file"):
        image_projection(config, 32, 24)


def test_prompts_are_read_without_their_padding():
    encoder = build()
    prompts = Prompts([(START, 5, END), (START, 6, 7, 8, END)])
    tokens = prompts(encoder)
    assert tokens.shape == (1, 8, 32)
    alone = encoder(torch.tensor([[START, 5, END]]), torch.ones(1, 3, dtype=torch.bool))
    assert torch.allclose(tokens[0, :3], alone[0], atol=1e-6)
