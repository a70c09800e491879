"""A tiny benchmark on disk: index, split and shards of films whose labels can be seen, and a tiny method."""

import zlib
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import torch
from torch import nn

from maskray.config.preprocessing import ImagesConfig
from maskray.data.index import TEXT_COLUMNS
from maskray.data.shard_store import digest_of
from maskray.files import write_json, write_yaml

LABELS = ("Edema", "Cardiomegaly")
CLASSES = ("Normal", "Edema", "Cardiomegaly", "Both")
NUM_PER_PART = {"train": 60, "validation": 20, "test": 30}


@dataclass(frozen=True)
class Paths:
    """Where :func:`write_benchmark` put things."""

    index: Path
    split: Path
    manifest: Path


def paint(labels_L, rng, size_px):
    """A noisy film, uint8: its left half is brighter with Edema, its top half with Cardiomegaly."""
    film = rng.uniform(60, 120, (size_px, size_px))
    film[:, : size_px // 2] += 70 * labels_L[0]
    film[: size_px // 2] += 60 * labels_L[1]
    return film.astype(np.uint8)


def one_class(part, number, labels_L):
    """Of four classes the one that a film is of: ``labels_of`` for the names CLASSES."""
    return np.eye(len(CLASSES), dtype=np.float32)[int(labels_L @ (1, 2))]


def write_benchmark(
    folder, num_per_part=None, rejected=(), size_px=8, labels_of=None, split_extra="", label_names=LABELS
):
    """Two films per patient; 1 in 10 training films is in the fraction 0.1, the first four in 0.05.

    ``labels_of(part, row, labels)`` may change what is stated, under other ``label_names``; ``rejected`` ids are in no
    shard; ``split_extra`` is appended to the split.
    """
    rng = np.random.default_rng(0)
    rows, films = [], {}
    split = ["image_id,part,fraction"]
    for part, num_images in (num_per_part or NUM_PER_PART).items():
        for number in range(num_images):
            image_id = f"{part}-{number:03d}"
            labels_L = np.array([number % 2, number // 2 % 2], np.float32)
            films[image_id] = paint(labels_L, rng, size_px)
            if labels_of is not None:
                labels_L = labels_of(part, number, labels_L)
            text = dict.fromkeys(TEXT_COLUMNS, "") | {"image_id": image_id, "patient_id": f"{part}{number // 4}"}
            rows.append(text | {f"label_{name}": value for name, value in zip(label_names, labels_L, strict=True)})
            fraction = {True: "0.05", False: "0.1" if number < 12 else "1.0"}[number < 4] if part == "train" else ""
            split.append(f"{image_id},{part},{fraction}")
    folder.mkdir(parents=True, exist_ok=True)
    index = pd.DataFrame(rows).sort_values("image_id", ignore_index=True)
    index.astype({f"label_{name}": "float32" for name in label_names}).to_parquet(folder / "index.parquet", index=False)
    (folder / "split.csv").write_text("\n".join(split) + "\n" + split_extra)
    write_shards(folder / "shards", {key: film for key, film in sorted(films.items()) if key not in rejected})
    return Paths(folder / "index.parquet", folder / "split.csv", folder / "shards" / "manifest.json")


def write_shards(folder, films):
    """One shard with its manifest."""
    folder.mkdir(exist_ok=True)
    settings = ImagesConfig(size_px=next(iter(films.values())).shape[0]).model_dump(mode="json")
    checksums = np.array([zlib.crc32(film) for film in films.values()], np.uint32)
    with h5py.File(folder / "part-0.h5", "w") as file:
        file.attrs["schema_version"] = 2
        films_BSS = np.stack(list(films.values()))
        for name, values_BSS in (("images", films_BSS), ("ridge", np.zeros_like(films_BSS))):
            file.create_dataset(name, data=values_BSS, chunks=(1, *films_BSS.shape[1:]))
        file["image_id"] = list(films)
        file["checksum"] = checksums
        file["content"] = np.array([(0, 0, *film.shape) for film in films.values()], np.int32)
    part = {"file": "part-0.h5", "num_images": len(films), "sha256_of_checksums": digest_of(list(films), checksums)}
    manifest = {"schema_version": 2, "dataset": "tiny", "settings": settings, "parts": [part], "hash": "0123"}
    write_json(folder / "manifest.json", manifest | {"num_images": len(films), "num_rejected": 0})


class TinyMethod(nn.Module):
    """As much of a method as benchmarks see; images are 8 px, texts two-letter codes."""

    def __init__(self, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.image_encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 12), nn.Tanh())
        self.text_encoder = nn.EmbeddingBag(300, 12, padding_idx=0)

    def encode_image(self, images_BHW):
        return nn.functional.normalize(self.image_encoder(images_BHW), dim=1)

    def encode_text(self, token_ids_BL, token_is_real_BL):
        return nn.functional.normalize(self.text_encoder(token_ids_BL * token_is_real_BL), dim=1)


DECODER = {"decoder_width": 16, "decoder_depth": 1, "decoder_num_heads": 2}
METHOD_SETTINGS = {
    "maco": {"group_size": 2, **DECODER},
    "mnm": {"latent_width": 16, "cross_depth": 1, "cross_num_heads": 2, **DECODER},
    "dmlm": {"latent_width": 16, "cross_depth": 1, "cross_num_heads": 2},
    "medim": {"joint_width": 16, "decoder_channels": [8, 8, 4], "num_prototypes": 4},
    "mmclip": {"joint_width": 16, "text_decoder_depth": 1, "text_decoder_num_heads": 2, **DECODER},
}


def write_pretrained(folder, paper="maco", size_px=16):
    """A folder as pre-training leaves it, of a tiny random method."""
    from maskray.config.stages import PretrainStage
    from maskray.methods import METHODS, build_method
    from maskray.reports.byte_pairs import build_byte_pairs
    from maskray.reports.tokens import build_tokenizer
    from maskray.training.export import export_method
    from maskray.training.preparation import vocabulary_of

    kind = METHODS[paper].text_kind
    build, num_pieces = {"bert": (build_tokenizer, 120), "clip": (build_byte_pairs, 600)}[kind]
    tokenizer = build(["no edema", "cardiomegaly"], num_pieces, folder.with_name("tokenizer"))
    sizes = {"width": 16, "depth": 1, "num_heads": 2}
    image = {"name": "vit_tiny_patch16_224", "weights": None, "image_px": size_px, "patch_px": 8} | sizes
    stage = PretrainStage.parse(
        {
            "paper": paper,
            "variant": "default",
            "method": METHOD_SETTINGS[paper],
            "image_encoder": image,
            "text_encoder": {"kind": kind, "weights": None, "max_tokens": 24, "vocabulary_size": num_pieces} | sizes,
            "pretrain": {
                "datasets": ["tiny"],
                "protocol": "paper",
                "optimisation": {"batch_size": 4, "num_epochs": 0, "learning_rate": 1e-3},
            },
            "threads": 1,
            "precision": "32-true",
        },
        "stage",
    )
    torch.manual_seed(0)
    vocabulary = vocabulary_of(tokenizer, stage)
    method = build_method(stage.paper, stage.method, stage.image_encoder, stage.text_encoder, vocabulary)
    export_method(method, tokenizer, stage, folder)
    return folder


@dataclass(frozen=True)
class ProgramInputs:
    """What a benchmark program is given, apart from its settings and outputs."""

    folder: Path
    paths: Paths
    pretrained: Path

    def flags(self, settings, **outputs):
        """Write the settings; the command line."""
        write_yaml(self.folder / "settings.yaml", STAGE | settings)
        pairs = {"settings": self.folder / "settings.yaml", "pretrained": self.pretrained} | vars(self.paths) | outputs
        return [part for name, value in pairs.items() for part in (f"--{name}", str(value))]


STAGE = {
    "benchmark": "tiny_classification",
    "dataset": "tiny",
    "labels": list(LABELS),
    "threads": 1,
    "precision": "32-true",
}


def write_inputs(folder, paper="maco", **options):
    """A benchmark of 16 px films and a pre-trained folder."""
    paths = write_benchmark(folder / "data", size_px=16, **options)
    return ProgramInputs(folder, paths, write_pretrained(folder / "pretrain", paper))
