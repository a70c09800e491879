"""A linear probe over all label fractions and seeds beside one run for each, which computes the features anew."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from torch import nn

from maskray.benchmarks.made import make_films, store_films
from maskray.benchmarks.measure import Row, Sizes, compare
from maskray.config.encoders import ImageEncoderConfig
from maskray.config.preprocessing import ImagesConfig
from maskray.config.training import LinearProbeConfig
from maskray.data.index import TEXT_COLUMNS
from maskray.data.shard_store import MANIFEST_NAME
from maskray.encoders import ImageEncoder, ImageFeatures
from maskray.evaluation.images import BenchmarkImages
from maskray.evaluation.linear_probe import probe_all
from maskray.evaluation.predictions import Predictions
from maskray.evaluation.runtime import Runtime, prepare_runtime
from maskray.files import write_text

_FRACTIONS, _SEEDS = (0.1, 0.5, 1.0), (0, 1, 2, 3, 4)
_LABEL = "Made"
# Enough epochs that the heads' own time counts.
_PROBE = LinearProbeConfig(num_epochs=20, learning_rate=5e-4, weight_decay=1e-6, batch_size=64, patience=20)


def measure_probes(folder: Path, sizes: Sizes, seconds: float) -> list[Row]:
    """15 heads on a ViT-Ti/16 at 224 px with random weights; both sides run in this process, without a start-up."""
    images = make_benchmark(folder, sizes.num_probe_films, sizes.film_px)
    encoder = small_encoder(sizes.film_px, 16 if sizes.film_px % 16 == 0 else 8)
    runtime = prepare_runtime(1, "32-true")
    ours, peer = (partial(probe, encoder, images, runtime) for probe in (_together, _each_alone))
    difference = max(
        float(np.abs(one.scores_NL - other.scores_NL).max()) for one, other in zip(ours(), peer(), strict=True)
    )
    row = compare(
        f"linear probe, {len(_FRACTIONS)} fractions x {len(_SEEDS)} seeds, ViT-Ti/16, {len(images.store)} films",
        "heads/s",
        lambda _: ours,
        lambda _: peer,
        peer_name="features anew for each head",
        num_items=len(_FRACTIONS) * len(_SEEDS),
        seconds=seconds,
        agreement={"largest difference of a probability": difference},
    )
    return [row]


def _together(encoder: nn.Module, images: BenchmarkImages, runtime: Runtime) -> list[Predictions]:
    return [found for _, _, found in probe_all(encoder, images, _PROBE, _FRACTIONS, _SEEDS, runtime)]


def _each_alone(encoder: nn.Module, images: BenchmarkImages, runtime: Runtime) -> list[Predictions]:
    runs = ((fraction, seed) for fraction in _FRACTIONS for seed in _SEEDS)
    return [
        found
        for fraction, seed in runs
        for _, _, found in probe_all(encoder, images, _PROBE, [fraction], [seed], runtime)
    ]


def small_encoder(image_px: int, patch_px: int) -> nn.Module:
    """A ViT-Ti with random weights."""
    size = {"width": 192, "depth": 12, "num_heads": 3}
    config = ImageEncoderConfig(name="vit_tiny_patch16_224", weights=None, image_px=image_px, patch_px=patch_px, **size)
    return ImageFeatures(ImageEncoder(config), "class token").eval()


def make_benchmark(folder: Path, num_films: int, film_px: int) -> BenchmarkImages:
    """Films with a made label: half of them to train on, a quarter each to validate and to test."""
    films = make_films(folder / "films", num_films, film_px)
    store = store_films(films, ImagesConfig(size_px=film_px), folder / "shards")
    index = films.index.assign(patient_id=films.index["study_id"]).reindex(columns=TEXT_COLUMNS, fill_value="")
    index[f"label_{_LABEL}"] = (np.arange(len(index)) // 2 % 2).astype(np.float32)
    index.to_parquet(folder / "index.parquet", index=False)
    lines = ["image_id,part,fraction"]
    for number, name in enumerate(index["image_id"]):
        part = ("train", "train", "validation", "test")[number * 4 // len(index)]
        # Of the training part the first tenth is in all fractions, the first half in two.
        place = number * 2 / len(index)
        fraction = next((share for share in _FRACTIONS if place < share), 1.0) if part == "train" else ""
        lines.append(f"{name},{part},{fraction}")
    write_text(folder / "split.csv", "\n".join(lines) + "\n")
    return BenchmarkImages(folder / "index.parquet", folder / "split.csv", store / MANIFEST_NAME, [_LABEL])
