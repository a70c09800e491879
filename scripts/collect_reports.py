"""Join the parts of a data set's structured reports; fails where a part or a study is missing or stands twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__ or "")
    parser.add_argument("--parts", type=Path, nargs="+", required=True, help="Parquet files of all parts")
    parser.add_argument("--failed", type=Path, nargs="+", required=True, help="list of failed reports of each part")
    parser.add_argument("--reports", type=Path, required=True, help="Parquet to write")
    parser.add_argument("--all-failed", type=Path, required=True, help="CSV to write: study_id, reason")
    arguments = parser.parse_args(argv)

    from maskray.reports.structure import collect_reports

    collect_reports(arguments.parts, arguments.failed, arguments.reports, arguments.all_failed)


if __name__ == "__main__":
    command.run(main)
