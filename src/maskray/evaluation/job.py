"""What the benchmark programs share: their flags, opening the inputs, the record beside the outputs.

Light until :func:`open_job` is called: a program's ``--help`` does not wait for torch.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from maskray.config.stages import BenchmarkStage
    from maskray.evaluation.images import BenchmarkImages
    from maskray.evaluation.runtime import Runtime

Stage = TypeVar("Stage", bound="BenchmarkStage")


def add_input_flags(parser: argparse.ArgumentParser, provenance: bool = True, ensemble: bool = False) -> None:
    """The flags of all benchmarks; a picture of one has no provenance, and an ensemble has several folders."""
    parser.add_argument("--settings", required=True, metavar="FILE", help="the benchmark (YAML, or as JSON)")
    folder = "folder that pretrain wrote"
    if ensemble:
        parser.add_argument(
            "--pretrained", required=True, nargs="+", metavar="DIR", help=f"{folder}; several: an ensemble"
        )
    else:
        parser.add_argument("--pretrained", required=True, metavar="DIR", help=folder)
    parser.add_argument("--index", required=True, metavar="FILE", help="index.parquet of the data set")
    parser.add_argument("--split", required=True, metavar="FILE", help="split.csv of the protocol")
    parser.add_argument("--manifest", required=True, metavar="FILE", help="manifest.json of the shards")
    if not provenance:
        return
    parser.add_argument("--provenance", required=True, metavar="FILE", help="JSON to write: where the result came from")


@dataclass(frozen=True)
class Job(Generic[Stage]):
    """An opened benchmark job."""

    stage: Stage
    images: BenchmarkImages
    runtime: Runtime
    inputs: Mapping[str, Path]
    started: float

    def record(self, path: str | Path, seeds: Mapping[str, int], results: Mapping[str, Any] | None = None) -> None:
        """Write the provenance, with the hashes of everything that was read."""
        from maskray import provenance
        from maskray.files import hash_of_file

        hashes = {name: hash_of_file(source) for name, source in self.inputs.items()}
        hashes["manifest"] = self.images.store.manifest_hash
        config = self.stage.model_dump(mode="json") | dict(results or {})
        provenance.write(path, seeds=seeds, config=config, inputs=hashes, started=self.started)


def open_job(arguments: argparse.Namespace, stage_class: type[Stage], *more_inputs: str) -> Job[Stage]:
    """Read settings and images, and prepare the runtime; what is needed of the pre-trained method is read after it.

    The images come first, as a wrong path shows there at once. ``more_inputs`` are flags of files whose hashes are
    recorded besides.
    """
    started = time.time()
    stage = stage_class.read(arguments.settings)

    from maskray.evaluation.images import BenchmarkImages
    from maskray.evaluation.runtime import prepare_runtime

    files = arguments.index, arguments.split, arguments.manifest
    images = BenchmarkImages(*files, stage.labels, exclusive=stage.exclusive, label_sets=stage.label_sets)

    runtime = prepare_runtime(stage.threads, stage.precision)
    folders = arguments.pretrained if isinstance(arguments.pretrained, list) else [arguments.pretrained]
    names = ["weights", *(f"weights {number}" for number in range(2, len(folders) + 1))]
    inputs = {
        "index": Path(arguments.index),
        "split": Path(arguments.split),
        **{name: Path(folder) / "weights.safetensors" for name, folder in zip(names, folders, strict=True)},
    } | {name: Path(getattr(arguments, name)) for name in more_inputs}
    return Job(stage, images, runtime, inputs, started)
