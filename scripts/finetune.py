"""Fine-tune the pre-trained image encoder on one label fraction and predict validation and test.

Learning rate (where several are given) and epoch are chosen on validation. Uses a GPU where there is one.
"""

from __future__ import annotations

from collections.abc import Sequence

from maskray import command
from maskray.config.fractions import parse_fraction
from maskray.evaluation import job


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    job.add_input_flags(parser)
    parser.add_argument("--fraction", required=True, type=parse_fraction, metavar="F", help="0.01 or 1%%")
    parser.add_argument("--seed", required=True, type=int, help="of the head, the order and the augmentation")
    parser.add_argument("--predictions", required=True, metavar="FILE", help="Parquet to write")
    arguments = parser.parse_args(argv)

    from maskray.config.stages import FinetuneStage

    opened = job.open_job(arguments, FinetuneStage)

    from maskray.evaluation.finetune import finetune
    from maskray.evaluation.predictions import write_predictions
    from maskray.training.export import load_image_encoder

    predictions = finetune(
        load_image_encoder(arguments.pretrained),
        opened.images,
        opened.stage.finetune,
        arguments.fraction,
        arguments.seed,
        opened.runtime,
    )
    write_predictions(arguments.predictions, predictions)
    opened.record(arguments.provenance, {"finetune": arguments.seed})


if __name__ == "__main__":
    command.run(main)
