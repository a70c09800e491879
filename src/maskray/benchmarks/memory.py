"""Peak memory of each stage, once on some items and once on four times as many: each in a process of its own."""

from __future__ import annotations

import dataclasses
import multiprocessing
import resource
from collections.abc import Callable, Mapping
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

from maskray.benchmarks.made import MadeFilms, make_films, report_texts
from maskray.benchmarks.measure import Sizes
from maskray.benchmarks.probes import make_benchmark, small_encoder
from maskray.benchmarks.training import demo_plan, make_source, stage_of, train
from maskray.config.preprocessing import ImagesConfig, ReportsConfig
from maskray.data.shards import write_shard
from maskray.evaluation.features import compute_for_all
from maskray.evaluation.images import BenchmarkImages
from maskray.evaluation.runtime import prepare_runtime
from maskray.reports.structure import structure_reports

TIMES_MORE = 4
_NUM_STEPS = 6
_FILM_PX = 64
_KIB_PER_MIB = 1024

Work = Callable[[], None]


@dataclasses.dataclass(frozen=True)
class Peak:
    """Peak resident memory of one stage in MiB, Python and its libraries included, on ``num`` items and on more."""

    what: str
    num: int
    mib: float
    num_more: int
    mib_more: float

    def as_values(self) -> dict[str, Any]:
        """For JSON."""
        return dataclasses.asdict(self)


def measure_memory(folder: Path, top: Path, sizes: Sizes) -> list[Peak]:
    """What a stage needs when its data set grows; inputs are made before, outside of what is measured."""
    few = sizes.num_memory_items
    if not few:
        return []
    stages = {num: _stages(folder / str(num), top, num, sizes) for num in (few, few * TIMES_MORE)}
    return [
        Peak(what, few, _peak_of(work), few * TIMES_MORE, _peak_of(stages[few * TIMES_MORE][what]))
        for what, work in stages[few].items()
    ]


def _stages(folder: Path, top: Path, num: int, sizes: Sizes) -> Mapping[str, Work]:
    films = make_films(folder / "films", num, sizes.memory_film_px)
    plan = demo_plan(top)
    source = make_source(folder / "pairs", num, _FILM_PX)
    images = make_benchmark(folder / "benchmark", num, _FILM_PX)
    stage = stage_of(plan, "maco", _NUM_STEPS)
    return {
        f"films to shards ({sizes.memory_film_px} px)": partial(_shards, films, folder),
        "reports to manuscripts": partial(_reports, num, folder),
        "pre-training (maco, demo size)": partial(train, stage, [source], folder / "trained"),
        "features of a benchmark (ViT-Ti/8)": partial(_features, images),
    }


def _peak_of(work: Work) -> float:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(work, sender))
    process.start()
    sender.close()  # so that a process that dies leaves an error and no silence
    peak: float = receiver.recv()
    process.join()
    return peak


def _run(work: Work, sender: Connection) -> None:
    torch.set_num_threads(1)
    work()
    sender.send(_peak_of_this_process())


def _peak_of_this_process() -> float:
    """MiB. Linux's ``ru_maxrss`` would hand on the parent's peak, the kernel's own high-water mark does not."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB_PER_MIB
    (line,) = (line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / _KIB_PER_MIB


def _shards(films: MadeFilms, folder: Path) -> None:
    shard, rejected = folder / "part.h5", folder / "rejected.csv"
    config = ImagesConfig()
    write_shard(films.index, films.folder, config, part=0, num_parts=1, threads=1, shard=shard, rejected=rejected)


def _reports(num: int, folder: Path) -> None:
    # Written one by one, as readers give them; those of the made data are few and come again.
    texts = report_texts(min(num, 500))
    read = partial(_named, texts, num)
    structure_reports(read, ReportsConfig(), "made", 0, 1, folder / "reports.parquet", folder / "failed.csv")


def _named(texts: list[str], num: int) -> Any:
    return ((f"study-{number:06d}", texts[number % len(texts)]) for number in range(num))


def _features(images: BenchmarkImages) -> None:
    runtime = prepare_runtime(1, "32-true")
    image_ids = [image_id for part in ("train", "test") for image_id in images.examples(part).image_ids]
    compute_for_all(small_encoder(_FILM_PX, 8), images, image_ids, runtime, "films")
