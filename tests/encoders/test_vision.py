"""The image encoder against timm itself, and its weights."""

import pytest
import torch
from safetensors.torch import save_file

from maskray.config.encoders import ImageEncoderConfig
from maskray.encoders import ImageEncoder
from maskray.errors import InputError
from maskray.masking.apply import drop, visible_index

SMALL = {"image_px": 32, "patch_px": 8, "width": 32, "depth": 2, "num_heads": 2}


def build(weights=None, **sizes):
    return ImageEncoder(ImageEncoderConfig(weights=weights, **(SMALL | sizes)))


@pytest.fixture
def images():
    return torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_an_open_pass_equals_timm(images):
    encoder = build().eval()
    class_token, patches = encoder(images)
    colour = (images[:, None].expand(-1, 3, -1, -1) - 0.5) / 0.5
    expected = encoder.model.forward_features(colour)
    assert torch.allclose(class_token, expected[:, 0], atol=1e-6)
    assert torch.allclose(patches, expected[:, 1:], atol=1e-6)
    assert (encoder.grid, encoder.num_patches, encoder.width) == ((4, 4), 16, 32)


def test_dropped_patches_cannot_be_seen(images):
    encoder = build().eval()
    hidden = torch.arange(16).expand(3, 16) >= 8
    changed = images.clone()
    changed[:, 16:] = 1 - changed[:, 16:]
    seen = [encoder.encode(drop(encoder.place(encoder.embed(x)), visible_index(hidden))) for x in (images, changed)]
    assert seen[0].shape == (3, 9, 32)
    assert torch.equal(*seen)
    assert not torch.allclose(encoder(images)[0], encoder(changed)[0])


@pytest.mark.parametrize("name", ["vit_base_patch16_224", "vit_base_patch32_clip_224"])
def test_class_attention_is_that_of_timms_last_block(images, name):
    encoder = build(name=name).eval()
    attention = encoder.model.blocks[-1].attn
    attention.fused_attn = False
    seen = []
    attention.attn_drop.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    encoder(images)
    shares = encoder.class_attention(images)
    assert shares.shape == (3, 16)
    assert not shares.requires_grad
    torch.testing.assert_close(shares, seen[0][:, :, 0, 1:].mean(dim=1))


def test_timm_reads_our_checkpoint(tmp_path, images):
    import timm

    encoder = build().eval()
    path = tmp_path / "image_encoder.safetensors"
    save_file(encoder.model.state_dict(), path)
    sizes = {"img_size": 32, "patch_size": 8, "embed_dim": 32, "depth": 2, "num_heads": 2}
    theirs = timm.create_model("vit_base_patch16_224", num_classes=0, checkpoint_path=str(path), **sizes).eval()
    colour = (images[:, None].expand(-1, 3, -1, -1) - 0.5) / 0.5
    assert torch.allclose(theirs(colour), encoder(images)[0], atol=1e-6)


@pytest.mark.parametrize("kind", ["file", "folder", "fetched name", "fetched tag"])
def test_weights_are_found_in_every_form(tmp_path, images, monkeypatch, kind):
    encoder = build().eval()
    folder = tmp_path / "weights" / ("vit_base_patch16_224.tag" if kind == "fetched tag" else "owner--vit")
    folder.mkdir(parents=True)
    head = {"head.weight": torch.zeros(1000, 32), "head.bias": torch.zeros(1000)}
    save_file(encoder.model.state_dict() | head, folder / "model.safetensors")
    monkeypatch.setenv("MASKRAY_WEIGHTS", str(tmp_path / "weights"))
    names = {"file": str(folder / "model.safetensors"), "folder": str(folder), "fetched name": "owner/vit"}
    again = build(weights=names.get(kind, "tag")).eval()
    assert torch.equal(again(images)[0], encoder(images)[0])


def test_positions_of_another_size_are_interpolated(tmp_path):
    path = tmp_path / "small.safetensors"
    save_file(build().model.state_dict(), path)
    larger = build(weights=str(path), image_px=64)
    assert larger.num_patches == 64
    assert larger(torch.rand(1, 64, 64))[1].shape == (1, 64, 32)


def test_missing_weights_say_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("MASKRAY_WEIGHTS", str(tmp_path))
    with pytest.raises(InputError, match=r"weights nowhere.* are not here.*snakemake weights"):
        build(weights="nowhere")


def test_weights_that_do_not_fit_are_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    save_file(build(width=48, num_heads=3).model.state_dict(), path)
    with pytest.raises(InputError, match="does not fit the configured image encoder"):
        build(weights=str(path))
    path.write_bytes(b"half a file")
    with pytest.raises(InputError, match="not a whole safetensors file"):
        build(weights=str(path))


@pytest.mark.parametrize(
    "settings",
    [{"name": "resnet18"}, {"name": "no_such_model"}, {"num_heads": 5}, {"name": "vit_base_patch16_gap_224"}],
)
def test_models_that_are_no_plain_vit_are_refused(settings):
    with pytest.raises(InputError, match="image_encoder"):
        ImageEncoder(ImageEncoderConfig(weights=None, **(SMALL | settings)))
