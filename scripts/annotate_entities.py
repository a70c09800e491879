"""Find the clinical entities of one part of a data set's reports with scispaCy, in place of those by rules.

scispaCy runs under its own environment's Python (`make setup-scispacy`), the rest of this program under yours.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__ or "")
    parser.add_argument("--part", type=Path, required=True, help="Parquet written by structure_reports")
    parser.add_argument("--model", required=True, help="name or folder of a spaCy pipeline with entities")
    parser.add_argument("--python", type=Path, required=True, help="the Python of scispaCy's environment")
    parser.add_argument("--annotated", type=Path, required=True, help="Parquet to write: the part with its entities")
    arguments = parser.parse_args(argv)

    from maskray.reports.scispacy_source import annotate_entities

    annotate_entities(arguments.part, arguments.annotated, arguments.python, arguments.model)


if __name__ == "__main__":
    command.run(main)
