"""Retrieval: of all studies of the test part, which report belongs to this film, and which film to this report?

A study is one pair: its report, in the form that the method reads, and one film. Of several films it is the first by
view (PA, then AP, then other frontal ones, then the rest) and image_id. A method that reads sentences drawn at random
is given the whole report.

Shapes: N pairs, T distinct texts, E joint width.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from maskray.config.training import RetrievalConfig
from maskray.data.index import FRONTAL_VIEWS, label_column, labels_in
from maskray.data.pairs import has_text, read_reports
from maskray.data.texts import TokenisedReports
from maskray.errors import InputError
from maskray.evaluation.features import compute_for_all
from maskray.evaluation.images import BenchmarkImages
from maskray.evaluation.measurements import Measurements
from maskray.evaluation.runtime import Runtime
from maskray.methods import Method
from maskray.metrics.retrieval import hits, rank_pairs
from maskray.training.export import LoadedMethod
from maskray.training.progress import Progress

KS = (1, 5, 10)
# Fixed, since another batch size may change the last bits of a feature.
_TEXTS_PER_PASS = 64

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Candidates:
    """The pairs, by study: film and word pieces of the report; ``text_of_pair_N`` are rows of the distinct texts."""

    studies: pd.DataFrame
    texts: TokenisedReports
    rows_of_texts: Sequence[int]
    text_of_pair_N: NDArray[np.intp]


def measure_retrieval(
    loaded: LoadedMethod, images: BenchmarkImages, reports: Path, config: RetrievalConfig, runtime: Runtime
) -> Measurements:
    """Hits among the 1, 5 and 10 best, in both directions, of every pair as query against every pair.

    Raises InputError where no study of the test part has both pixels and a report, or a feature is not a number.
    """
    found = gather_candidates(loaded, images, reports, config)
    method = loaded.method.to(runtime.device).eval()
    images_NE = compute_for_all(method.encode_image, images, found.studies["image_id"].tolist(), runtime, "films")
    texts_TE = _encode_reports(method, found.texts, found.rows_of_texts, runtime)
    try:
        ranks = rank_pairs(images_NE.numpy(), texts_TE.numpy(), found.text_of_pair_N)
    except ValueError as error:
        raise InputError(f"the pre-trained method cannot be used: {error}; did its training diverge?") from None
    directions = {"i2t": ranks.image_to_text_N, "t2i": ranks.text_to_image_N}
    return Measurements(
        found.studies["study_id"].tolist(),
        found.studies["patient_id"].tolist(),
        [""] * len(found.studies),
        {f"{name}_r{k}": hits(ranks_N, k) for name, ranks_N in directions.items() for k in KS},
        {
            "num_candidates": len(found.studies),
            "num_distinct_texts": len(found.rows_of_texts),
            "num_candidates_wanted": config.num_candidates,
            "distinct": config.distinct,
        },
    )


def gather_candidates(
    loaded: LoadedMethod, images: BenchmarkImages, reports: Path, config: RetrievalConfig
) -> Candidates:
    """The studies of the test part that have a film with pixels and a report with text, and are asked for.

    Where fewer are left than wanted, the log says so.
    """
    # Of several streams the first has the reports.
    stream = loaded.method.streams(loaded.method.config)[0]
    assert stream.text is not None
    text, guides = ("report", "") if stream.text == "sentences" else (stream.text, stream.guides)
    studies = one_film_per_study(images.index_rows(images.examples("test").image_ids))
    table = read_reports(reports, text, guides)
    table = table[has_text(table, text) & table["study_id"].isin(studies["study_id"])]
    _log.info("%d of %d studies of the test part have a report with text", len(table), len(studies))
    if table.empty:
        raise InputError(f"{reports}: no study of the test part of {images.split_path} has a report with text")
    table = table.set_index("study_id", drop=False)
    studies = in_drawn_order(studies[studies["study_id"].isin(table.index)], config.seed)
    max_tokens, definitions = loaded.stage.text_encoder.max_tokens, loaded.stage.pretrain.definitions
    texts = TokenisedReports(
        table.loc[studies["study_id"]].reset_index(drop=True), text, loaded.tokenizer, max_tokens, definitions, guides
    )
    pieces = [texts.one(row, 0)["ids"].tobytes() for row in range(len(studies))]
    chosen = _chosen(studies, pieces, config)
    first_row_of: dict[bytes, int] = {}
    for row in chosen:
        first_row_of.setdefault(pieces[row], row)
    number_of = {text: number for number, text in enumerate(first_row_of)}
    text_of_pair_N = np.array([number_of[pieces[row]] for row in chosen], np.intp)
    return Candidates(studies.iloc[chosen], texts, list(first_row_of.values()), text_of_pair_N)


def one_film_per_study(films: pd.DataFrame) -> pd.DataFrame:
    """Of each study the film that is first by view and image_id."""
    places = {view: place for place, view in enumerate(FRONTAL_VIEWS)}
    order = films["view"].map(lambda view: places.get(view, len(places)))
    films = films.assign(order=order).sort_values(["study_id", "order", "image_id"], ignore_index=True)
    return films.drop_duplicates("study_id").drop(columns="order")


def in_drawn_order(studies: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The studies in an order that the seed decides, whatever other studies there are."""
    hashes = studies["study_id"].map(lambda study: hashlib.sha256(f"{seed}/{study}".encode()).hexdigest())
    return studies.loc[hashes.sort_values().index]


def _chosen(studies: pd.DataFrame, pieces: Sequence[bytes], config: RetrievalConfig) -> list[int]:
    """Rows of the studies that are queries and candidates: the first of each kind, and as many as wanted."""
    kinds: Sequence[Any] = range(len(studies))
    if config.distinct == "texts":
        kinds = pieces
    elif config.distinct == "labels":
        codes_NL = studies[[label_column(label) for label in labels_in(studies)]].to_numpy(np.float32)
        kinds = [codes_L.tobytes() for codes_L in np.nan_to_num(codes_NL, nan=-9)]
    chosen = list({kind: row for row, kind in reversed(list(enumerate(kinds)))}.values())
    chosen = sorted(chosen)[: config.num_candidates]
    if config.num_candidates is not None and len(chosen) < config.num_candidates:
        _log.warning(
            "retrieval.num_candidates: %d are wanted, but the test part has only %d studies that differ (distinct: %s)",
            config.num_candidates, len(chosen), config.distinct,
        )  # fmt: skip
    return chosen


@torch.no_grad()
def _encode_reports(method: Method, texts: TokenisedReports, rows: Sequence[int], runtime: Runtime) -> Tensor:
    """Features [T, E] of these reports, float32 on the host."""
    encoded: list[Tensor] = []
    with Progress("reports", len(rows)) as progress:
        for start in range(0, len(rows), _TEXTS_PER_PASS):
            batch = rows[start : start + _TEXTS_PER_PASS]
            # No sentence is chosen at random: any seed is as good.
            tokens = texts.batch(batch, [0] * len(batch))
            token_ids_BL, is_real_BL = (tokens[f"token_{name}_BL"].to(runtime.device) for name in ("ids", "is_real"))
            with runtime.autocast():
                encoded.append(method.encode_text(token_ids_BL, is_real_BL).float().cpu())
            progress.advance(len(batch))
    return torch.cat(encoded)
