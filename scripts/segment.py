"""Fine-tune the pre-trained image encoder under a convolutional decoder for segmentation, and measure each test film.

Learning rate (where several are given), epoch and threshold are chosen on validation. Writes Dice and IoU of each film,
and its masks.
Uses a GPU where there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskray import command
from maskray.config.fractions import parse_fraction
from maskray.evaluation import job


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    job.add_input_flags(parser)
    parser.add_argument("--fraction", required=True, type=parse_fraction, metavar="F", help="0.01 or 1%%")
    parser.add_argument("--seed", required=True, type=int, help="of the decoder, the order and the augmentation")
    parser.add_argument("--masks", type=Path, metavar="DIR", help="the data set's folder, where its masks are files")
    parser.add_argument("--predictions", required=True, metavar="FILE", help="Parquet to write")
    parser.add_argument("--drawn", required=True, metavar="FILE", help="Parquet to write: masks, true and drawn")
    arguments = parser.parse_args(argv)

    from maskray.config.stages import SegmentationStage

    opened = job.open_job(arguments, SegmentationStage)

    from maskray.data.drawn_masks import write_drawn_masks
    from maskray.evaluation.measurements import write_measurements
    from maskray.evaluation.segmentation import segment
    from maskray.training.export import load_method

    found = segment(
        load_method(arguments.pretrained).method,
        opened.images,
        opened.stage.segmentation,
        arguments.fraction,
        arguments.seed,
        opened.runtime,
        arguments.masks,
    )
    write_measurements(arguments.predictions, found.measured)
    write_drawn_masks(arguments.drawn, found.masks)
    opened.record(arguments.provenance, {"finetune": arguments.seed})


if __name__ == "__main__":
    command.run(main)
