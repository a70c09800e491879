"""Measure maskray beside what people use today, on made films and reports: no data, no network, one thread.

Prints a Markdown table (docs/benchmarks.md explains it) and stores the same as JSON. Takes about ten minutes; let
nothing else run meanwhile.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__ or "")
    parser.add_argument(
        "--output", type=Path, default=Path("results/benchmarks.json"), help="JSON to write (%(default)s)"
    )
    parser.add_argument(
        "--seconds-per-part", type=float, default=8, help="repeat each comparison for this long (%(default)s)"
    )
    parser.add_argument("--gpu", action="store_true", help="measure the GPU: ridge filter, steps of the papers' size")
    args = parser.parse_args(argv)
    if not args.seconds_per_part > 0:
        parser.error("--seconds-per-part must be above 0")

    from maskray import benchmarks
    from maskray.benchmarks.table import render
    from maskray.files import write_json

    # The parts' own lines (shards written, steps done) would drown the benchmark's.
    logging.getLogger("maskray").setLevel(logging.WARNING)
    logging.getLogger(benchmarks.__name__).setLevel(logging.INFO)
    results = benchmarks.run_all(Path(__file__).resolve().parent.parent, args.seconds_per_part, on_gpu=args.gpu)
    results["command"] = " ".join(["python scripts/benchmark.py", *(sys.argv[1:] if argv is None else argv)])
    write_json(args.output, results)
    print(render(results), end="")


if __name__ == "__main__":
    command.run(main)
