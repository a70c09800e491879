"""Read a data set as its owners distribute it and write the common index: one row per image.

Says what a partial copy lacks, and stops with the name of the file, the line and the column where something is wrong.
"""

from collections.abc import Sequence
from pathlib import Path

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__ or "")
    parser.add_argument("--dataset", required=True, metavar="FILE", help="settings of the data set (YAML, or as JSON)")
    command.add_site(parser)
    parser.add_argument("--index", type=Path, required=True, metavar="PARQUET", help="the index to write")
    args = parser.parse_args(argv)

    from maskray.config.dataset import DatasetConfig
    from maskray.data.index import write_index
    from maskray.data.registry import reader_of

    dataset = DatasetConfig.read(args.dataset)
    write_index(reader_of(dataset).read_index(command.site_of(args), dataset), args.index)


if __name__ == "__main__":
    command.run(main)
