"""Render one table in the paper's layout, printed numbers beside ours, as CSV, Markdown, LaTeX and HTML.

A cell that was not run says so; made data are labelled as made in every form.
"""

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
    parser.add_argument("--csv", required=True, metavar="FILE", help="tidy long form to write")
    parser.add_argument("--md", required=True, metavar="FILE", help="Markdown to write")
    parser.add_argument("--tex", required=True, metavar="FILE", help="LaTeX to write (needs booktabs)")
    parser.add_argument("--html", required=True, metavar="FILE", help="HTML fragment to write")
    parser.add_argument("--verdicts", nargs="*", default=[], metavar="FILE", help="verdicts of check_leakage")
    arguments = parser.parse_args(argv)

    from maskray.config.stages import TableStage
    from maskray.files import write_text
    from maskray.tables import collect, render
    from maskray.tables.layout import lay_out
    from maskray.tables.leakage import read_flags
    from maskray.tables.published import read_published

    stage = TableStage.read(arguments.settings)
    metrics = collect.read(arguments.table_metrics).to_pandas()
    flags = read_flags(stage, arguments.verdicts)
    layout = lay_out(stage, read_published(arguments.published, stage.table_name), metrics, flags)
    forms = {
        arguments.csv: render.csv_text(layout),
        arguments.md: render.markdown(layout),
        arguments.tex: render.latex(layout),
        arguments.html: render.html(layout),
    }
    for path, text in forms.items():
        write_text(path, text)


if __name__ == "__main__":
    command.run(main)
