"""Films of the validation part with the masks that training would use and what the model reconstructs.

Shapes: B films, S image side in pixels, N patches, h, w patches down and across.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from torch import Tensor

from maskray.batch import Batch
from maskray.data.pairs import has_text
from maskray.data.shard_store import ImageStore
from maskray.data.texts import TokenisedReports
from maskray.errors import InputError
from maskray.methods import MaskView, Stream
from maskray.tables.figures import Example, ShownMask
from maskray.tables.shown_text import ShownWord, draw_text, words_of
from maskray.training.export import LoadedMethod, load_method

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class GallerySource:
    """The files of the data set whose films are shown; the shards lie beside the manifest."""

    index: Path
    split: Path
    manifest: Path
    reports: Path


def explain_films(
    models: Sequence[str | Path],
    source: GallerySource,
    num_images: int,
    shows_reports: bool = False,
    names: Sequence[str] = (),
) -> list[Example]:
    """Let a pre-trained method explain up to ``num_images`` films, evenly spaced among those that can be shown.

    A film can be shown that is in the validation part (the test part where there is none), has pixels, and has a
    report with the text that the method reads. It is named by its id, which the data sets give in place of a name, and
    its labels. The report decides the masks of some methods; it is shown only with ``shows_reports``, for reports that
    anyone may read.

    Of several methods, each with a name in ``names``, each shows of the same films what it hides and restores.
    """
    if len(names) != len(models) and (names or len(models) > 1):
        raise InputError(f"{len(names)} names for {len(models)} models; give one for each")
    loaded = [load_method(Path(model)) for model in models]
    store = ImageStore(source.manifest.parent)
    films, reports = _films(source, store, [_stream_of(each).text for each in loaded], num_images)
    images_BSS, ridge_BSS = (torch.from_numpy(read).float() / 255 for read in store.read(list(films["image_id"])))
    explained = [_explain(each, images_BSS, ridge_BSS, reports) for each in loaded]
    needs_ridge = any(_stream_of(each).needs_ridge for each in loaded)
    return [
        Example(
            f"{film.image_id}: {film.shown_labels}",
            images_BSS[row].numpy(),
            ridge_BSS[row].numpy() if needs_ridge else None,
            _side_by_side(names, [masks for masks, _ in shown]) if names else shown[0][0],
            partial(draw_text, shown[0][1]) if shows_reports else None,
        )
        for row, (film, *shown) in enumerate(zip(films.itertuples(), *explained, strict=True))
    ]


def _stream_of(loaded: LoadedMethod) -> Stream:
    """Of several streams the first has the reports."""
    return loaded.method.streams(loaded.method.config)[0]


def _explain(
    loaded: LoadedMethod, images_BSS: Tensor, ridge_BSS: Tensor, reports: pd.DataFrame
) -> list[tuple[list[ShownMask], list[ShownWord]]]:
    """One method's masks and words of each film."""
    stream, method, seeds = _stream_of(loaded), loaded.method.eval(), list(range(len(reports)))
    assert stream.text is not None
    max_tokens, definitions = loaded.stage.text_encoder.max_tokens, loaded.stage.pretrain.definitions
    texts = TokenisedReports(reports, stream.text, loaded.tokenizer, max_tokens, definitions, stream.guides)
    batch = Batch(images_BSS, ridge_BSS, sample_seeds_B=torch.tensor(seeds), **texts.batch(seeds, seeds))
    with torch.inference_mode():
        views = method.explain(batch)
        hidden_BL = method.hidden_words(batch)
    if hidden_BL is None:
        hidden_BL = torch.zeros_like(batch.token_is_guide_BL)
    grid = method.image_encoder.grid
    return [
        ([_mask_of(view, row, grid) for view in views], _words_of(loaded.tokenizer, batch, hidden_BL, row))
        for row in seeds
    ]


def _side_by_side(names: Sequence[str], masks: Sequence[Sequence[ShownMask]]) -> list[ShownMask]:
    """Of each method the masks under which it restores the film, under its name; what chose them is not shown."""
    shown = []
    for name, of_method in zip(names, masks, strict=True):
        restored = [mask for mask in of_method if mask.reconstruction_SS is not None]
        if not restored:
            raise InputError(f"{name}: this model restores nothing; leave it out of the gallery")
        titles = [name] if len(restored) == 1 else [f"{name}, {mask.name}" for mask in restored]
        shown += [replace(mask, name=title, attention_hw=None) for mask, title in zip(restored, titles, strict=True)]
    return shown


def _words_of(tokenizer: PreTrainedTokenizerBase, batch: Batch, hidden_BL: Tensor, row: int) -> list[ShownWord]:
    """One film's text as the method reads it."""
    texts = batch.token_ids_BL, batch.token_word_BL, batch.token_is_guide_BL, hidden_BL
    return words_of(tokenizer, *(text_BL[row] for text_BL in texts))


def _mask_of(view: MaskView, row: int, grid: tuple[int, int]) -> ShownMask:
    """One film's part of a view, on the grid of patches."""
    attention_BN, restored_BHW = view.attention_BN, view.reconstruction_BHW
    return ShownMask(
        view.name,
        view.hidden_BN[row].unflatten(0, grid).numpy(),
        None if attention_BN is None else attention_BN[row].float().unflatten(0, grid).numpy(),
        None if restored_BHW is None else restored_BHW[row].float().numpy(),
    )


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
