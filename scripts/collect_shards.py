"""Check that the shards of a data set are complete, and write their manifest and the list of rejected films.

Fails where a film of the index is in no shard, and where more films than tolerated could not be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__ or "")
    parser.add_argument("--shards", type=Path, nargs="+", required=True, help="HDF5 files of all parts")
    parser.add_argument("--rejected", type=Path, nargs="+", required=True, help="list of rejected films of each part")
    parser.add_argument(
        "--max-rejected-fraction", type=float, required=True, help="of the films, 0 to 1; more is an error"
    )
    parser.add_argument("--index", type=Path, required=True, help="index.parquet of the data set")
    parser.add_argument("--manifest", type=Path, required=True, help="JSON to write, beside the shards")
    parser.add_argument("--all-rejected", type=Path, required=True, help="CSV to write: image_id, path, reason")
    arguments = parser.parse_args(argv)

    from maskray.data.shard_manifest import collect_shards
    from maskray.data.shard_store import read_index_of_films

    collect_shards(
        arguments.shards,
        arguments.rejected,
        read_index_of_films(arguments.index),
        arguments.max_rejected_fraction,
        arguments.manifest,
        arguments.all_rejected,
    )


if __name__ == "__main__":
    command.run(main)
