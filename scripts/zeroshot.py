"""Classify validation and test films without labels, by a pair of prompts per finding, or several.

The prompts are kept with the predictions; the record beside them says which labels are called by their own words,
since the vocabulary has none for them. Uses a GPU where there is one.
"""

from __future__ import annotations

from collections.abc import Sequence

from maskray import command
from maskray.evaluation import job


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    job.add_input_flags(parser, ensemble=True)
    parser.add_argument("--predictions", required=True, metavar="FILE", help="Parquet to write")
    arguments = parser.parse_args(argv)

    from maskray.config.stages import ZeroshotStage

    opened = job.open_job(arguments, ZeroshotStage)

    from maskray.evaluation.ensemble import score_together
    from maskray.evaluation.predictions import write_predictions
    from maskray.evaluation.zeroshot import build_prompts, in_own_words
    from maskray.training.export import load_method

    settings, images = opened.stage.zeroshot, opened.images
    prompts = build_prompts(images.labels, settings)
    members = (load_method(folder) for folder in arguments.pretrained)
    predictions = score_together(members, images, prompts, settings.average, opened.runtime)
    write_predictions(arguments.predictions, predictions)
    results = {"prompts": prompts, "in_own_words": in_own_words(images.labels, settings)}
    opened.record(arguments.provenance, {}, results)


if __name__ == "__main__":
    command.run(main)
