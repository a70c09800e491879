"""The list of films that must not be trained on, as a file. Training reads it, and needs nothing else of the guard."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from maskray.errors import InputError
from maskray.files import written_whole

COLUMNS = ("image_id", "kind", "tested")


def write_excluded(rows: list[tuple[str, str, str]], path: Path) -> None:
    """Write image_id, kind (image, patient, picture) and tested (data set and protocol), each film once, sorted."""
    excluded = pd.DataFrame(rows, columns=list(COLUMNS), dtype="str")
    excluded = excluded.drop_duplicates("image_id").sort_values("image_id")
    with written_whole(path) as partial:
        excluded.to_csv(partial, index=False, lineterminator="\n")


def read_excluded(path: Path) -> pd.Series:
    """The ids of the list; :class:`InputError` where the file is missing or another one."""
    try:
        excluded = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; run exclude_films") from None
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: cannot be read ({type(error).__name__}); delete it and run again") from None
    if tuple(excluded.columns) != COLUMNS:
        raise InputError(f"{path}: expected the columns {', '.join(COLUMNS)}; delete it and run again")
    return excluded["image_id"]
