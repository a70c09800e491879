"""What is said of the weights that training starts from."""

import pytest
import torch
from safetensors.torch import save_file

from maskray.config.encoders import ImageEncoderConfig, TextEncoderConfig
from maskray.encoders.weights import describe_weights
from maskray.files import hash_of_file, write_json


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A function that fills a folder of fetched weights."""

    def fill(name, record=None):
        (tmp_path / name).mkdir()
        save_file({"a": torch.zeros(2)}, tmp_path / name / "model.safetensors")
        if record:
            write_json(tmp_path / name / "fetched.json", record)
        return tmp_path / name

    monkeypatch.setenv("MASKRAY_WEIGHTS", str(tmp_path))
    return fill


def test_a_fetched_revision_is_described_by_its_commit(folder):
    record = {
        "repository": "timm/vit.tag",
        "revision": "v1",
        "commit": "b" * 40,
        "sha256": {"model.safetensors": "old"},
    }
    weights = folder("vit.tag@v1", record)
    described = describe_weights(ImageEncoderConfig(name="vit", weights="tag@v1"), TextEncoderConfig(weights=None))
    assert described == {
        "image_encoder": {
            "weights": "tag@v1", "repository": "timm/vit.tag", "revision": "v1", "commit": "b" * 40,
            "sha256": hash_of_file(weights / "model.safetensors"),
        }
    }  # fmt: skip


def test_a_pinned_name_is_not_the_unpinned_one(folder):
    first = folder("owner--bert", {"repository": "owner/bert", "sha256": {}})
    image = ImageEncoderConfig(weights=None)
    described = describe_weights(image, TextEncoderConfig(weights="owner/bert"))["text_encoder"]
    # Fetched before commits were noted.
    assert described == {
        "weights": "owner/bert", "repository": "owner/bert", "sha256": hash_of_file(first / "model.safetensors")
    }  # fmt: skip
    folder("owner--bert@refs--pr--1", {"repository": "owner/bert", "revision": "refs/pr/1", "commit": "c" * 40})
    pinned = describe_weights(image, TextEncoderConfig(weights="owner/bert@refs/pr/1"))["text_encoder"]
    assert pinned["commit"] == "c" * 40


def test_a_folder_or_file_of_ones_own_is_described_by_its_hash(folder):
    own = folder("own")
    file = own / "model.safetensors"
    image = ImageEncoderConfig(weights=str(file))
    assert describe_weights(image, TextEncoderConfig(weights=str(own))) == {
        "image_encoder": {"weights": str(file), "sha256": hash_of_file(file)},
        "text_encoder": {"weights": str(own), "sha256": hash_of_file(file)},
    }
    assert describe_weights(ImageEncoderConfig(weights=None), TextEncoderConfig(weights=None)) == {}
