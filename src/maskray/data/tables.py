"""The owners' csv files, read as text, with errors that name file, line and column."""

from __future__ import annotations

import csv
import gzip
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from maskray.errors import InputError

LABEL_CODES = {"1": 1.0, "1.0": 1.0, "0": 0.0, "0.0": 0.0, "-1": -1.0, "-1.0": -1.0, "": float("nan")}


@dataclass(frozen=True)
class Table:
    """Text cells, stripped; the labels of ``rows.index`` are the record numbers, which lead back to the lines."""

    path: Path
    rows: pd.DataFrame

    def __getitem__(self, column: str) -> pd.Series:
        return self.rows[column]

    def where(self, is_kept: pd.Series) -> Table:
        """The same table with fewer rows; errors still name the right lines."""
        return replace(self, rows=self.rows[is_kept])

    def place_of(self, record: int) -> str:
        """Where a record stands, for people."""
        return f"line {self.line_of(record)}"

    def line_of(self, record: int) -> int:
        """The line on which a record begins, counted from 1; cells may hold line breaks."""
        opened = gzip.open if self.path.suffix == ".gz" else open
        with opened(self.path, "rt", encoding="utf-8-sig", newline="") as handle:
            reader = csv.reader(handle)
            for _ in range(record + 1):
                next(reader)
            return reader.line_num + 1

    def refuse(self, is_bad: pd.Series, column: str, problem: str) -> None:
        """Raise :class:`InputError` for the first bad row, if there is one."""
        if is_bad.any():
            bad = is_bad.index[is_bad]
            raise InputError(
                f"{self.path}, {self.place_of(int(bad[0]))}, column {column}: {problem} ({len(bad)} such row(s))"
            )

    def refuse_blank(self, *columns: str) -> None:
        """Each of ``columns`` must be filled in every row, as rows cut off in a download are not."""
        for column in columns:
            self.refuse(self.rows[column] == "", column, "empty cell")

    def refuse_repeats(self, column: str) -> None:
        """``column`` must name each row once."""
        self.refuse(self.rows[column].duplicated(), column, "this name stands in an earlier row too")

    def numbers(self, column: str) -> pd.Series:
        """``column`` as finite float64."""
        values = pd.to_numeric(self.rows[column], errors="coerce")
        self.refuse(values.isna() | (values.abs() == float("inf")), column, "not a number")
        return values.astype("float64")

    def label_codes(self, labels: Sequence[str]) -> pd.DataFrame:
        """Label columns as 1, 0, -1 (uncertain) or NaN (blank)."""
        codes = {}
        for label in labels:
            self.refuse(~self.rows[label].isin(list(LABEL_CODES)), label, "expected 1, 0, -1 or an empty cell")
            codes[label] = self.rows[label].map(LABEL_CODES).astype("float32")
        return pd.DataFrame(codes, index=self.rows.index)


def read_table(path: Path, columns: Sequence[str]) -> Table:
    """Read the named ``columns`` of a csv (or csv.gz); spaces around names and cells are dropped.

    Headers may have fewer or more fields than the rows (NIH's hold commas); blank lines are skipped.
    """
    frame = _parse(path, set(columns))
    frame.columns = [name.strip() for name in frame.columns]
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise InputError(f"{path}: no column {', '.join(missing)}; is this the owners' file, unchanged?")
    return _table(path, frame[list(columns)])


def read_columns(path: Path, names: Sequence[str]) -> Table:
    """Read the first columns of a csv whose header is not to be trusted, by position, and call them ``names``."""
    frame = _parse(path, None, list(names))
    return _table(path, frame)


def read_list(path: Path) -> pd.Series:
    """The lines of a text file, stripped, without blank ones."""
    try:
        lines = pd.Series(path.read_text(encoding="utf-8-sig").splitlines(), dtype="str").str.strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
    return lines[lines != ""]


def _table(path: Path, frame: pd.DataFrame) -> Table:
    stripped = pd.DataFrame({name: frame[name].fillna("").str.strip() for name in frame}, index=frame.index)
    return Table(path, stripped[(stripped != "").any(axis=1)])


def _parse(path: Path, wanted: set[str] | None, names: list[str] | None = None) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            # Rows longer than the header are expected here: NIH's header has been re-saved in several ways.
            warnings.simplefilter("ignore", pd.errors.ParserWarning)
            return pd.read_csv(
                path,
                header=0,
                names=names,
                dtype=str,
                keep_default_na=False,
                skip_blank_lines=False,
                index_col=False,
                encoding="utf-8-sig",
                usecols=None if wanted is None else lambda name: name.strip() in wanted,
            )
    except pd.errors.EmptyDataError:
        raise InputError(f"{path}: the file is empty; fetch it again") from None
    except (pd.errors.ParserError, UnicodeDecodeError, EOFError, OSError, zlib.error) as error:
        raise InputError(f"{path}: damaged or not a csv file ({error}); fetch it again") from None
