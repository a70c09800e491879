"""Film-report pairs: the images of a split's training part that have pixels and a report, of one or more data sets."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from maskray.data.leakage.excluded import read_excluded
from maskray.errors import InputError
from maskray.reports.styles import style_of

if TYPE_CHECKING:
    from maskray.data.shard_store import ImageStore

_log = logging.getLogger(__name__)
_REPORT_COLUMNS = ["study_id", "findings", "impression", "sentences", "manuscript", "answers"]


@dataclass(frozen=True)
class PairSource:
    """The files of one pre-training data set; the shards lie beside the manifest. Without reports: films alone.

    ``excluded`` lists films that must not be trained on, since they are tested on.
    """

    index: Path
    split: Path
    manifest: Path
    reports: Path | None
    excluded: Path | None = None

    def files(self) -> dict[str, Path]:
        """Name -> file, of those that there are."""
        return {name: path for name, path in vars(self).items() if path is not None}


@dataclass(frozen=True)
class Pairs:
    """Pairs of all sources, in the order of sources and of their indexes.

    Attributes:
        image_ids: [P] fixed-width text; an array, so that workers share its memory.
        sources: int32 [P], the number of the source that holds the image.
        studies: int32 [P], row of the pair's report in ``reports``.
        reports: the reports that a pair uses, as in ``reports.parquet``.
    """

    image_ids: np.ndarray
    sources: np.ndarray
    studies: np.ndarray
    reports: pd.DataFrame

    def __len__(self) -> int:
        return len(self.image_ids)


def join_pairs(sources: Sequence[PairSource], stores: Sequence[ImageStore], text: str, guides: str = "") -> Pairs:
    """Join index, training part, shards and reports of each source; say how many images fell out, and why.

    Args:
        sources: one per data set.
        stores: the shards of each source.
        text: what the method reads: sentences, or a style of :mod:`maskray.reports.styles`; a study without it makes
            no pair.
        guides: which of its words must be marked, where the style can mark several kinds.

    Raises:
        InputError: files that do not belong together, or no pair at all.
    """
    images, reports = [], []
    num_reports = 0
    for number, (source, store) in enumerate(zip(sources, stores, strict=True)):
        joined, used = _join(source, store, text, guides)
        joined["source"] = number
        joined["study"] += num_reports
        num_reports += len(used)
        images.append(joined)
        reports.append(used)
    pairs = pd.concat(images, ignore_index=True)
    if pairs.empty:
        names = ", ".join(str(source.split) for source in sources)
        raise InputError(f"{names}: no image of the training part has both pixels and a report with text")
    return Pairs(
        image_ids=pairs["image_id"].to_numpy(dtype=np.str_),
        sources=pairs["source"].to_numpy(np.int32),
        studies=pairs["study"].to_numpy(np.int32),
        reports=pd.concat(reports, ignore_index=True),
    )


def join_films(sources: Sequence[PairSource], stores: Sequence[ImageStore]) -> Pairs:
    """The films of the training parts that have pixels, without reports."""
    films = []
    for number, (source, store) in enumerate(zip(sources, stores, strict=True)):
        training = _read_training(source)
        with_pixels = training[training["image_id"].map(lambda image_id, store=store: image_id in store)]
        _log.info("%s: %d films of %d training images", source.split, len(with_pixels), len(training))
        films.append(with_pixels.assign(source=number))
    joined = pd.concat(films, ignore_index=True)
    return Pairs(
        image_ids=joined["image_id"].to_numpy(dtype=np.str_),
        sources=joined["source"].to_numpy(np.int32),
        studies=np.zeros(len(joined), np.int32),
        reports=pd.DataFrame(),
    )


def has_text(reports: pd.DataFrame, text: str) -> pd.Series:
    """True for the reports that have the text which a stream reads."""
    if text == "sentences":
        return reports["sentences"].map(lambda sentences: sentences is not None and len(sentences) > 0)
    columns = ("findings", "impression") if text == "report" else ("manuscript",)
    return reports[list(columns)].fillna("").agg("".join, axis=1).str.strip() != ""


def read_reports(path: Path, text: str, guides: str = "") -> pd.DataFrame:
    """Of ``reports.parquet`` what reading a text takes: study_id and the columns of its style.

    Raises InputError where the file cannot be read or has a study twice.
    """
    columns = list(dict.fromkeys([*_REPORT_COLUMNS, *(() if text == "sentences" else style_of(text, guides).columns)]))
    reports = _read_table(pd.read_parquet, path, columns=columns)
    if reports["study_id"].duplicated().any():
        raise InputError(f"{path}: a study_id stands in it twice; make it again")
    return reports


def _join(source: PairSource, store: ImageStore, text: str, guides: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One source's pairs (image_id, study: row among its used reports) and its used reports."""
    training = _read_training(source)
    assert source.reports is not None
    reports = read_reports(source.reports, text, guides)
    with_text = reports[has_text(reports, text)]
    has_pixels = training["image_id"].map(lambda image_id: image_id in store)
    has_report = training["study_id"].isin(reports["study_id"])
    has_words = training["study_id"].isin(with_text["study_id"])
    pairs = training[has_pixels & has_words]
    _log.info(
        "%s: %d pairs of %d training images; left out: %d without pixels in the shards, %d without a report, "
        "%d whose report has no %s",
        source.split,
        len(pairs),
        len(training),
        (~has_pixels).sum(),
        (has_pixels & ~has_report).sum(),
        (has_pixels & has_report & ~has_words).sum(),
        text,
    )
    used = with_text[with_text["study_id"].isin(pairs["study_id"])].reset_index(drop=True)
    row_of_study = pd.Series(np.arange(len(used)), index=used["study_id"])
    return pd.DataFrame({"image_id": pairs["image_id"], "study": row_of_study.loc[pairs["study_id"]].to_numpy()}), used


def _read_training(source: PairSource) -> pd.DataFrame:
    """image_id and study_id of the training part, in the order of the index."""
    index = _read_table(pd.read_parquet, source.index, columns=["image_id", "study_id"])
    split = _read_table(pd.read_csv, source.split, dtype=str, usecols=["image_id", "part"])
    if index["image_id"].duplicated().any():
        raise InputError(f"{source.index}: an image_id stands in it twice; make it again")
    strangers = ~split["image_id"].isin(index["image_id"])
    if strangers.any():
        raise InputError(
            f"{source.split}: {strangers.sum()} images are not in {source.index} (the first: row "
            f"{strangers.argmax() + 2}); split the data set again"
        )
    training = index[index["image_id"].isin(split["image_id"][split["part"] == "train"])]
    if source.excluded is None:
        return training
    is_out = training["image_id"].isin(read_excluded(source.excluded))
    _log.info("%s: %d training images are left out as test films are of them", source.excluded, is_out.sum())
    return training[~is_out]


def _read_table(read: Any, path: Path, **options: Any) -> pd.DataFrame:
    """A table of the earlier stages; what cannot be read is the user's to mend."""
    try:
        return read(path, **options)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: cannot be read ({type(error).__name__}); make it again") from None
