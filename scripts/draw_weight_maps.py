"""Draw the weights over the film that one pre-training learned, epoch by epoch (MaCo, Fig. 4)."""

from __future__ import annotations

from collections.abc import Sequence

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    parser.add_argument("--maps", required=True, metavar="FILE", help="maps.csv of the pre-training")
    parser.add_argument("--title", required=True, metavar="TEXT", help="stands above the maps")
    parser.add_argument("--figure", required=True, metavar="FILE", help="SVG to write")
    parser.add_argument("--png", required=True, metavar="FILE", help="PNG to write")
    arguments = parser.parse_args(argv)

    from maskray.tables.figures import draw_weight_maps

    draw_weight_maps(arguments.maps, arguments.title, arguments.figure, arguments.png)


if __name__ == "__main__":
    command.run(main)
