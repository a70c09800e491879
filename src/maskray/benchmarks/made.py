"""The made films and reports that are measured on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from maskray.config.preprocessing import ImagesConfig
from maskray.data.made.formats import write_jpeg
from maskray.data.made.frontal import paint_frontal
from maskray.data.made.reports import write_report
from maskray.data.made.studies import draw_study
from maskray.data.shard_manifest import collect_shards
from maskray.data.shard_store import MANIFEST_NAME
from maskray.data.shards import write_shard

_SEED = 0
# Grey levels: without a detector's noise an enlarged film would be a JPEG half the size, and faster to decode.
_NOISE = 2.0


@dataclass(frozen=True)
class MadeFilms:
    """A folder of JPEG films, and its index as ``write_shard`` reads it, with study ids."""

    folder: Path
    index: pd.DataFrame

    def paths(self, image_ids: list[str] | None = None) -> list[Path]:
        """The files of the films named, in that order; of all films by default."""
        files = dict(zip(self.index["image_id"], self.index["path"], strict=True))
        return [self.folder / files[image_id] for image_id in (files if image_ids is None else image_ids)]


def paint(number: int, size_px: int) -> NDArray[np.uint8]:
    """The film of made study ``number``, uint8 [S, S]."""
    return paint_frontal(draw_study("mimic", _SEED, number), size_px).pixels


def report_texts(num_reports: int) -> list[str]:
    """The reports of the first made studies, with headings and wrapped lines."""
    return [write_report(draw_study("mimic", _SEED, number)).text for number in range(num_reports)]


def make_films(folder: Path, num_films: int, file_px: int, painted_px: int | None = None) -> MadeFilms:
    """Write the films of the first made studies as JPEGs of ``file_px``, painted at ``painted_px`` and enlarged."""
    rng = np.random.default_rng(_SEED)
    rows = []
    for number in range(num_films):
        film = paint(number, painted_px or file_px)
        name = f"film-{number:05d}"
        write_jpeg(folder / f"{name}.jpg", film if film.shape[0] == file_px else _enlarged(film, file_px, rng))
        rows.append({"image_id": name, "study_id": f"study-{number:05d}", "path": f"{name}.jpg", "dataset": "made"})
    return MadeFilms(folder, pd.DataFrame(rows))


def _enlarged(film: NDArray[np.uint8], file_px: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    large = Image.fromarray(film).resize((file_px, file_px), Image.Resampling.BICUBIC)
    noise = rng.standard_normal((file_px, file_px), dtype=np.float32) * np.float32(_NOISE)
    return (np.asarray(large, np.float32) + noise).clip(0, 255).astype(np.uint8)


def store_films(films: MadeFilms, config: ImagesConfig, folder: Path) -> Path:
    """Shards of the films in one part, with their manifest; the folder of the store."""
    shard, rejected = folder / "part-0.h5", folder / "part-0.rejected.csv"
    write_shard(films.index, films.folder, config, part=0, num_parts=1, threads=1, shard=shard, rejected=rejected)
    collect_shards([shard], [rejected], films.index, 0.0, folder / MANIFEST_NAME, folder / "rejected.csv")
    return folder
