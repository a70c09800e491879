"""A few made studies as the earlier stages leave them: index, split, shards, reports; and settings of tiny models."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from maskray.config.preprocessing import ImagesConfig, MeshConfig
from maskray.data.pairs import PairSource
from maskray.data.shard_store import digest_of
from maskray.files import hash_of, write_json
from maskray.methods import METHODS
from maskray.reports.entities import entity_spans
from maskray.reports.mesh import mesh_spans
from maskray.reports.styles import text_of
from maskray.reports.vocabulary import finding_of_words

FINDINGS = ("pneumothorax", "pleural effusion", "cardiomegaly", "consolidation", "edema", "atelectasis")


def make_source(folder: Path, num_studies: int = 24, side: int = 32, name: str = "made") -> PairSource:
    """Write one data set of ``num_studies`` studies with one film each; three of four are in the training part."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(5)
    ids = [f"{name}-{number:03d}" for number in range(num_studies)]
    studies = [f"s{number:03d}" for number in range(num_studies)]
    index = pd.DataFrame({"image_id": ids, "study_id": studies, "patient_id": studies, "view": "PA"})
    index.to_parquet(folder / "index.parquet")
    parts = ["test" if number % 4 == 3 else "train" for number in range(num_studies)]
    split = pd.DataFrame({"image_id": ids, "part": parts, "fraction": ""})
    split.to_csv(folder / "split.csv", index=False)
    pd.DataFrame([_report(study, number) for number, study in enumerate(studies)]).to_parquet(
        folder / "reports.parquet"
    )
    films = generator.integers(0, 255, (num_studies, side, side)).astype(np.uint8)
    _write_shards(folder / "shards", ids, films, name)
    return PairSource(
        index=folder / "index.parquet",
        split=folder / "split.csv",
        manifest=folder / "shards" / "manifest.json",
        reports=folder / "reports.parquet",
    )


def stage(paper: str = "maco", side: int = 32, **optimisation: Any) -> dict[str, Any]:
    """``pretrain.yaml`` of a tiny model; keyword arguments go to the optimisation section."""
    is_clip = METHODS[paper].text_kind == "clip"
    decoder = {"decoder_width": 16, "decoder_depth": 1, "decoder_num_heads": 2}
    method = {
        "maco": {"group_size": 2, **decoder},
        "mnm": {"latent_width": 16, "cross_depth": 1, "cross_num_heads": 2, **decoder},
        "dmlm": {"latent_width": 16, "cross_depth": 1, "cross_num_heads": 2},
        "medim": {"joint_width": 16, "decoder_channels": [16, 8, 4], "num_prototypes": 6},
        "mmclip": {"joint_width": 16, "text_decoder_depth": 1, "text_decoder_num_heads": 2, **decoder},
    }[paper]
    return {
        "paper": paper,
        "variant": "default",
        "method": method,
        "image_encoder": {
            "name": "vit_tiny_patch16_224",
            "weights": None,
            "image_px": side,
            "patch_px": 8,
            "width": 16,
            "depth": 1,
            "num_heads": 2,
        },
        "text_encoder": {
            "kind": METHODS[paper].text_kind,
            "weights": None,
            "max_tokens": 48,
            "width": 16,
            "depth": 1,
            "num_heads": 2,
            # Every byte is a piece of CLIP's, twice.
            "vocabulary_size": 700 if is_clip else 400,
        },
        "pretrain": {
            "datasets": ["made"],
            "protocol": "paper",
            "optimisation": {
                "batch_size": 4,
                "num_epochs": 3,
                "learning_rate": 1e-3,
                "phase_steps": [0] if paper == "mmclip" else [],
                **optimisation,
            },
        },
        "threads": 1,
        "precision": "32-true",
    }


def _report(study: str, number: int) -> dict[str, Any]:
    """Every report names its findings; the sentences differ in number."""
    present = [finding for bit, finding in enumerate(FINDINGS) if number >> bit & 1] or ["no finding"]
    sentences = [f"there is {finding} in the left lung." for finding in present] + ["the heart is seen."]
    manuscript, answers = "", []
    for finding in present:
        manuscript += f"Is there {finding}? "
        answers.append([len(manuscript), len(manuscript) + 3])
        manuscript += f"Yes. Verdict: {finding} present. "
    return {
        "study_id": study,
        "findings": " ".join(sentences),
        "impression": f"{present[0]}.",
        "sentences": sentences,
        "triplets": "[]",
        "manuscript": manuscript.strip(),
        "answers": json.dumps(answers),
        "observations": json.dumps([[finding, "left lung", "present"] for finding in present]),
        "verdicts": json.dumps({found.name: "present" for found in map(finding_of_words, present) if found}),
        "entities": json.dumps(entity_spans(text_of(" ".join(sentences), f"{present[0]}."))),
        "mesh": json.dumps(mesh_spans(text_of(" ".join(sentences), f"{present[0]}."), MeshConfig())),
    }


def _write_shards(folder: Path, ids: list[str], films: np.ndarray, name: str) -> None:
    folder.mkdir()
    settings = ImagesConfig(size_px=films.shape[1]).model_dump(mode="json")
    checksums = write_shard_file(folder / "part-0.h5", ids, films)
    part = {"file": "part-0.h5", "num_images": len(ids), "sha256_of_checksums": digest_of(ids, checksums)}
    manifest = {"schema_version": 2, "dataset": name, "settings": settings, "parts": [part]}
    manifest |= {"num_images": len(ids), "num_rejected": 0, "hash": hash_of(part)}
    write_json(folder / "manifest.json", manifest)


def write_shard_file(path: Path, ids: list[str], films: np.ndarray) -> np.ndarray:
    """One shard; the ridge response is the film upside down, so that tests can tell them apart."""
    import zlib

    checksums = np.array([zlib.crc32(film.tobytes()) for film in films], dtype=np.uint32)
    with h5py.File(path, "w") as file:
        chunk = (1, *films.shape[1:])
        file.create_dataset("images", data=films, chunks=chunk)
        file.create_dataset("ridge", data=np.ascontiguousarray(films[:, ::-1]), chunks=chunk)
        file.create_dataset("image_id", data=ids, dtype=h5py.string_dtype())
        file.create_dataset("checksum", data=checksums)
        file.attrs["schema_version"] = 2
    return checksums
