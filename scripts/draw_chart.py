"""Draw a table as a chart: a panel for each data set and metric, ours with 95 % intervals, and what is printed."""

from __future__ import annotations

from collections.abc import Sequence

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    command.add_table(parser)
    parser.add_argument("--figure", required=True, metavar="FILE", help="SVG to write")
    parser.add_argument("--png", required=True, metavar="FILE", help="PNG to write")
    arguments = parser.parse_args(argv)

    from maskray.tables.charts import draw_chart
    from maskray.tables.sources import read_table

    table = read_table(arguments.settings, arguments.table_metrics, arguments.published)
    draw_chart(table.layout, arguments.figure, arguments.png)


if __name__ == "__main__":
    command.run(main)
