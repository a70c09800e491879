"""Draw a few test films of a segmentation: the outlines of their true masks, and of those that the models drew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    parser.add_argument("--drawn", required=True, nargs="+", metavar="FILE", help="drawn.parquet of each fraction")
    parser.add_argument("--manifest", required=True, metavar="FILE", help="manifest.json of the shards")
    parser.add_argument("--num-films", required=True, type=int, metavar="N", help="how many films")
    parser.add_argument("--title", required=True, metavar="TEXT", help="which model, which data set")
    parser.add_argument("--data-note", required=True, metavar="TEXT", help="which data these are; stands in it")
    parser.add_argument("--figure", required=True, metavar="FILE", help="PNG to write")
    arguments = parser.parse_args(argv)

    from maskray.errors import InputError

    if arguments.num_films < 1:
        raise InputError("--num-films: at least 1")

    from maskray.data.drawn_masks import read_drawn_masks
    from maskray.data.shard_store import ImageStore
    from maskray.tables.segmentation import draw_segmentation, films_to_show

    masks = [read_drawn_masks(path) for path in arguments.drawn]
    films = films_to_show(masks, ImageStore(Path(arguments.manifest).parent), arguments.num_films)
    fractions = [one.fraction for one in masks]
    draw_segmentation(films, fractions, arguments.title, arguments.data_note, arguments.figure)


if __name__ == "__main__":
    command.run(main)
