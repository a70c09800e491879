"""Measure the report rules against labels given by people, on Open-i; prints Markdown (docs/reports.md explains it)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__ or "")
    parser.add_argument("--folder", type=Path, required=True, help="Open-i: gold_labels.csv and ecgen-radiology/")
    parser.add_argument(
        "--half", choices=("held_out", "tuning"), default="held_out", help="which half of the reports (%(default)s)"
    )
    args = parser.parse_args(argv)

    from maskray.benchmarks.report_labels import half_of, read_open_i, render

    print(render(half_of(read_open_i(args.folder), args.half)), end="")


if __name__ == "__main__":
    command.run(main)
