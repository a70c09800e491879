"""Decode, resize and ridge-filter one part of a data set's films into an HDF5 file.

Part K of N takes the rows K * n // N up to (K + 1) * n // N of the index. A film that cannot be read goes to
the list of rejected files with the reason; it never becomes a black image.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__ or "")
    parser.add_argument("--index", type=Path, required=True, help="index.parquet of the data set")
    parser.add_argument(
        "--site-folder", type=command.folder_or_none, required=True, help="where the paths of the index begin"
    )
    parser.add_argument("--settings", required=True, help="the `images` settings (YAML, or as JSON)")
    parser.add_argument("--part", type=int, required=True, help="from 0")
    parser.add_argument("--num-parts", type=int, required=True, help="parts of the whole data set")
    parser.add_argument("--threads", type=int, required=True, help="for decoding and filtering")
    parser.add_argument("--shard", type=Path, required=True, help="HDF5 file to write")
    parser.add_argument("--rejected", type=Path, required=True, help="CSV to write: image_id, path, reason")
    arguments = parser.parse_args(argv)

    from maskray.config.preprocessing import ImagesConfig
    from maskray.data.shard_store import read_index_of_films
    from maskray.data.shards import write_shard

    write_shard(
        read_index_of_films(arguments.index),
        arguments.site_folder,
        ImagesConfig.read(arguments.settings),
        part=arguments.part,
        num_parts=arguments.num_parts,
        threads=arguments.threads,
        shard=arguments.shard,
        rejected=arguments.rejected,
    )


if __name__ == "__main__":
    command.run(main)
