"""Ground phrases in test films without training: how well the map of a pre-trained method points at their boxes.

Writes for each phrase mIoU, CNR, the pointing game and the boxes' share of the area; no phrase is written. Uses a GPU
where there is one.
"""

from __future__ import annotations

from collections.abc import Sequence

from maskray import command
from maskray.evaluation import job


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    job.add_input_flags(parser)
    parser.add_argument("--predictions", required=True, metavar="FILE", help="Parquet to write")
    arguments = parser.parse_args(argv)

    from maskray.config.stages import GroundingStage

    opened = job.open_job(arguments, GroundingStage)

    from maskray.evaluation.grounding import measure_grounding
    from maskray.evaluation.measurements import write_measurements
    from maskray.training.export import load_method

    loaded = load_method(arguments.pretrained)
    measured = measure_grounding(loaded, opened.images, opened.stage.grounding, opened.runtime)
    write_measurements(arguments.predictions, measured)
    opened.record(arguments.provenance, {})


if __name__ == "__main__":
    command.run(main)
