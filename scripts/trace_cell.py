"""Say where a number of a table comes from, and which command makes it again.

For a table, a row and a column: value and interval, and of each run behind them the predictions, the settings, commit,
seeds, versions and fingerprints of the data, the same of the pre-training, and whether its weights are still those that
the run read. Without row and column: which cells there are.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    parser.add_argument(
        "--table", required=True, metavar="FILE", help="a table in any form: .../tables/<paper>/<table>.md"
    )
    parser.add_argument("--row", default="", help="as in the table; with the variant where two rows share a name")
    parser.add_argument("--column", default="", help="as in the csv form, e.g. 'rsna pneumonia|auc|1%%'")
    arguments = parser.parse_args(argv)
    if bool(arguments.row) != bool(arguments.column):
        parser.error("a cell needs --row and --column; without both the cells of the table are listed")

    from maskray.tables.tidy import list_cells, read_table
    from maskray.tables.trace import trace

    table = read_table(arguments.table)
    configs = Path(__file__).resolve().parent.parent / "config"
    sys.stdout.write(trace(table, arguments.row, arguments.column, configs) if arguments.row else list_cells(table))


if __name__ == "__main__":
    command.run(main)
