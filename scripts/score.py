"""Score predictions: AUROC, F1 and accuracy per label and macro, with bootstrap intervals over patients.

Thresholds of f1 and accuracy come from the validation part; those of f1_oracle and accuracy_oracle from the test part
itself, as in the papers. Needs no GPU and no torch.
"""

from __future__ import annotations

from collections.abc import Sequence

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    parser.add_argument("--predictions", required=True, metavar="FILE", help="Parquet that a benchmark wrote")
    parser.add_argument("--settings", required=True, metavar="FILE", help="replicates, confidence and seed (YAML)")
    parser.add_argument("--metrics", required=True, metavar="FILE", help="JSON to write")
    parser.add_argument("--bootstrap", required=True, metavar="FILE", help="replicates to write (npz)")
    arguments = parser.parse_args(argv)

    from maskray.config.stages import ScoreStage
    from maskray.evaluation.scoring import score_file

    score_file(arguments.predictions, ScoreStage.read(arguments.settings), arguments.metrics, arguments.bootstrap)


if __name__ == "__main__":
    command.run(main)
