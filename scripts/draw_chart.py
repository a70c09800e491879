"""Draw a table as a chart: a panel for each data set and metric, ours with 95 % intervals, and what is printed."""

from __future__ import annotations

from collections.abc import Sequence

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    parser.add_argument(
        "--settings", required=True, metavar="FILE", help="the table and its data (YAML, or the settings as JSON)"
    )
    parser.add_argument("--table-metrics", required=True, metavar="FILE", help="Parquet of collect_metrics")
    parser.add_argument("--published", required=True, metavar="FILE", help="the paper's printed numbers (CSV)")
    parser.add_argument("--figure", required=True, metavar="FILE", help="SVG to write")
    parser.add_argument("--png", required=True, metavar="FILE", help="PNG to write")
    arguments = parser.parse_args(argv)

    from maskray.config.stages import TableStage
    from maskray.tables import collect
    from maskray.tables.charts import draw_chart
    from maskray.tables.layout import lay_out
    from maskray.tables.published import read_published

    stage = TableStage.read(arguments.settings)
    metrics = collect.read(arguments.table_metrics).to_pandas()
    layout = lay_out(stage, read_published(arguments.published, stage.table_name), metrics)
    draw_chart(layout, arguments.figure, arguments.png)


if __name__ == "__main__":
    command.run(main)
