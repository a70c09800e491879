"""Films of the validation part with the masks that training would use and what the model reconstructs.

Shapes: B films, N patches, h, w patches down and across, L word pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from maskray.errors import InputError
from maskray.methods import MaskView
from maskray.tables.figures import Example, ShownMask
from maskray.tables.shown_films import GallerySource, ShownFilms, choose_films, stream_of
from maskray.tables.shown_text import ShownWord, draw_text, words_of
from maskray.training.export import LoadedMethod, load_method


def explain_films(
    models: Sequence[str | Path],
    source: GallerySource,
    num_images: int,
    shows_reports: bool = False,
    names: Sequence[str] = (),
) -> list[Example]:
    """Let a pre-trained method explain up to ``num_images`` films: see :func:`choose_films`.

    A film is named by its id, a pseudonym that the data set's owners give, and its labels. The report decides the masks
    of some methods; it is shown only with ``shows_reports``, for reports that anyone may read.

    Of several methods, each with a name in ``names``, each shows of the same films what it hides and restores.
    """
    if len(names) != len(models) and (names or len(models) > 1):
        raise InputError(f"{len(names)} names for {len(models)} models; give one for each")
    loaded = [load_method(Path(model)) for model in models]
    chosen = choose_films(source, loaded, num_images)
    explained = [_explain(each, chosen) for each in loaded]
    needs_ridge = any(stream_of(each).needs_ridge for each in loaded)
    return [
        Example(
            f"{film.image_id}: {film.shown_labels}",
            chosen.images_BSS[row].numpy(),
            chosen.ridge_BSS[row].numpy() if needs_ridge else None,
            _side_by_side(names, [masks for masks, _ in shown]) if names else shown[0][0],
            partial(draw_text, shown[0][1]) if shows_reports else None,
        )
        for row, (film, *shown) in enumerate(zip(chosen.films.itertuples(), *explained, strict=True))
    ]


def _explain(loaded: LoadedMethod, chosen: ShownFilms) -> list[tuple[list[ShownMask], list[ShownWord]]]:
    """One method's masks and words of each film."""
    method, batch = loaded.method.eval(), chosen.batch(loaded)
    with torch.inference_mode():
        views = method.explain(batch)
        hidden_BL = method.hidden_words(batch)
    none_BL = torch.zeros_like(batch.token_is_guide_BL)
    # A style marks the same pieces for methods that do not look at them.
    guides_BL = batch.token_is_guide_BL if stream_of(loaded).guides else none_BL
    texts = batch.token_ids_BL, batch.token_word_BL, guides_BL, none_BL if hidden_BL is None else hidden_BL
    grid = method.image_encoder.grid
    of_films = range(len(batch))
    words = [words_of(loaded.tokenizer, *(text_BL[row] for text_BL in texts)) for row in of_films]
    return [([_mask_of(view, row, grid) for view in views], words[row]) for row in of_films]


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


def _mask_of(view: MaskView, row: int, grid: tuple[int, int]) -> ShownMask:
    """One film's part of a view, on the grid of patches."""
    attention_BN, restored_BHW = view.attention_BN, view.reconstruction_BHW
    return ShownMask(
        view.name,
        view.hidden_BN[row].unflatten(0, grid).numpy(),
        None if attention_BN is None else attention_BN[row].float().unflatten(0, grid).numpy(),
        None if restored_BHW is None else restored_BHW[row].float().numpy(),
    )
