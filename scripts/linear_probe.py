"""Train linear heads on frozen features of the pre-trained image encoder, for all label fractions and seeds.

Writes FOLDER/<fraction>/seed<f>/predictions.parquet, e.g. FOLDER/1%/seed0/predictions.parquet. The features are
computed once, on a GPU where there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskray import command
from maskray.evaluation import job


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    job.add_input_flags(parser)
    parser.add_argument("--folder", required=True, metavar="DIR", help="where the predictions go")
    arguments = parser.parse_args(argv)

    from maskray.config.stages import LinearProbeStage

    opened = job.open_job(arguments, LinearProbeStage)

    from maskray.config.fractions import fraction_name
    from maskray.evaluation.linear_probe import probe_all
    from maskray.evaluation.predictions import write_predictions
    from maskray.training.export import load_image_encoder

    stage = opened.stage
    encoder = load_image_encoder(arguments.pretrained)
    runs = probe_all(encoder, opened.images, stage.linear_probe, stage.fractions, stage.seeds, opened.runtime)
    for fraction, seed, predictions in runs:
        folder = Path(arguments.folder) / fraction_name(fraction) / f"seed{seed}"
        write_predictions(folder / "predictions.parquet", predictions)
    opened.record(arguments.provenance, {f"probe{seed}": seed for seed in stage.seeds})


if __name__ == "__main__":
    command.run(main)
