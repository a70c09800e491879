"""Compare the paper's own row of a table with each other row of ours, column by column, on the same test films.

DeLong's test for AUROC, films of a patient taken together; the paired bootstrap over patients for all other metrics. Of
several seeds the means over the runs are compared, as the table has them: the interval and p are about other test
patients, with these trained models. p is corrected over the table by Holm's method. What was not run, or was tested on
other films, says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    parser.add_argument(
        "--settings", required=True, metavar="FILE", help="the table and its data (YAML, or the settings as JSON)"
    )
    parser.add_argument(
        "--table-metrics",
        required=True,
        metavar="FILE",
        help="Parquet of collect_metrics; the predictions that it names are read too",
    )
    parser.add_argument("--published", required=True, metavar="FILE", help="the paper's printed numbers (CSV)")
    parser.add_argument("--csv", required=True, metavar="FILE", help="one line per comparison, to write")
    parser.add_argument("--md", required=True, metavar="FILE", help="Markdown to write")
    parser.add_argument("--html", required=True, metavar="FILE", help="folded HTML fragment to write")
    arguments = parser.parse_args(argv)

    from maskray.config.stages import TableStage
    from maskray.evaluation.comparing import Comparer
    from maskray.files import write_text
    from maskray.tables import collect, comparison_forms
    from maskray.tables.cells import CONFIDENCE
    from maskray.tables.comparisons import compare_rows
    from maskray.tables.layout import lay_out
    from maskray.tables.published import read_published

    stage = TableStage.read(arguments.settings)
    metrics = collect.read(arguments.table_metrics).to_pandas()
    layout = lay_out(stage, read_published(arguments.published, stage.table_name), metrics)
    found = compare_rows(layout, metrics, stage.table.compared_with, Comparer(CONFIDENCE))
    forms = {
        arguments.csv: comparison_forms.csv_text(found),
        arguments.md: comparison_forms.markdown(found),
        arguments.html: comparison_forms.html(found),
    }
    for path, text in forms.items():
        write_text(path, text)


if __name__ == "__main__":
    command.run(main)
