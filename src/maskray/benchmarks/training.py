"""Training steps of each method in the demo's size, by the training loop itself: reading, loss, gradients, update."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from maskray.benchmarks.made import make_films, report_texts, store_films
from maskray.benchmarks.measure import Row, Sizes, Spread
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


def measure_training(folder: Path, top: Path, sizes: Sizes) -> list[Row]:
    """One row for each paper of the demo; every step takes the same pairs, in another order."""
    plan = demo_plan(top)
    sources: dict[tuple[int, int], PairSource] = {}
    rows = []
    for paper in plan.papers:
        stage = stage_of(plan, paper, sizes.num_training_steps + _NUM_WARM_UP_STEPS)
        image_px, batch_size = shape = stage.image_encoder.image_px, stage.pretrain.optimisation.batch_size
        if shape not in sources:
            sources[shape] = make_source(folder / f"{image_px}-{batch_size}", batch_size, image_px)
        films_alone = [dataclasses.replace(sources[shape], reports=None)] * bool(stage.pretrain.image_datasets)
        rates = _rates(stage, [sources[shape], *films_alone], folder / paper)
        row = Row(
            what=f"training step, {paper}, demo size ({image_px} px)",
            unit="images/s",
            ours=Spread.of(rates),
            num_items=batch_size,
            num_repeats=len(rates),
        )
        rows.append(row)
    return rows


def demo_plan(top: Path) -> Plan:
    """The plan of ``make demo``, whose settings lie below ``top``."""
    return Plan(merge(*(read_yaml(top / "config" / name) for name in ("config.yaml", "demo.yaml"))), top)


def stage_of(plan: Plan, paper: str, num_steps: int) -> PretrainStage:
    """With as many epochs as steps, since there are as many pairs as a batch holds; all of them of the last phase."""
    stage = pretrain_stage(plan, paper, "default")
    warm_up = [0] * len(stage["pretrain"]["optimisation"].get("phase_steps", ()))
    changes = {"optimisation": {"num_epochs": num_steps, "phase_steps": warm_up}}
    source = f"config/papers/{paper}.yaml under config/demo.yaml"
    return PretrainStage.parse(merge(stage, {"pretrain": changes}), source)


def _rates(stage: PretrainStage, sources: Sequence[PairSource], folder: Path) -> list[float]:
    """Images per second of each step after the warm-up."""
    train(stage, sources, folder)
    with (folder / "log.csv").open(newline="", encoding="utf-8") as handle:
        rates = [float(row["images_per_second"]) for row in csv.DictReader(handle)]
    return rates[_NUM_WARM_UP_STEPS:]


def train(stage: PretrainStage, sources: Sequence[PairSource], folder: Path) -> None:
    """As the workflow does, without checkpoints on the way."""
    runtime = RuntimeConfig(threads=stage.threads, precision=stage.precision, checkpoint_seconds=1e6)
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
