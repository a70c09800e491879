"""Score the runs of a benchmark on one model: AUROC, F1 and accuracy per label and macro; or, of what was measured item
by item (retrieval, grounding), the means.

Intervals are bootstrapped over patients. --predictions, --metrics and --bootstrap take one file per run, in the same
order.
Thresholds of f1 and accuracy come from the validation part; those of f1_oracle and accuracy_oracle from the test part
itself, as in the papers. Needs no GPU and no torch.
"""

from __future__ import annotations

from collections.abc import Sequence

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    parser.add_argument("--predictions", required=True, nargs="+", metavar="FILE", help="Parquet of each run")
    parser.add_argument("--settings", required=True, metavar="FILE", help="the `score` settings (YAML, or as JSON)")
    parser.add_argument("--metrics", required=True, nargs="+", metavar="FILE", help="JSON to write for each run")
    parser.add_argument("--bootstrap", required=True, nargs="+", metavar="FILE", help="replicates of each run (npz)")
    arguments = parser.parse_args(argv)
    if not len(arguments.predictions) == len(arguments.metrics) == len(arguments.bootstrap):
        parser.error("--predictions, --metrics and --bootstrap need one file per run each")

    from maskray.config.stages import ScoreStage
    from maskray.evaluation.scoring import score_file

    settings = ScoreStage.read(arguments.settings)
    for files in zip(arguments.predictions, arguments.metrics, arguments.bootstrap, strict=True):
        score_file(files[0], settings, *files[1:])


if __name__ == "__main__":
    command.run(main)
