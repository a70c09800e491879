"""What pre-training leaves behind, and how it is read again.

In the folder: ``weights.safetensors`` (the whole method), ``image_encoder.safetensors`` (timm names),
``text_encoder/`` (Hugging Face model and tokenizer), ``method.yaml`` (settings by value), ``log.csv``, ``maps.csv``.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from maskray.config.stages import PretrainStage
from maskray.encoders import ImageEncoder, ImageFeatures
from maskray.errors import InputError
from maskray.files import read_yaml, write_yaml, written_whole
from maskray.methods import METHODS, Method, build_method
from maskray.reports.tokens import load_tokenizer
from maskray.training.preparation import vocabulary_of


@dataclass(frozen=True)
class LoadedMethod:
    """A pre-trained method in evaluation mode, on the host; ``stage`` is what it was trained with."""

    method: Method
    tokenizer: Any
    stage: PretrainStage


FILES = ("weights.safetensors", "image_encoder.safetensors", "method.yaml")
"""What :func:`export_method` writes besides the folder of the text encoder."""


def export_method(
    method: Method, tokenizer: Any, stage: PretrainStage, folder: Path, records: Sequence[Path] = ()
) -> None:
    """Write the files of the folder, each whole or absent; ``weights.safetensors`` is the last.

    ``image_encoder.safetensors`` loads with ``timm.create_model(name, num_classes=0, checkpoint_path=…)``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _hide_progress_bars()
    partial = folder / ".text_encoder.partial"
    shutil.rmtree(partial, ignore_errors=True)
    method.text_encoder.model.save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    shutil.rmtree(folder / "text_encoder", ignore_errors=True)
    partial.replace(folder / "text_encoder")
    _save_weights(method.image_encoder.model, folder / "image_encoder.safetensors")
    write_yaml(folder / "method.yaml", {"stage": stage.model_dump(mode="json"), "vocabulary_size": len(tokenizer)})
    for record in records:
        with written_whole(folder / record.name) as partial_record:
            shutil.copyfile(record, partial_record)
    _save_weights(method, folder / "weights.safetensors")


def load_method(folder: str | Path) -> LoadedMethod:
    """Build a pre-trained method again from its folder alone; the original pre-trained weights are not needed.

    Raises:
        InputError: a file is missing, damaged, or does not belong to the others.
    """
    folder = Path(folder)
    stage, vocabulary_size = _read_settings(folder / "method.yaml")
    _hide_progress_bars()
    tokenizer = load_tokenizer(folder / "text_encoder", stage.text_encoder.kind)
    if len(tokenizer) != vocabulary_size:
        raise InputError(
            f"{folder / 'text_encoder'}: {len(tokenizer)} word pieces where method.yaml says "
            f"{vocabulary_size}; run pretrain again"
        )
    method = build_method(
        stage.paper,
        stage.method,
        stage.image_encoder.model_copy(update={"weights": None}),
        # Its config.json knows the sizes, which the settings give only where the weights were random.
        stage.text_encoder.model_copy(update={"weights": str(folder / "text_encoder")}),
        vocabulary_of(tokenizer, stage),
    )
    _load_weights(method, folder / "weights.safetensors")
    return LoadedMethod(method.eval(), tokenizer, stage)


def load_image_encoder(folder: str | Path) -> ImageFeatures:
    """Build the image encoder alone, in evaluation mode, on the host, with the feature that its method declares.

    Spares jobs that read no text the text encoder and the seconds that its libraries take to load.

    Raises:
        InputError: as :func:`load_method`.
    """
    folder = Path(folder)
    stage, _ = _read_settings(folder / "method.yaml")
    encoder = ImageEncoder(stage.image_encoder.model_copy(update={"weights": None}))
    # Not image_encoder.safetensors: the weights of the whole method are written last, so that they vouch for the rest.
    _load_weights(encoder, folder / "weights.safetensors", "image_encoder.")
    return ImageFeatures(encoder, METHODS[stage.paper].image_feature).eval()


def _read_settings(path: Path) -> tuple[PretrainStage, int]:
    """What the method was trained with, and the size of its vocabulary."""
    settings = read_yaml(path)
    if not isinstance(settings, dict) or set(settings) != {"stage", "vocabulary_size"}:
        raise InputError(f"{path}: not written by pretrain; run it again")
    stage = PretrainStage.parse(settings["stage"], path)
    if stage.paper not in METHODS:
        raise InputError(f"{path}: no method {stage.paper}; there are: {', '.join(METHODS)}")
    return stage, settings["vocabulary_size"]


def _hide_progress_bars() -> None:
    """Transformers draws a bar for every file, on terminals and in logs alike."""
    from transformers.utils import logging

    logging.disable_progress_bar()


def _save_weights(module: nn.Module, path: Path) -> None:
    # Clones, since safetensors refuses tensors that share memory (tied weights), and the host's, whatever the device.
    tensors = {name: value.detach().cpu().clone() for name, value in module.state_dict().items()}
    with written_whole(path) as partial:
        save_file({name: value.contiguous() for name, value in tensors.items()}, partial)


def _load_weights(module: nn.Module, path: Path, prefix: str = "") -> None:
    """Load the tensors whose names begin with ``prefix``; no others are read."""
    try:
        with safe_open(path, framework="pt") as file:
            names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118  (it is no dictionary)
            module.load_state_dict({name.removeprefix(prefix): file.get_tensor(name) for name in names})
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; run pretrain first") from None
    except SafetensorError as error:
        raise InputError(f"{path}: damaged ({error}); delete it and run pretrain again") from None
    except RuntimeError:
        raise InputError(f"{path}: its tensors do not fit method.yaml; run pretrain again") from None
