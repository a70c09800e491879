"""A folder of small films with an index, and its shards, for the tests that need files."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from maskray.config.preprocessing import ImagesConfig
from maskray.data.shard_manifest import collect_shards
from maskray.data.shards import write_shard

CONFIG = ImagesConfig(size_px=32)
UNREADABLE = "film-03"


def make_films(folder: Path, num_films: int = 11) -> pd.DataFrame:
    """PNG and JPEG films of two shapes; the file of film-03 is cut short."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(num_films):
        image_id, kind = f"film-{number:02d}", ("png", "jpeg")[number % 2]
        film = rng.integers(0, 256, (60, 40) if number % 3 else (50, 50)).astype(np.uint8)
        path = folder / f"{image_id}.{kind}"
        Image.fromarray(film).save(path)
        if image_id == UNREADABLE:
            path.write_bytes(path.read_bytes()[:500])
        rows.append({"image_id": image_id, "path": path.name, "dataset": "made"})
    return pd.DataFrame(rows)


def make_parts(
    index: pd.DataFrame, site: Path, folder: Path, num_parts: int = 2, config: ImagesConfig = CONFIG
) -> tuple[list[Path], list[Path]]:
    """Shards and lists of rejected films of all parts."""
    shards = [folder / f"part-{part}.h5" for part in range(num_parts)]
    rejected = [folder / f"part-{part}.rejected.csv" for part in range(num_parts)]
    for part in range(num_parts):
        write_shard(
            index,
            site,
            config,
            part=part,
            num_parts=num_parts,
            threads=1,
            shard=shards[part],
            rejected=rejected[part],
        )
    return shards, rejected


def make_store(folder: Path, num_parts: int = 2) -> Path:
    """A complete folder of shards with its manifest."""
    index = make_films(folder / "site")
    shards, rejected = make_parts(index, folder / "site", folder / "shards", num_parts)
    collect_shards(
        shards, rejected, index, 0.1, folder / "shards" / "manifest.json", folder / "shards" / "rejected.csv"
    )
    return folder / "shards"
