"""Pre-train one method on film-report pairs, or go on where a killed run left off.

Writes weights, encoders, method.yaml, log.csv and maps.csv into --folder; resume/ in it has checkpoints until the end.
SIGTERM and SIGUSR1 save and leave with status 143 or 138: the same command goes on, and ends with the same weights.
--indexes, --splits, --manifests, --excluded and --reports take one file per data set; the last may be films alone.
"""

import time
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from maskray import command

MACHINE = ("devices", "num_nodes", "num_workers", "micro_batches", "checkpoint_seconds", "wait_minutes")


def main(argv: Sequence[str] | None = None) -> None:
    started, parser = time.time(), command.parser(__doc__)
    parser.add_argument("--settings", required=True, help="method, encoders, pre-training (YAML, or as JSON)")
    for name in ("indexes", "splits", "manifests", "reports"):
        parser.add_argument(f"--{name}", type=Path, nargs="+", required=True)
    parser.add_argument("--excluded", type=Path, nargs="*", default=[], help="films to leave out (CSV)")
    for name in ("seed", *MACHINE):
        parser.add_argument(f"--{name.replace('_', '-')}", type=float if name in MACHINE[-2:] else int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--provenance", type=Path, required=True)
    args = parser.parse_args(argv)
    groups = [args.indexes, args.splits, args.manifests, args.excluded or [None] * len(args.indexes)]
    if len({len(files) for files in groups}) > 1 or len(args.reports) > len(args.indexes):
        parser.error("--indexes, --splits, --manifests (and --excluded) need one file per data set, --reports no more")
    from maskray.config.stages import PretrainStage
    from maskray.config.training import RuntimeConfig

    stage = PretrainStage.read(args.settings)
    machine = {name: getattr(args, name) for name in MACHINE}
    runtime = RuntimeConfig.parse(machine | {"threads": stage.threads, "precision": stage.precision}, "command line")
    from maskray import provenance
    from maskray.data.pairs import PairSource
    from maskray.encoders.weights import describe_weights
    from maskray.files import hash_of_file
    from maskray.training import export, resume
    from maskray.training.loop import hash_of_run, pretrain
    from maskray.training.progress import Records

    sources = [PairSource(*files[:3], files[4], files[3]) for files in zip_longest(*groups, args.reports)]
    run_hash = hash_of_run(stage, sources, args.seed)
    if resume.put_back(args.folder, run_hash):
        return
    if pretrain(stage, sources, args.seed, args.folder, runtime):
        inputs = {str(path): hash_of_file(path) for source in sources for path in source.files().values()}
        about = {"seeds": {"pretrain": args.seed}, "config": stage.model_dump(mode="json"), "inputs": inputs}
        weights = describe_weights(stage.image_encoder, stage.text_encoder)
        provenance.write(args.provenance, **about, started=started, weights=weights)
        # Last: a run killed before this line finds its final checkpoint and only writes the outputs again.
        resume.keep_finished(args.folder, run_hash, [*export.FILES, *Records.FILES, args.provenance.name])


if __name__ == "__main__":
    command.run(main)
