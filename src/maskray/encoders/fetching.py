"""Fetches pre-trained weights from the Hugging Face hub: the only place that uses it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from maskray.encoders.weights import WEIGHTS_FILE
from maskray.errors import InputError
from maskray.files import hash_of_file

PICKLED_FILE = "pytorch_model.bin"
_WANTED = ("*.json", "vocab.txt", "merges.txt", WEIGHTS_FILE)


def repository_of(name: str) -> str:
    """The hub's repository that ``name`` means: ``owner/name``, ``owner--name``, or timm's ``model.tag``."""
    if "/" in name or "--" in name:
        return name.replace("--", "/", 1)
    if "." not in name:
        raise InputError(
            f"{name}: neither owner/name nor a timm name with its tag, as vit_base_patch16_224.augreg_in1k"
        )
    return f"timm/{name}"


def fetch(name: str, folder: Path) -> dict[str, str]:
    """Fetch the weights ``name`` into ``folder`` as safetensors, with settings and tokenizer.

    Files arrive in ``folder`` only after all of them have been fetched and converted.

    Returns:
        SHA-256 of every file.
    """
    repository = repository_of(name)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=folder) as partial:
        downloaded = Path(partial)
        _download(repository, downloaded)
        _convert(repository, downloaded)
        files = sorted(path for path in downloaded.iterdir() if path.is_file())
        for file in files:
            shutil.move(file, folder / file.name)
    return {file.name: hash_of_file(folder / file.name) for file in files}


def _download(repository: str, folder: Path) -> None:
    """Download safetensors where the repository has them, else the pickled weights."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        snapshot_download(repository, local_dir=folder, allow_patterns=list(_WANTED))
        if not (folder / WEIGHTS_FILE).is_file():
            snapshot_download(repository, local_dir=folder, allow_patterns=[PICKLED_FILE])
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(f"{repository}: not fetched from the hub ({reason}): check the name and the network") from None


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
