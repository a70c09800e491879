"""What must leave a pre-training data set, since it is tested on: `leakage.drop` of the settings.

Only what the settings name decides. The tables that were asked for do not: else one more benchmark would change, and
train again, what is trained already.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from maskray.config.leakage import ExclusionStage
from maskray.data.leakage.excluded import write_excluded
from maskray.data.leakage.films import Films, identify
from maskray.data.leakage.findings import Finding, compare
from maskray.data.leakage.sources import SplitFiles, read_bridges, read_films, with_pictures


def exclude(
    stage: ExclusionStage, trained: SplitFiles, tested: Sequence[SplitFiles], bridges: Sequence[Path], path: Path
) -> None:
    """Write the films of a whole data set that are test films, are of test patients, or look like test films.

    Args:
        stage: who is compared.
        trained: the pre-training data set, without a split.
        tested: the splits whose test parts are to stay unseen.
        bridges: indexes that lead from films of the one to films of the others.
        path: the list to write, see :mod:`maskray.data.leakage.excluded`.
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
    write_excluded(rows, path)


def _films_of(finding: Finding, trained: Films, tested: Films) -> pd.Series:
    """All trained films that a finding is about, which are more than its pairs name; always with the whole patient."""
    if finding.kind == "picture":
        looks = trained.table["image_id"].isin(finding.pairs["trained"])
        people = trained.table.loc[looks, "person"]
    else:
        people = tested.table.loc[tested.table["image_id"].isin(finding.pairs["tested"]), "person"]
    return trained.table.loc[trained.table["person"].isin(people), "image_id"]
