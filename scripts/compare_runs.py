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
    command.add_table(parser)
    parser.add_argument("--csv", required=True, metavar="FILE", help="one line per comparison, to write")
    parser.add_argument("--md", required=True, metavar="FILE", help="Markdown to write")
    parser.add_argument("--html", required=True, metavar="FILE", help="folded HTML fragment to write")
    arguments = parser.parse_args(argv)

    from maskray.evaluation.comparing import Comparer
    from maskray.files import write_text
    from maskray.tables import comparison_forms
    from maskray.tables.cells import CONFIDENCE
    from maskray.tables.comparisons import compare_rows
    from maskray.tables.sources import read_table

    table = read_table(arguments.settings, arguments.table_metrics, arguments.published)
    found = compare_rows(table.layout, table.metrics, table.stage.table.compared_with, Comparer(CONFIDENCE))
    forms = {
        arguments.csv: comparison_forms.csv_text(found),
        arguments.md: comparison_forms.markdown(found),
        arguments.html: comparison_forms.html(found),
    }
    for path, text in forms.items():
        write_text(path, text)


if __name__ == "__main__":
    command.run(main)
