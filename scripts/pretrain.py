"""Pre-train one method on film-report pairs, or go on where a killed run left off.

Writes weights.safetensors, image_encoder.safetensors, text_encoder/, method.yaml and log.csv into --folder.
Rolling checkpoints lie in its resume/ until the end. SIGTERM and SIGUSR1 save and leave with status 143 or 138;
the same command then goes on, and ends with the same weights as if nothing had happened.
--indexes, --splits, --manifests and --reports take one file per data set, in the same order; --excluded likewise.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    started = time.time()
    parser = command.parser(__doc__)
    parser.add_argument("--settings", required=True, help="method, encoders, pre-training (YAML, or as JSON)")
    for name in ("indexes", "splits", "manifests", "reports"):
        parser.add_argument(f"--{name}", type=Path, nargs="+", required=True)
    parser.add_argument("--excluded", type=Path, nargs="*", default=[], help="films to leave out (CSV)")
    for name in ("seed", "devices", "num-nodes", "num-workers"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--checkpoint-seconds", type=float, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--provenance", type=Path, required=True)
    args = parser.parse_args(argv)
    groups = [args.indexes, args.splits, args.manifests, args.reports, args.excluded or [None] * len(args.indexes)]
    if len({len(files) for files in groups}) > 1:
        parser.error("--indexes, --splits, --manifests and --reports need one file per data set each (--excluded too)")

    from maskray.config.stages import PretrainStage
    from maskray.config.training import RuntimeConfig

    stage = PretrainStage.read(args.settings)
    machine = {name: getattr(args, name) for name in ("devices", "num_nodes", "num_workers", "checkpoint_seconds")}
    machine |= {"threads": stage.threads, "precision": stage.precision}
    runtime = RuntimeConfig.parse(machine, "command line")

    from maskray import provenance
    from maskray.data.pairs import PairSource
    from maskray.files import hash_of_file
    from maskray.training import resume
    from maskray.training.loop import hash_of_run, pretrain

    sources = [PairSource(*files) for files in zip(*groups, strict=True)]
    run_hash = hash_of_run(stage, sources, args.seed)
    if resume.put_back(args.folder, run_hash):
        return
    if pretrain(stage, sources, args.seed, args.folder, runtime):
        inputs = {str(path): hash_of_file(path) for source in sources for path in source.files().values()}
        config = stage.model_dump(mode="json")
        provenance.write(args.provenance, seeds={"pretrain": args.seed}, config=config, inputs=inputs, started=started)
        # Last: a run killed before this line finds its final checkpoint and only writes the outputs again.
        resume.keep_finished(args.folder, run_hash)


if __name__ == "__main__":
    command.run(main)
