"""Render one table in the paper's layout, printed numbers beside ours, as CSV, Markdown, LaTeX and HTML.

A cell that was not run says so; made data are labelled as made in every form.
"""

from __future__ import annotations

from collections.abc import Sequence

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    command.add_table(parser)
    parser.add_argument("--csv", required=True, metavar="FILE", help="tidy long form to write")
    parser.add_argument("--md", required=True, metavar="FILE", help="Markdown to write")
    parser.add_argument("--tex", required=True, metavar="FILE", help="LaTeX to write (needs booktabs)")
    parser.add_argument("--html", required=True, metavar="FILE", help="HTML fragment to write")
    parser.add_argument("--verdicts", nargs="*", default=[], metavar="FILE", help="verdicts of check_leakage")
    arguments = parser.parse_args(argv)

    from maskray.files import write_text
    from maskray.tables import render
    from maskray.tables.sources import read_table

    layout = read_table(arguments.settings, arguments.table_metrics, arguments.published, arguments.verdicts).layout
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
