"""Show what is read out of one report: findings, cues, places and entities in its text, triplets, and what is written.

    python scripts/show_report.py --report report.txt
    python scripts/show_report.py --report report.txt --html shown.html
    python scripts/show_report.py --dataset config/datasets/mimic.yaml --site-folder DIR --study s50000001

It prints the report's text: do that only where the report may be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__ or "")
    parser.add_argument("--report", metavar="FILE", help="a text file, or - for the standard input")
    parser.add_argument("--dataset", help="or a report of this data set: its settings (YAML), with --study")
    command.add_site(parser, required=False)
    parser.add_argument("--study", default="", help="study id, as the data set's index has it")
    parser.add_argument("--settings", default="{}", help="the `reports` settings (YAML, or as JSON); else the defaults")
    parser.add_argument("--style", action="append", help="a text to write (repeat): manuscript, structured, triplet …")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page instead of printing")
    arguments = parser.parse_args(argv)
    if (arguments.report is None) == (arguments.dataset is None):
        parser.error("give either --report, or --dataset with --site-folder and --study")

    from rich.console import Console

    from maskray.config.preprocessing import ReportsConfig
    from maskray.files import write_text
    from maskray.reports.display import html_of, print_report
    from maskray.reports.showing import STYLES, read_report, take_apart

    if arguments.report is not None:
        text = read_report(arguments.report)
    else:
        from maskray.config.dataset import DatasetConfig
        from maskray.data.reports import report_of

        text = report_of(DatasetConfig.read(arguments.dataset), command.site_of(arguments), arguments.study)
    settings = ReportsConfig.read(arguments.settings)
    shown = take_apart(text, arguments.study, settings, arguments.style or STYLES)
    if arguments.html is not None:
        write_text(arguments.html, html_of(shown))
    else:
        print_report(shown, Console())


if __name__ == "__main__":
    command.run(main)
