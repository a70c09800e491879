"""Training steps of each method by the training loop itself: reading, augmentation, loss, gradients, update."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from maskray.benchmarks.full_size import random_weights
from maskray.benchmarks.made import make_films, report_texts, store_films
from maskray.benchmarks.measure import ON, Row, Sizes, Spread
from maskray.config.jobs import pretrain_stage
from maskray.config.merge import merge
from maskray.config.plan import Plan
from maskray.config.preprocessing import ImagesConfig, ReportsConfig
from maskray.config.stages import PretrainStage
from maskray.config.training import RuntimeConfig
from maskray.data.pairs import PairSource
from maskray.data.shard_store import MANIFEST_NAME
from maskray.files import read_yaml, write_text
from maskray.reports.structure import structure_reports
from maskray.training.loop import pretrain

_NUM_WARM_UP_STEPS = 3
_SEED = 0


class Training(NamedTuple):
    """A run that is measured: its row's name, all that it computes, and the processes that read for it."""

    what: str
    stage: PretrainStage
    num_workers: int


def demo_trainings(top: Path, sizes: Sizes) -> list[Training]:
    """One for each paper of ``make demo``, at its size."""
    plan, num_steps = demo_plan(top), sizes.num_training_steps + _NUM_WARM_UP_STEPS
    stages = {paper: stage_of(plan, paper, num_steps) for paper in plan.papers}
    return [
        Training(f"training step, {paper}, demo size ({stage.image_encoder.image_px} px)", stage, num_workers=0)
        for paper, stage in stages.items()
    ]


def full_trainings(top: Path, sizes: Sizes) -> list[Training]:
    """One for each paper at its size, with random weights, as ``config/config.yaml`` runs it on a GPU."""
    settings = read_yaml(top / "config/config.yaml")
    plan, num_steps = Plan(settings, top), sizes.num_training_steps + _NUM_WARM_UP_STEPS
    return [
        Training(
            f"training loop, {paper}, ViT-B/16, {ON['cuda']}",
            stage_of(plan, paper, num_steps, _at_random(plan, paper, sizes.num_step_images)),
            settings["runtime"]["pretrain"]["num_workers"],
        )
        for paper in plan.papers
    ]


def _at_random(plan: Plan, paper: str, batch_size: int) -> dict[str, Any]:
    """What to change in a paper's settings, so that nothing is fetched."""
    chosen = plan.variant(paper, "default")
    encoders = {name: random_weights(chosen[name]) for name in ("image_encoder", "text_encoder")}
    return encoders | {"pretrain": {"optimisation": {"batch_size": batch_size}}}


def measure_training(folder: Path, trainings: Sequence[Training]) -> list[Row]:
    """A row for each; every step takes the same pairs, in another order.

    ``agreement``: the share of a step that the loop waits for its batch (in the reading itself, without workers).
    """
    sources: dict[tuple[int, int], PairSource] = {}
    rows = []
    for number, (what, stage, num_workers) in enumerate(trainings):
        image_px, batch_size = shape = stage.image_encoder.image_px, stage.pretrain.optimisation.batch_size
        if shape not in sources:
            sources[shape] = make_source(folder / f"{image_px}-{batch_size}", batch_size, image_px)
        films_alone = [dataclasses.replace(sources[shape], reports=None)] * bool(stage.pretrain.image_datasets)
        steps = _steps(stage, [sources[shape], *films_alone], folder / str(number), num_workers)
        row = Row(
            what=what,
            unit="images/s",
            ours=Spread.of([float(step["images_per_second"]) for step in steps]),
            num_items=batch_size,
            num_repeats=len(steps),
            agreement={"share of a step waiting for data": float(np.median([float(s["data_wait"]) for s in steps]))},
        )
        rows.append(row)
    return rows


def demo_plan(top: Path) -> Plan:
    """The plan of ``make demo``, whose settings lie below ``top``."""
    return Plan(merge(*(read_yaml(top / "config" / name) for name in ("config.yaml", "demo.yaml"))), top)


def stage_of(plan: Plan, paper: str, num_steps: int, changes: Mapping[str, Any] | None = None) -> PretrainStage:
    """With as many epochs as steps, since there are as many pairs as a batch holds; all of them of the last phase."""
    stage = merge(pretrain_stage(plan, paper, "default"), changes or {})
    warm_up = [0] * len(stage["pretrain"]["optimisation"].get("phase_steps", ()))
    steps = {"optimisation": {"num_epochs": num_steps, "phase_steps": warm_up}}
    return PretrainStage.parse(merge(stage, {"pretrain": steps}), f"config/papers/{paper}.yaml, changed to be measured")


def _steps(stage: PretrainStage, sources: Sequence[PairSource], folder: Path, num_workers: int) -> list[dict[str, str]]:
    """The log's rows after the warm-up."""
    train(stage, sources, folder, num_workers)
    with (folder / "log.csv").open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))[_NUM_WARM_UP_STEPS:]


def train(stage: PretrainStage, sources: Sequence[PairSource], folder: Path, num_workers: int = 0) -> None:
    """As the workflow does, without checkpoints on the way."""
    machine = {"num_workers": num_workers, "checkpoint_seconds": 1e6}
    runtime = RuntimeConfig(threads=stage.threads, precision=stage.precision, **machine)
    pretrain(stage, sources, _SEED, folder, runtime)


def make_source(folder: Path, num_pairs: int, image_px: int) -> PairSource:
    """Made pairs as the earlier stages leave them, all in the training part."""
    films = make_films(folder / "films", num_pairs, image_px)
    store = store_films(films, ImagesConfig(size_px=image_px), folder / "shards")
    reports_path = folder / "reports.parquet"
    source = PairSource(folder / "index.parquet", folder / "split.csv", store / MANIFEST_NAME, reports_path)
    films.index.to_parquet(source.index, index=False)
    write_text(source.split, "image_id,part\n" + "".join(f"{name},train\n" for name in films.index["image_id"]))
    reports = list(zip(films.index["study_id"], report_texts(num_pairs), strict=True))
    structure_reports(lambda: reports, ReportsConfig(), "made", 0, 1, reports_path, folder / "failed.csv")
    return source
