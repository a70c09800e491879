"""Which films of the validation part are shown with a pre-trained method, and what the method is given of them.

Shapes: B films, S image side in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from maskray.batch import Batch
from maskray.data.pairs import has_text
from maskray.data.shard_store import ImageStore
from maskray.data.texts import TokenisedReports
from maskray.errors import InputError
from maskray.methods import Stream
from maskray.training.export import LoadedMethod


@dataclass(frozen=True)
class GallerySource:
    """The files of the data set whose films are shown; the shards lie beside the manifest."""

    index: Path
    split: Path
    manifest: Path
    reports: Path


@dataclass(frozen=True)
class ShownFilms:
    """Films (image_id, shown_labels), for each its report, row by row, and their pixels in 0..1."""

    films: pd.DataFrame
    reports: pd.DataFrame
    images_BSS: Tensor
    ridge_BSS: Tensor

    def batch(self, loaded: LoadedMethod) -> Batch:
        """All of them as one method reads them; with the seeds 0, 1, ..."""
        stream, seeds = stream_of(loaded), list(range(len(self.reports)))
        assert stream.text is not None
        max_tokens, definitions = loaded.stage.text_encoder.max_tokens, loaded.stage.pretrain.definitions
        texts = TokenisedReports(self.reports, stream.text, loaded.tokenizer, max_tokens, definitions, stream.guides)
        tokens = texts.batch(seeds, seeds)
        return Batch(self.images_BSS, self.ridge_BSS, sample_seeds_B=torch.tensor(seeds), **tokens)


def stream_of(loaded: LoadedMethod) -> Stream:
    """Of several streams the first has the reports."""
    return loaded.method.streams(loaded.method.config)[0]


def choose_films(source: GallerySource, methods: Sequence[LoadedMethod], num_images: int) -> ShownFilms:
    """Up to ``num_images`` films, evenly spaced among those that can be shown with all methods.

    A film can be shown that is in the validation part (the test part where there is none), has pixels, and has a
    report with the text that each method reads.
    """
    store = ImageStore(source.manifest.parent)
    films, reports = _films(source, store, [stream_of(each).text for each in methods], num_images)
    pixels = store.read(list(films["image_id"]))
    return ShownFilms(films, reports, *(torch.from_numpy(read).float() / 255 for read in pixels))


def _films(
    source: GallerySource, store: ImageStore, texts: Sequence[str | None], num_images: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The films to show (image_id, shown_labels), and for each its report, which has all texts, row by row."""
    index = _read(pd.read_parquet, source.index)
    split = _read(pd.read_csv, source.split, dtype=str)
    reports = _read(pd.read_parquet, source.reports)
    for text in filter(None, texts):
        reports = reports[has_text(reports, text)]
    reports = reports.set_index("study_id", drop=False)
    # Some protocols hold out a test part alone.
    shown = "validation" if (split["part"] == "validation").any() else "test"
    films = index[index["image_id"].isin(split["image_id"][split["part"] == shown])]
    films = films[films["study_id"].isin(reports.index) & films["image_id"].isin(store.image_ids)]
    if films.empty:
        raise InputError(f"{source.split}: no {shown} film has both pixels and a report to show")
    # Few studies have several films: one film a study shows more.
    films = films.sort_values("image_id").drop_duplicates("study_id")
    places = [len(films) * number // min(num_images, len(films)) for number in range(min(num_images, len(films)))]
    films = films.iloc[places]
    labels = [column for column in films.columns if column.startswith("label_")]
    films = films.assign(shown_labels=[_present(row, labels) for _, row in films.iterrows()])
    return films, reports.loc[films["study_id"]].reset_index(drop=True)


def _present(film: pd.Series, labels: Sequence[str]) -> str:
    names = [label.removeprefix("label_").replace("_", " ") for label in labels if film[label] == 1]
    return ", ".join(names) or "no label present"


def _read(read: Any, path: Path, **options: Any) -> pd.DataFrame:
    try:
        return read(path, **options)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({type(error).__name__}); make it again") from None
