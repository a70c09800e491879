"""List the films that must leave a pre-training data set: those that `leakage.drop` names, and their patients' others.

--indexes begins with the pre-training data set's, followed by one per split; --manifests likewise, or none where names
alone are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__ or "")
    parser.add_argument("--settings", required=True, metavar="FILE", help="the exclusion (YAML, or as JSON)")
    parser.add_argument("--indexes", type=Path, nargs="+", required=True, metavar="PARQUET", help="indexes")
    parser.add_argument(
        "--splits", type=Path, nargs="+", required=True, metavar="CSV", help="splits that are tested on"
    )
    parser.add_argument("--manifests", type=Path, nargs="*", default=[], metavar="JSON", help="manifests of the shards")
    parser.add_argument("--bridges", type=Path, nargs="*", default=[], metavar="PARQUET", help="indexes in between")
    parser.add_argument("--excluded", type=Path, required=True, metavar="CSV", help="the list to write")
    args = parser.parse_args(argv)

    from maskray.config.leakage import ExclusionStage
    from maskray.data.leakage.exclusion import exclude
    from maskray.data.leakage.sources import SplitFiles

    manifests = args.manifests or [None] * len(args.indexes)
    trained, *tested = map(SplitFiles, args.indexes, [None, *args.splits], manifests)
    exclude(ExclusionStage.read(args.settings), trained, tested, args.bridges, args.excluded)


if __name__ == "__main__":
    command.run(main)
