"""Put many metrics.json into one tidy Parquet table, one row per number.

Paper, variant, seeds, benchmark and label fraction are read from the paths
.../<paper>/<variant>/seed<p>/<benchmark>[/<fraction>/seed<f>]/metrics.json; bootstrap.npz stands beside each.
"""

from __future__ import annotations

from collections.abc import Sequence

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    parser.add_argument(
        "--metrics", required=True, nargs="*", metavar="FILE", help="metrics.json of each run; none is allowed"
    )
    parser.add_argument("--table-metrics", required=True, metavar="FILE", help="Parquet to write")
    arguments = parser.parse_args(argv)

    from maskray.tables import collect

    collect.write(collect.collect(arguments.metrics), arguments.table_metrics)


if __name__ == "__main__":
    command.run(main)
