"""Read triplets out of one part of a data set's reports and rewrite them as manuscripts.

Part K of N takes the study ids K * n // N up to (K + 1) * n // N in sorted order. A report that is empty or cannot
be read goes to the list of failed ones with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__ or "")
    parser.add_argument("--dataset", required=True, help="settings of the data set (YAML, or as JSON)")
    command.add_site(parser)
    parser.add_argument("--settings", required=True, help="the `reports` settings (YAML, or as JSON)")
    parser.add_argument("--part", type=int, required=True, help="from 0")
    parser.add_argument("--num-parts", type=int, required=True, help="parts of the whole data set")
    parser.add_argument("--reports", type=Path, required=True, help="Parquet to write, one row per report")
    parser.add_argument("--failed", type=Path, required=True, help="CSV to write: study_id, reason")
    arguments = parser.parse_args(argv)

    from maskray.config.dataset import DatasetConfig
    from maskray.config.preprocessing import ReportsConfig
    from maskray.data.reports import reports_of
    from maskray.reports.structure import structure_reports

    dataset = DatasetConfig.read(arguments.dataset)
    structure_reports(
        reports_of(dataset, command.site_of(arguments)),
        ReportsConfig.read(arguments.settings),
        dataset.name,
        part=arguments.part,
        num_parts=arguments.num_parts,
        reports_path=arguments.reports,
        failed_path=arguments.failed,
    )


if __name__ == "__main__":
    command.run(main)
