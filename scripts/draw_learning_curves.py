"""Draw the learning curves of one pre-training: the total loss, its terms and what else was logged, by step."""

from __future__ import annotations

from collections.abc import Sequence

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    parser.add_argument("--log", required=True, metavar="FILE", help="log.csv of the pre-training")
    parser.add_argument("--title", required=True, metavar="TEXT", help="stands above the curves")
    parser.add_argument("--figure", required=True, metavar="FILE", help="SVG to write")
    parser.add_argument("--png", required=True, metavar="FILE", help="PNG to write")
    arguments = parser.parse_args(argv)

    from maskray.tables.figures import draw_learning_curves

    draw_learning_curves(arguments.log, arguments.title, arguments.figure, arguments.png)


if __name__ == "__main__":
    command.run(main)
