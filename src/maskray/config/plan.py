"""From config files to the jobs of a run: which papers, variants, benchmarks and cells, with which settings.

Plain dictionaries, since the Snakefile reads this again in every cluster job and must start fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from maskray.config.benchmark_rules import why_unfit
from maskray.config.check import check, did_you_mean
from maskray.config.fractions import fraction_name, parse_fraction
from maskray.config.left_out import LEFT_OUT, LeftOut
from maskray.config.merge import differences, merge
from maskray.config.split_rules import lay_splits, why_impossible
from maskray.errors import InputError
from maskray.files import read_yaml

# How a benchmark's name ends -> the kind of job, and the name of its script.
TASKS = {
    "classification": "finetune",
    "linear_probe": "linear_probe",
    "zeroshot": "zeroshot",
    "retrieval": "retrieve",
    "grounding": "ground",
    "segmentation": "segment",
    "grading": "finetune",
}


@dataclass(frozen=True)
class Cell:
    """One group of a table's numbers: a variant's benchmark at one label fraction (None for zero-shot)."""

    paper: str
    variant: str
    benchmark: str
    fraction: str | None


@dataclass(frozen=True)
class Model:
    """One pre-training run."""

    paper: str
    variant: str
    seed: int


def task_of(benchmark: str) -> tuple[str, str]:
    """``rsna_classification`` -> (``rsna``, ``finetune``): the data set and the kind of job."""
    for ending, task in TASKS.items():
        if benchmark.endswith(f"_{ending}"):
            return benchmark.removesuffix(f"_{ending}"), task
    raise InputError(f"{benchmark}: a benchmark is named <data set>_<{'|'.join(TASKS)}>")


@dataclass(frozen=True)
class Plan:
    """Everything that the rules ask of the configuration. ``top`` is the repository."""

    config: Mapping[str, Any]
    top: Path

    @cached_property
    def paper_files(self) -> dict[str, dict[str, Any]]:
        """Key -> the paper's settings as its file has them."""
        found = {}
        for key in self.config["papers"]:
            file = self._paper_file(key)
            if not file.is_file():
                known = sorted(path.stem for path in file.parent.glob("*.yaml"))
                raise InputError(f"papers: no paper {key}; allowed: {', '.join(known)}")
            found[key] = read_yaml(file)
        return found

    @cached_property
    def papers(self) -> dict[str, dict[str, Any]]:
        """Key -> the paper's settings under this run's overlay, validated."""
        resolved = {key: merge(file, *self._overlays(key)) for key, file in self.paper_files.items()}
        for key, settings in resolved.items():
            self._check_paper(key, settings, str(self._paper_file(key)))
        return resolved

    @cached_property
    def datasets(self) -> dict[str, dict[str, Any]]:
        """Name -> the data set's settings under this run's ``splits:``, validated, for the data sets of this run."""
        for name in self.config.get("splits", {}):
            self._dataset(name, "splits")
        return {name: self._dataset(name, "datasets") for name in self.config["datasets"]}

    def variant(self, paper: str, variant: str) -> dict[str, Any]:
        """The settings of one variant: the paper's, with the variant's overlay laid over them."""
        if variant == "default":
            return self.papers[paper]
        # Every job asks, and checking costs milliseconds.
        if (paper, variant) not in self._variants:
            self._variants[paper, variant] = self._lay_variant(paper, variant)
        return self._variants[paper, variant]

    @cached_property
    def _variants(self) -> dict[tuple[str, str], dict[str, Any]]:
        return {}

    def _lay_variant(self, paper: str, variant: str) -> dict[str, Any]:
        settings = self.papers[paper]
        if variant not in settings.get("variants", {}):
            known = ", ".join(["default", *settings.get("variants", {})])
            raise InputError(f"config/papers/{paper}.yaml: no variant {variant}; there are: {known}")
        merged = merge(settings, settings["variants"][variant])
        self._check_paper(paper, merged, f"config/papers/{paper}.yaml, variant {variant}")
        return merged

    def overlay_changes(self, paper: str) -> dict[str, list[Any]]:
        """Dotted path -> [as in the paper file, as in this run], for the report."""
        changed = differences(self.paper_files[paper], self.papers[paper])
        return {path: list(pair) for path, pair in changed.items()}

    def tables(self, paper: str) -> dict[str, dict[str, Any]]:
        """The tables of a paper that this run builds."""
        printed = self.papers[paper]["tables"]
        usual = tuple(name for name, settings in printed.items() if not settings.get("on_request"))
        wanted = self.config.get("tables", {}).get(paper, usual)
        if unknown := [name for name in wanted if name not in printed]:
            raise InputError(f"tables.{paper}: no table {', '.join(unknown)}; allowed: {', '.join(printed)}")
        return {name: printed[name] for name in wanted}

    def cells(self, paper: str, table: str) -> list[Cell]:
        """The cells of a table that this run computes, each once."""
        settings = self.papers[paper]["tables"][table]
        found = [
            Cell(paper, row.get("variant", "default"), group["benchmark"], fraction)
            for row in settings["rows"]
            for group in settings["columns"]
            if group["benchmark"] not in row.get("without", ()) and self._is_run(paper, row)
            if self.why_not_run(group["benchmark"], paper) is None
            for fraction in (tuple(map(fraction_name, group.get("fractions", ()))) or (None,))
            if fraction not in self.left_out.fractions_of(group["benchmark"])
        ]
        for cell in found:
            if self._num_members(paper, cell.variant) > 1 and task_of(cell.benchmark)[1] != "zeroshot":
                raise InputError(
                    f"config/papers/{paper}.yaml: {cell.variant} is an ensemble, for zero-shot alone: {table}"
                )
        return list(dict.fromkeys(found))

    def compares(self, paper: str, table: str) -> bool:
        """True where this run computes the row that the others of a table are compared with, and another one."""
        settings = self.papers[paper]["tables"][table]
        own = settings.get("compared_with", "default")
        rows = [row.get("variant", "default") for row in settings["rows"]]
        if "compared_with" in settings and own not in rows:
            raise InputError(f"{paper}, {table}: compared_with: no row of variant {own}: {', '.join(rows)}")
        variants = {cell.variant for cell in self.cells(paper, table)}
        return own in variants and len(variants) > 1

    def members(self, paper: str, variant: str, seed: int) -> list[Model]:
        """The pre-training runs behind a model: itself, or the runs of the default variant that are its ensemble."""
        num = self._num_members(paper, variant)
        return (
            [Model(paper, "default", seed * num + k) for k in range(num)] if num > 1 else [Model(paper, variant, seed)]
        )

    def _num_members(self, paper: str, variant: str) -> int:
        return self.variant(paper, variant)["zeroshot"].get("num_members", 1)

    def why_not_run(self, benchmark: str, paper: str) -> str | None:
        """Why a benchmark is not part of this run; None where it is."""
        dataset, _ = task_of(benchmark)
        if benchmark not in self.papers[paper]["benchmarks"]:
            return f"{benchmark} is not among the paper's benchmarks"
        if benchmark in self.left_out.benchmarks:
            return LEFT_OUT
        return None if dataset in self.datasets else f"{dataset} is not among this run's data sets"

    @cached_property
    def left_out(self) -> LeftOut:
        """What the tables of this run leave out."""
        return LeftOut.of(self.config, self.papers, TASKS, self.top)

    def _is_run(self, paper: str, row: Mapping[str, Any]) -> bool:
        return row.get("variant", "default") not in self.left_out.variants.get(paper, ())

    def variants(self, paper: str) -> list[str]:
        """The variants that the tables of this run need, and those that the config asks for besides."""
        tables = self.tables(paper).values()
        rows = [row.get("variant", "default") for t in tables for row in t["rows"] if self._is_run(paper, row)]
        return list(dict.fromkeys([*rows, *self.config.get("variants", {}).get(paper, ())]))

    @cached_property
    def _all_cells(self) -> list[Cell]:
        found = (c for paper in self.papers for table in self.tables(paper) for c in self.cells(paper, table))
        return list(dict.fromkeys(found))

    def all_cells(self) -> list[Cell]:
        """Every cell of every table of this run, each once."""
        return self._all_cells

    @property
    def seeds(self) -> dict[str, list[int]]:
        """Pre-training and fine-tuning seeds; the papers' five runs are five fine-tuning seeds."""
        return {"pretrain": [0], "finetune": [0, 1, 2, 3, 4]} | dict(self.config.get("seeds", {}))

    def models(self) -> list[Model]:
        """Every pre-training run of this plan."""
        asked = ((p, variant, s) for p in self.papers for variant in self.variants(p) for s in self.seeds["pretrain"])
        return list(dict.fromkeys(model for each in asked for model in self.members(*each)))

    def is_trained(self, paper: str, variant: str) -> bool:
        """False for the random-init baseline, which has nothing to draw."""
        return self.variant(paper, variant)["pretrain"]["optimisation"]["num_epochs"] > 0

    def benchmarks(self) -> list[str]:
        """Every benchmark of this run, each once."""
        return list(dict.fromkeys(cell.benchmark for cell in self.all_cells()))

    def fractions(self, benchmark: str) -> list[str]:
        """Every label fraction that any table of this run wants of a benchmark; empty for zero-shot.

        A probe writes all of its fractions in one job, and a model's runs of a benchmark are scored together.
        """
        wanted = {c.fraction for c in self.all_cells() if c.benchmark == benchmark and c.fraction}
        return sorted(wanted, key=parse_fraction)

    def benchmark_protocol(self, paper: str, benchmark: str) -> str:
        """The split that a paper's benchmark uses; the data set must define it."""
        dataset, _ = task_of(benchmark)
        protocol = self._known_protocol(dataset, self.papers[paper]["benchmarks"][benchmark]["protocol"])
        if problem := why_unfit(benchmark, self.datasets[dataset]):
            raise InputError(f"config/papers/{paper}.yaml: benchmarks.{benchmark}: {problem}")
        return protocol

    def pretrain_splits(self, paper: str, variant: str) -> list[tuple[str, str]]:
        """(data set, protocol) pairs that a variant pre-trains on."""
        settings = self.variant(paper, variant)["pretrain"]
        names = [*settings["datasets"], *settings.get("image_datasets", ())]
        return [(name, self._known_protocol(name, settings["protocol"])) for name in names]

    def used_splits(self) -> list[tuple[str, str]]:
        """Every (data set, protocol) pair of this run, each once, sorted."""
        pretraining = {s for paper in self.papers for v in self.variants(paper) for s in self.pretrain_splits(paper, v)}
        benchmarks = {
            (task_of(c.benchmark)[0], self.benchmark_protocol(c.paper, c.benchmark)) for c in self.all_cells()
        }
        return sorted(pretraining | benchmarks)

    def known_split(self, dataset: str, protocol: str) -> tuple[str, str]:
        """A (data set, protocol) pair that the run has; :class:`InputError` lists those there are."""
        return dataset, self._known_protocol(dataset, protocol)

    def is_made(self, dataset: str) -> bool:
        """True where the data set is painted in this run instead of read from a site folder."""
        return dataset in (self.config.get("made") or {"num_studies": ()})["num_studies"]

    def labels(self, dataset: str) -> list[str]:
        """The labels that benchmarks score, in the official order."""
        settings = self.datasets[dataset]
        return list(settings.get("scored") or settings.get("labels", ()))

    def _known_protocol(self, dataset: str, protocol: str) -> str:
        if dataset not in self.datasets:
            raise InputError(f"{dataset} is needed, but not among this run's data sets: {', '.join(self.datasets)}")
        splits = self.datasets[dataset].get("splits", {})
        if protocol not in splits:
            raise InputError(f"config/datasets/{dataset}.yaml: no split {protocol}; there are: {', '.join(splits)}")
        return protocol

    def _dataset(self, name: str, key: str) -> dict[str, Any]:
        """One data set's settings; ``key`` is the part of the config that names it."""
        file = self.top / "config/datasets" / f"{name}.yaml"
        if not file.is_file():
            known = sorted(path.stem for path in file.parent.glob("*.yaml"))
            raise InputError(f"{key}: no data set {name}{did_you_mean(name, known)}; allowed: {', '.join(known)}")
        original = read_yaml(file)
        overlay = self.config.get("splits", {}).get(name, {})
        settings = lay_splits(original, overlay, f"splits.{name}")
        source = f"{file}, under splits.{name} of this run" if overlay else str(file)
        check(settings, self.top / "workflow/schemas/dataset.schema.json", source)
        for protocol, split in settings.get("splits", {}).items():
            if problem := why_impossible(split):
                raise InputError(f"{source}: splits.{protocol}: {problem}")
        return settings

    def _paper_file(self, key: str) -> Path:
        return self.top / "config/papers" / f"{key}.yaml"

    def _overlays(self, key: str) -> list[Mapping[str, Any]]:
        overlay = self.config.get("overlay", {})
        return [overlay.get("all", {}), overlay.get(key, {})]

    def _check_paper(self, key: str, settings: Mapping[str, Any], source: str) -> None:
        schemas = self.top / "workflow/schemas"
        check(settings, schemas / "paper.schema.json", source)
        check(settings["method"], schemas / f"method-{key}.schema.json", f"{source}: method")
