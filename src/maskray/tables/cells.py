"""What stands in one cell of a table, and how several runs become one number.

Shapes: S runs (fine-tuning seeds), R bootstrap replicates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from maskray.errors import InputError
from maskray.metrics.intervals import percentile_interval
from maskray.metrics.rows import MACRO, is_whole
from maskray.tables.parts import PERCENT, Cell

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Address:
    """Where a cell's numbers are found among the collected metrics.

    ``fraction`` is empty where nothing is trained. ``scale`` turns a metric into the unit of the cell.
    """

    variant: str
    benchmark: str
    fraction: str
    metric: str
    label: str
    scale: float = PERCENT


def cell_at(address: Address, metrics: pd.DataFrame) -> Cell:
    """The mean over all runs at an address; a cell that was not run says so, and is never zero."""
    runs = metrics[
        (metrics["variant"] == address.variant)
        & (metrics["benchmark"] == address.benchmark)
        & (metrics["fraction"] == address.fraction)
        & (metrics["metric"] == address.metric)
    ]
    chosen = runs[runs["label"] == address.label]
    if runs.empty:
        return Cell(text="not run")
    if chosen.empty:
        return Cell(text="no such label", reasons=(f"{_plain(address.label)} is not a label of {address.benchmark}",))
    reasons = _missing_labels(runs) if address.label == MACRO else ()
    if chosen["value"].isna().any():
        return Cell(text="undefined", reasons=reasons or _undefined(address.label), predictions=_files(chosen))
    return _mean_over_runs(chosen, reasons, address.scale)


def _mean_over_runs(runs: pd.DataFrame, reasons: tuple[str, ...], scale: float) -> Cell:
    """Mean, its interval and the spread between runs.

    The interval covers the choice of the test patients: all runs saw the same resamples, so their replicates are
    averaged one by one. It does not cover the seeds; the standard deviation does.
    """
    if runs["num_images"].nunique() > 1:
        raise InputError(f"{_files(runs)[0]}: runs of one cell have test parts of different sizes; predict them again")
    if runs["num_labels"].nunique() > 1:
        raise InputError(f"{_files(runs)[0]}: runs of one cell are means over different labels; score them again")
    replicates = [np.asarray(one, np.float64) for one in runs["replicates"]]
    if len({one.size for one in replicates}) > 1:
        raise InputError(f"{_files(runs)[0]}: runs of one cell have different numbers of replicates; score them again")
    interval = percentile_interval(np.mean(replicates, axis=0), CONFIDENCE)
    values = runs["value"].to_numpy(np.float64) * scale
    return Cell(
        value=float(values.mean()),
        low=_finite(interval.low * scale),
        high=_finite(interval.high * scale),
        sd=float(values.std(ddof=1)) if values.size > 1 else None,
        num_runs=int(values.size),
        num_images=int(runs["num_images"].iloc[0]),
        num_labels=None if runs["num_labels"].isna().any() else int(runs["num_labels"].iloc[0]),
        reasons=reasons,
        predictions=_files(runs),
    )


def _missing_labels(runs: pd.DataFrame) -> tuple[str, ...]:
    """A macro average that leaves labels out says which."""
    labels = runs[~runs["label"].map(is_whole)]
    missing = labels.loc[labels["value"].isna(), "label"].unique()
    if not len(missing):
        return ()
    num_labels = labels["label"].nunique()
    names = ", ".join(sorted(_plain(label) for label in missing))
    return (
        f"average of {num_labels - len(missing)} of {num_labels} labels; "
        f"the test part lacks positive or negative films of {names}",
    )


def _undefined(label: str) -> tuple[str, ...]:
    if is_whole(label):
        return ("nothing of the test part could be measured",)
    return (f"the test part lacks positive or negative films of {_plain(label)}",)


def _plain(label: str) -> str:
    return label.replace("_", " ")


def _files(runs: pd.DataFrame) -> tuple[str, ...]:
    return tuple(dict.fromkeys(runs["predictions"]))


def _finite(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
