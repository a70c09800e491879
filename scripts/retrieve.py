"""Find the report of each test film among those of all test studies, and the film of each report.

Writes for each study whether its partner is among the 1, 5 and 10 most similar (ties are hits), in both directions.
Uses a GPU where there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskray import command
from maskray.evaluation import job


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    job.add_input_flags(parser)
    parser.add_argument("--reports", required=True, metavar="FILE", help="structured reports (Parquet)")
    parser.add_argument("--predictions", required=True, metavar="FILE", help="Parquet to write")
    arguments = parser.parse_args(argv)

    from maskray.config.stages import RetrievalStage

    opened = job.open_job(arguments, RetrievalStage, "reports")

    from maskray.evaluation.measurements import write_measurements
    from maskray.evaluation.retrieval import measure_retrieval
    from maskray.training.export import load_method

    loaded = load_method(arguments.pretrained)
    measured = measure_retrieval(loaded, opened.images, Path(arguments.reports), opened.stage.retrieval, opened.runtime)
    write_measurements(arguments.predictions, measured)
    opened.record(arguments.provenance, {"candidates": opened.stage.retrieval.seed}, measured.settings)


if __name__ == "__main__":
    command.run(main)
