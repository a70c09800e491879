"""Where pre-trained weights lie. Nothing here uses the network: ``fetch_weights`` alone does.

A name is looked up in the folder that the environment variable MASKRAY_WEIGHTS names (``weights/`` by default), with
``/`` written as ``--``: ``emilyalsentzer/Bio_ClinicalBERT`` lies in ``weights/emilyalsentzer--Bio_ClinicalBERT/``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from maskray.config.encoders import ImageEncoderConfig
from maskray.errors import InputError

WEIGHTS_FILE = "model.safetensors"


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
