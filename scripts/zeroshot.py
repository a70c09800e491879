"""Classify validation and test films without labels, by a pair of prompts per finding.

The prompts are kept with the predictions. Uses a GPU where there is one.
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

    from maskray.config.stages import ZeroshotStage

    opened = job.open_job(arguments, ZeroshotStage)

    from maskray.evaluation.predictions import write_predictions
    from maskray.evaluation.zeroshot import build_prompts, score_zeroshot
    from maskray.training.export import load_method

    loaded = load_method(arguments.pretrained)
    prompts = build_prompts(opened.stage.labels, opened.stage.zeroshot)
    predictions = score_zeroshot(
        loaded.method, loaded.tokenizer, loaded.stage.text_encoder.max_tokens, opened.images, prompts, opened.runtime
    )
    write_predictions(arguments.predictions, predictions)
    opened.record(arguments.provenance, {}, {"prompts": prompts})


if __name__ == "__main__":
    command.run(main)
