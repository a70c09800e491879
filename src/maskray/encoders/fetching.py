"""Fetches pre-trained weights from the Hugging Face hub: the only place that uses it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from maskray.encoders.weights import WEIGHTS_FILE, Fetched
from maskray.errors import InputError
from maskray.files import hash_of_file

PICKLED_FILE = "pytorch_model.bin"
_WANTED = ("*.json", "vocab.txt", "merges.txt", WEIGHTS_FILE)


def repository_of(name: str) -> tuple[str, str | None]:
    """The hub's repository that ``name`` means: ``owner/name``, ``owner--name``, or timm's ``model.tag``; and revision.

    What follows an ``@`` is the revision: a commit, a tag or a branch; None where the name has none.
    """
    name, _, revision = name.partition("@")
    wanted = revision.replace("--", "/") or None
    if "/" in name or "--" in name:
        return (name if "/" in name else name.replace("--", "/", 1)), wanted
    if "." not in name:
        raise InputError(
            f"{name}: neither owner/name nor a timm name with its tag, as vit_base_patch16_224.augreg_in1k"
        )
    return f"timm/{name}", wanted


def fetch(name: str, folder: Path) -> Fetched:
    """Fetch the weights ``name`` into ``folder`` as safetensors, with settings and tokenizer.

    Files arrive in ``folder`` only after all of them have been fetched and converted. All are of one commit: that of
    the revision that the name asks for, else the hub's newest.
    """
    repository, revision = repository_of(name)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=folder) as partial:
        downloaded = Path(partial)
        commit = _download(repository, revision, downloaded)
        _convert(repository, downloaded)
        files = sorted(path for path in downloaded.iterdir() if path.is_file())
        for file in files:
            shutil.move(file, folder / file.name)
    return Fetched(repository, revision, commit, {file.name: hash_of_file(folder / file.name) for file in files})


def _download(repository: str, revision: str | None, folder: Path) -> str:
    """Download safetensors where the repository has them, else the pickled weights; return their commit."""
    from huggingface_hub import model_info, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HTTPError, LocalEntryNotFoundError

    try:
        commit = str(model_info(repository, revision=revision).sha)
        snapshot_download(repository, revision=commit, local_dir=folder, allow_patterns=list(_WANTED))
        if not (folder / WEIGHTS_FILE).is_file():
            snapshot_download(repository, revision=commit, local_dir=folder, allow_patterns=[PICKLED_FILE])
    except (HfHubHTTPError, HTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        asked = repository if revision is None else f"{repository} at revision {revision}"
        raise InputError(f"{asked}: not fetched from the hub ({reason}): check the name and the network") from None
    return commit


def _convert(repository: str, folder: Path) -> None:
    """Rewrite pickled weights as safetensors; only tensors are unpickled, never code."""
    import torch
    from safetensors.torch import save_file

    pickled = folder / PICKLED_FILE
    if (folder / WEIGHTS_FILE).is_file():
        return
    if not pickled.is_file():
        raise InputError(f"{repository}: has neither {WEIGHTS_FILE} nor {PICKLED_FILE}")
    weights = torch.load(pickled, map_location="cpu", weights_only=True)
    # Tied weights share memory, which safetensors refuses; copies cost a few megabytes.
    copies = {name: value.clone().contiguous() for name, value in weights.items()}
    save_file(copies, folder / WEIGHTS_FILE, metadata={"format": "pt"})
    pickled.unlink()
