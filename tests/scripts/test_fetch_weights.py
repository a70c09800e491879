"""The program that fetches weights, with a folder in place of the hub."""

import json
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from maskray.encoders import fetching
from maskray.errors import InputError

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import fetch_weights


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A folder that answers as the hub: one folder per repository."""

    def download(repository, local_dir, allow_patterns):
        source = tmp_path / "hub" / repository
        if not source.is_dir():
            raise OSError(f"no repository {repository}")
        for file in source.iterdir():
            if any(fnmatch(file.name, pattern) for pattern in allow_patterns):
                shutil.copy(file, local_dir)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    return tmp_path / "hub"


def test_help_answers(repository):
    script = repository / "scripts/fetch_weights.py"
    answer = subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True, check=True)
    assert "--fetched" in answer.stdout


def test_pickled_weights_become_safetensors(hub, tmp_path):
    source = hub / "owner/bert"
    source.mkdir(parents=True)
    shared = torch.arange(6.0).view(2, 3)
    torch.save({"words": shared, "tied": shared}, source / "pytorch_model.bin")
    (source / "config.json").write_text("{}")
    (source / "flax_model.msgpack").write_text("not wanted")
    target = tmp_path / "weights/owner--bert"
    fetch_weights.main(["--weights", "owner--bert", "--fetched", str(target / "fetched.json")])
    assert sorted(p.name for p in target.iterdir()) == ["config.json", "fetched.json", "model.safetensors"]
    assert torch.equal(load_file(target / "model.safetensors")["tied"], shared)
    record = json.loads((target / "fetched.json").read_text())
    assert record["repository"] == "owner/bert"
    assert set(record["sha256"]) == {"config.json", "model.safetensors"}


def test_safetensors_are_preferred(hub, tmp_path):
    source = hub / "timm/vit_tiny.tag"
    source.mkdir(parents=True)
    save_file({"a": torch.ones(2)}, source / "model.safetensors")
    (source / "pytorch_model.bin").write_bytes(b"never read")
    fetch_weights.main(["--weights", "vit_tiny.tag", "--fetched", str(tmp_path / "w/fetched.json")])
    assert not (tmp_path / "w/pytorch_model.bin").exists()
    assert torch.equal(load_file(tmp_path / "w/model.safetensors")["a"], torch.ones(2))


@pytest.mark.parametrize("name", ["owner/missing", "augreg_in1k"])
def test_a_wrong_name_says_what_to_do_and_leaves_nothing(hub, tmp_path, name):
    with pytest.raises(InputError, match=r"check the name|owner/name"):
        fetch_weights.main(["--weights", name, "--fetched", str(tmp_path / "w/fetched.json")])
    assert not (tmp_path / "w").exists() or not list((tmp_path / "w").iterdir())


def test_a_pickle_with_code_is_refused(hub, tmp_path):
    source = hub / "owner/evil"
    source.mkdir(parents=True)
    torch.save({"path": Path("code would run")}, source / "pytorch_model.bin")
    with pytest.raises(Exception, match=r"[Ww]eights.only"):
        fetching.fetch("owner/evil", tmp_path / "w")
    assert not list((tmp_path / "w").iterdir())
