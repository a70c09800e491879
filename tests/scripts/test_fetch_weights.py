"""The program that fetches weights, with a folder in place of the hub."""

import json
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file

from maskray.encoders import fetching
from maskray.errors import InputError

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import fetch_weights

NEWEST, TAGGED = "a" * 40, "b" * 40
COMMITS = {None: NEWEST, NEWEST: NEWEST, "v1": TAGGED, TAGGED: TAGGED}


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A folder that answers as the hub: one folder per repository as it is now, and one as it was at the tag v1."""

    def info(repository, revision=None):
        if not (tmp_path / "hub" / repository).is_dir() or revision not in COMMITS:
            raise OSError(f"nothing at {repository} {revision}")
        return SimpleNamespace(sha=COMMITS[revision])

    def download(repository, revision, local_dir, allow_patterns):
        source = tmp_path / "hub" / repository
        for file in (source if revision == NEWEST else source / revision).iterdir():
            if any(fnmatch(file.name, pattern) for pattern in allow_patterns):
                shutil.copy(file, local_dir)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    monkeypatch.setattr("huggingface_hub.model_info", info)
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
    assert (record["repository"], record["revision"], record["commit"]) == ("owner/bert", None, NEWEST)
    assert set(record["sha256"]) == {"config.json", "model.safetensors"}


def test_safetensors_are_preferred(hub, tmp_path):
    source = hub / "timm/vit_tiny.tag"
    source.mkdir(parents=True)
    save_file({"a": torch.ones(2)}, source / "model.safetensors")
    (source / "pytorch_model.bin").write_bytes(b"never read")
    fetch_weights.main(["--weights", "vit_tiny.tag", "--fetched", str(tmp_path / "w/fetched.json")])
    assert not (tmp_path / "w/pytorch_model.bin").exists()
    assert torch.equal(load_file(tmp_path / "w/model.safetensors")["a"], torch.ones(2))


@pytest.mark.parametrize("revision", ["v1", TAGGED])
def test_a_revision_is_fetched_as_it_was_and_its_commit_is_noted(hub, tmp_path, revision):
    then = hub / "owner/bert" / TAGGED
    then.mkdir(parents=True)
    save_file({"a": torch.zeros(2)}, then / "model.safetensors")
    save_file({"a": torch.ones(2)}, then.parent / "model.safetensors")
    target = tmp_path / f"weights/owner--bert@{revision}"
    fetch_weights.main(["--weights", target.name, "--fetched", str(target / "fetched.json")])
    assert torch.equal(load_file(target / "model.safetensors")["a"], torch.zeros(2))
    record = json.loads((target / "fetched.json").read_text())
    assert (record["repository"], record["revision"], record["commit"]) == ("owner/bert", revision, TAGGED)
    with pytest.raises(InputError, match=r"owner/bert at revision v2: not fetched from the hub"):
        fetching.fetch("owner/bert@v2", tmp_path / "w")


def test_pickled_weights_are_of_the_revision_too(hub, tmp_path):
    then = hub / "owner/bert" / TAGGED
    then.mkdir(parents=True)
    torch.save({"a": torch.zeros(2)}, then / "pytorch_model.bin")
    save_file({"a": torch.ones(2)}, then.parent / "model.safetensors")
    fetching.fetch("owner/bert@v1", tmp_path / "w")
    assert torch.equal(load_file(tmp_path / "w/model.safetensors")["a"], torch.zeros(2))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("owner/bert", ("owner/bert", None)),
        ("owner--bert", ("owner/bert", None)),
        ("owner--bert--small@v1", ("owner/bert--small", "v1")),
        ("owner/bert--small@refs--pr--1", ("owner/bert--small", "refs/pr/1")),
        ("vit_tiny.tag@v1", ("timm/vit_tiny.tag", "v1")),
        ("vit_tiny.tag", ("timm/vit_tiny.tag", None)),
    ],
)
def test_names_mean_a_repository_and_a_revision(name, meant):
    assert fetching.repository_of(name) == meant


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
