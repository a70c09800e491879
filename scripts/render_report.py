"""Put tables, figures, changed settings, counts and versions on one HTML page that needs no other file."""

from __future__ import annotations

from collections.abc import Sequence

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    parser.add_argument(
        "--settings", required=True, metavar="FILE", help="what the report says (YAML, or the settings as JSON)"
    )
    parser.add_argument(
        "--tables",
        required=True,
        nargs="*",
        metavar="FILE",
        help="HTML of render_table, in folders named after the papers",
    )
    parser.add_argument(
        "--figures", required=True, nargs="*", metavar="FILE", help="<paper>-<variant>-seed<p>-<name>.svg or .png"
    )
    parser.add_argument(
        "--comparisons", nargs="*", default=[], metavar="FILE", help="HTML of compare_runs, beside those tables"
    )
    parser.add_argument("--manifests", nargs="*", default=[], metavar="FILE", help="manifests of the shards")
    parser.add_argument("--splits", nargs="*", default=[], metavar="FILE", help="summaries of the splits")
    parser.add_argument("--provenances", nargs="*", default=[], metavar="FILE", help="provenance of the jobs")
    parser.add_argument("--verdicts", nargs="*", default=[], metavar="FILE", help="verdicts of the leakage guard")
    parser.add_argument("--report", required=True, metavar="FILE", help="HTML to write")
    arguments = parser.parse_args(argv)

    from pathlib import Path

    from maskray.config.stages import ReportStage
    from maskray.files import write_text
    from maskray.tables.report import Sources, render_report

    kinds = ("tables", "comparisons", "figures", "manifests", "splits", "provenances", "verdicts")
    sources = Sources(**{kind: [Path(file) for file in getattr(arguments, kind)] for kind in kinds})
    write_text(arguments.report, render_report(ReportStage.read(arguments.settings), sources))


if __name__ == "__main__":
    command.run(main)
