"""Where pre-trained weights lie, and what they are. Nothing here uses the network.

Of maskray's programs two do: ``fetch_weights``, which brings weights from the hub, and ``generate_definitions``, where
an ``--endpoint`` is named. A name is looked up in the folder that the environment variable MASKRAY_WEIGHTS names
(``weights/`` by default), with ``/`` written as ``--``: ``emilyalsentzer/Bio_ClinicalBERT`` lies in
``weights/emilyalsentzer--Bio_ClinicalBERT/``. A name may pin a revision of the hub (commit, tag or branch) behind an
``@``, and then has a folder of its own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from maskray.config.encoders import ImageEncoderConfig, TextEncoderConfig
from maskray.errors import InputError
from maskray.files import hash_of_file, read_json

WEIGHTS_FILE = "model.safetensors"
RECORD_FILE = "fetched.json"


@dataclass(frozen=True)
class Fetched:
    """What a folder was fetched from.

    Attributes:
        repository: of the hub.
        revision: that was asked for; None: the newest.
        commit: that it was, 40 hexadecimal digits.
        sha256: of every file.
    """

    repository: str
    revision: str | None
    commit: str
    sha256: Mapping[str, str]


def folder_name(name: str) -> str:
    """``name`` as one folder name."""
    return name.replace("/", "--")


def find_weights(*names: str) -> Path:
    """The file or folder that the first of ``names`` to exist stands for: a path, or a name that was fetched.

    Raises:
        InputError: none is here; says how to get it.
    """
    root = Path(os.environ.get("MASKRAY_WEIGHTS", "weights"))
    for name in names:
        for path in (Path(name), root / folder_name(name)):
            if path.is_file() or (path.is_dir() and any(path.iterdir())):
                return path
    raise InputError(f"weights {' or '.join(names)} are not here ({root}/): run `snakemake weights`")


def find_image_weights(config: ImageEncoderConfig) -> Path:
    """The file or folder of an image encoder's weights; raises as :func:`find_weights`."""
    assert config.weights is not None
    # timm tags are written without the model's name in timm's own settings, with it on the hub.
    return find_weights(config.weights, f"{config.name}.{config.weights}")


def describe_weights(image: ImageEncoderConfig, text: TextEncoderConfig) -> dict[str, dict[str, Any]]:
    """What each encoder starts from, for the provenance; nothing of one that starts at random.

    The name, the SHA-256 of the weights as they lie here, and of a fetched folder the repository, the revision that was
    asked for and the commit that it was.
    """
    described = {}
    if image.weights is not None:
        described["image_encoder"] = {"weights": image.weights} | _described(find_image_weights(image))
    if text.weights is not None:
        described["text_encoder"] = {"weights": text.weights} | _described(find_weights(text.weights))
    return described


def _described(path: Path) -> dict[str, Any]:
    file = path / WEIGHTS_FILE if path.is_dir() else path
    hashed = {"sha256": hash_of_file(file)} if file.is_file() else {}
    record = file.parent / RECORD_FILE
    fetched = read_json(record) if record.is_file() else {}
    # Folders fetched before commits were noted have none.
    return {key: fetched[key] for key in ("repository", "revision", "commit") if key in fetched} | hashed


def read_weights(path: Path) -> dict[str, Tensor]:
    """Tensors of a safetensors file, or of the ``model.safetensors`` in a folder."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    file = path / WEIGHTS_FILE if path.is_dir() else path
    try:
        return load_file(file)
    except FileNotFoundError:
        raise InputError(f"{path}: no {WEIGHTS_FILE} in it: run `snakemake weights`") from None
    except SafetensorError as error:
        raise InputError(f"{file}: not a whole safetensors file ({error}); fetch it again") from None


def read_tensor(path: Path, name: str) -> Tensor | None:
    """One tensor of a safetensors file, or of the ``model.safetensors`` in a folder; None where it has none so named.

    No other tensor is read. A folder without the file has none.
    """
    from safetensors import SafetensorError, safe_open

    file = path / WEIGHTS_FILE if path.is_dir() else path
    if not file.is_file():
        return None
    try:
        with safe_open(file, framework="pt") as tensors:
            return tensors.get_tensor(name) if name in tensors.keys() else None  # noqa: SIM118  (it is no dictionary)
    except SafetensorError as error:
        raise InputError(f"{file}: not a whole safetensors file ({error}); fetch it again") from None


def load_strictly(model: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Load ``weights`` into ``model``; a name or shape that does not fit is an :class:`InputError`."""
    try:
        model.load_state_dict(weights, strict=True)
    except RuntimeError as error:
        reason = "; ".join(line.strip() for line in str(error).splitlines()[1:3])
        raise InputError(f"{path}: does not fit the configured image encoder: {reason}") from None
