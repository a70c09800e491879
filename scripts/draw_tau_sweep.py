"""Draw mIoU and CNR of phrase grounding over tau, the temperature of position weights, beside what the paper prints."""

from __future__ import annotations

from collections.abc import Sequence

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    parser.add_argument("--metrics", required=True, metavar="FILE", help="metrics.json of the grounding")
    parser.add_argument("--published", required=True, metavar="FILE", help="CSV of printed numbers")
    parser.add_argument("--heading", required=True, metavar="TEXT", help="the data set as the printed numbers call it")
    parser.add_argument("--title", required=True, metavar="TEXT", help="stands above the curves")
    parser.add_argument("--figure", required=True, metavar="FILE", help="SVG to write")
    parser.add_argument("--png", required=True, metavar="FILE", help="PNG to write")
    arguments = parser.parse_args(argv)

    from maskray.tables.grounding import draw_tau_sweep

    draw_tau_sweep(
        arguments.metrics, arguments.published, arguments.heading, arguments.title, arguments.figure, arguments.png
    )


if __name__ == "__main__":
    command.run(main)
