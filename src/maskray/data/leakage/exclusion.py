"""What must leave a pre-training data set, since it is tested on: `leakage.drop` of the settings.

Only what the settings name decides. The tables that were asked for do not: else one more benchmark would change, and
train again, what is trained already.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from maskray.config.leakage import ExclusionStage
from maskray.data.leakage.films import Films, identify
from maskray.data.leakage.findings import Finding, compare
from maskray.data.leakage.sources import SplitFiles, read_bridges, read_films, with_pictures
from maskray.errors import InputError
from maskray.files import written_whole

COLUMNS = ("image_id", "kind", "tested")


def exclude(
    stage: ExclusionStage, trained: SplitFiles, tested: Sequence[SplitFiles], bridges: Sequence[Path], path: Path
) -> None:
    """Write the films of a whole data set that are test films, are of test patients, or look like test films.

    Args:
        stage: who is compared.
        trained: the pre-training data set, without a split.
        tested: the splits whose test parts are to stay unseen.
        bridges: indexes that lead from films of the one to films of the others.
        path: CSV to write: image_id, kind (image, patient, picture), tested (data set and protocol); sorted.
    """
    tables = [read_films(trained, stage.trained)]
    tables += [read_films(files, split) for files, split in zip(tested, stage.tested, strict=True)]
    numbered = identify([*tables, *read_bridges(bridges, stage.bridges)])
    whole = with_pictures(stage.trained.name, numbered[0], trained)
    rows: list[tuple[str, str, str]] = []
    for table, files, split in zip(numbered[1 : len(tables)], tested, stage.tested, strict=True):
        test = with_pictures(split.name, table[table["part"] == "test"], files)
        for finding in compare(whole, test, stage.leakage, stage.leakage.pretraining):
            rows += [(image_id, finding.kind, split.name) for image_id in _films_of(finding, whole, test)]
    excluded = pd.DataFrame(rows, columns=list(COLUMNS), dtype="str")
    excluded = excluded.drop_duplicates("image_id").sort_values("image_id")
    with written_whole(path) as partial:
        excluded.to_csv(partial, index=False, lineterminator="\n")


def read_excluded(path: Path) -> pd.Series:
    """The ids that :func:`exclude` wrote; :class:`InputError` where the file is missing or another one."""
    try:
        excluded = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; run exclude_films") from None
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: cannot be read ({type(error).__name__}); delete it and run again") from None
    if tuple(excluded.columns) != COLUMNS:
        raise InputError(f"{path}: expected the columns {', '.join(COLUMNS)}; delete it and run again")
    return excluded["image_id"]


def _films_of(finding: Finding, trained: Films, tested: Films) -> pd.Series:
    """All trained films that a finding is about, which are more than its pairs name; always with the whole patient."""
    if finding.kind == "picture":
        looks = trained.table["image_id"].isin(finding.pairs["trained"])
        people = trained.table.loc[looks, "person"]
    else:
        people = tested.table.loc[tested.table["image_id"].isin(finding.pairs["tested"]), "person"]
    return trained.table.loc[trained.table["person"].isin(people), "image_id"]
