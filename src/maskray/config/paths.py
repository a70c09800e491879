"""Where each thing of a run lies: the one place that knows the layout of a results root."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from maskray.config.checks import (
    Check,
    all_checks,
    bridges_between,
    checks_of,
    dropped_splits,
    split_named,
)
from maskray.config.galleries import galleries, gallery
from maskray.config.plan import Cell, Plan, task_of

# A pre-trained model's folder, with the wildcards that the rules share.
MODEL_WILDCARDS = "{paper}/{variant}/seed{pretrain_seed}"


@dataclass(frozen=True)
class Paths:
    """Files of one results root. Rules use strings with wildcards, targets use them filled in."""

    plan: Plan

    @property
    def root(self) -> str:
        """The results root."""
        return self.plan.config["results_root"].rstrip("/")

    @property
    def model(self) -> str:
        """Folder of one pre-trained model, with wildcards."""
        return f"{self.root}/{MODEL_WILDCARDS}"

    def data(self, dataset: str, name: str) -> str:
        """A file of one data set."""
        return f"{self.root}/data/{dataset}/{name}"

    def reports(self, dataset: str) -> str:
        """The structured reports of a data set."""
        return f"{self.root}/reports/{dataset}/reports.parquet"

    def site(self, dataset: str) -> dict[str, str | None]:
        """Folders of the raw files by name; made data have theirs below the root.

        A data set that adds to another one's films (``images_of``) lies in that one's folder.
        """
        owner = self.plan.datasets[dataset].get("images_of") or dataset
        if self.plan.is_made(dataset):
            folder = f"{self.root}/made/{owner}"
            return {"folder": folder, "reports": f"{folder}/reports", "annotations": f"{self.root}/made/{dataset}"}
        folders = self.plan.config.get("site", {})
        return (
            {"folder": None} | dict(folders.get(owner, {})) | {k: v for k, v in folders.get(dataset, {}).items() if v}
        )

    def made_manifests(self, dataset: str) -> list[str]:
        """What make_data writes before the data set can be read; nothing where the data are real."""
        if not self.plan.is_made(dataset):
            return []
        owner = self.plan.datasets[dataset].get("images_of")
        return [f"{self.root}/made/{name}.json" for name in (dataset, owner) if name]

    def runs(self, benchmark: str, file: str, model: str | None = None) -> list[str]:
        """One file of every run of a benchmark on a model: each fraction and seed, or the one zero-shot run."""
        folder = f"{model or self.model}/{benchmark}"
        fractions = self.plan.fractions(benchmark)
        seeds = self.plan.seeds["finetune"]
        return [f"{folder}/{f}/seed{s}/{file}" for f in fractions for s in seeds] or [f"{folder}/{file}"]

    def of_cells(self, cells: Iterable[Cell], file: str) -> list[str]:
        """One file of every run of these cells."""
        found = []
        for cell in cells:
            for seed in self.plan.seeds["pretrain"]:
                folder = f"{self.root}/{cell.paper}/{cell.variant}/seed{seed}/{cell.benchmark}"
                runs = [f"{folder}/{cell.fraction}/seed{s}" for s in self.plan.seeds["finetune"]]
                found += [f"{run}/{file}" for run in (runs if cell.fraction else [folder])]
        return found

    def benchmark_inputs(self, paper: str, variant: str, seed: str, benchmark: str) -> dict[str, str | list[str]]:
        """What every benchmark of a pre-trained model reads, by name; of an ensemble the weights of all members."""
        dataset, task = task_of(benchmark)
        protocol = self.plan.benchmark_protocol(paper, benchmark)
        reports: dict[str, str | list[str]] = {"reports": self.reports(dataset)} if task == "retrieve" else {}
        return reports | {
            "weights": [
                f"{self.root}/{paper}/{member.variant}/seed{member.seed}/pretrain/weights.safetensors"
                for member in self.plan.members(paper, variant, int(seed))
            ],
            "index": self.data(dataset, "index.parquet"),
            "split": self.data(dataset, f"splits/{protocol}/split.csv"),
            "manifest": self.data(dataset, "shards/manifest.json"),
        }

    def pretrain_inputs(self, paper: str, variant: str) -> dict[str, list[str]]:
        """What pre-training reads, by name: one file per data set, in the order of the paper file.

        Data sets of films alone come last and have no reports.
        """
        pairs = self.plan.pretrain_splits(paper, variant)
        chosen = self.plan.variant(paper, variant)["pretrain"]
        return {
            "indexes": [self.data(name, "index.parquet") for name, _ in pairs],
            "splits": [self.data(name, f"splits/{protocol}/split.csv") for name, protocol in pairs],
            "manifests": [self.data(name, "shards/manifest.json") for name, _ in pairs],
            "reports": [self.reports(name) for name in chosen["datasets"]],
            "excluded": [file for name, _ in pairs for file in self.excluded(name)],
        } | ({"definitions": [chosen["definitions"]]} if chosen.get("definitions") else {})

    def excluded(self, dataset: str) -> list[str]:
        """What must leave the pre-training on a data set; nothing where the settings drop nothing."""
        return [self.data(dataset, "excluded.csv")] if dropped_splits(self.plan, dataset) else []

    def exclusion_inputs(self, dataset: str) -> dict[str, list[str]]:
        """What decides which films leave the pre-training on a data set, by name."""
        splits = dropped_splits(self.plan, dataset)
        bridges = bridges_between(self.plan, dataset, *(name for name, _ in splits))
        names = [dataset, *(name for name, _ in splits)]
        return {
            "indexes": [self.data(name, "index.parquet") for name in names],
            "splits": [self.data(name, f"splits/{protocol}/split.csv") for name, protocol in splits],
            "manifests": [self.data(name, "shards/manifest.json") for name in names if self._compares_pictures],
            "bridges": [self.data(name, "index.parquet") for name in bridges],
        }

    def verdicts(self, checks: Iterable[Check]) -> list[str]:
        """The verdict files of some checks."""
        return [f"{self.root}/leakage/{check.name}.json" for check in checks]

    def verdicts_of_parts(self, paper: str, variant: str) -> list[str]:
        """The checks of the splits that a variant pre-trains on."""
        return self.verdicts(Check(split, split) for split in self.plan.pretrain_splits(paper, variant))

    def verdicts_of_table(self, paper: str, table: str) -> list[str]:
        """The checks of all cells of a table, each once."""
        cells = self.plan.cells(paper, table)
        checks = [check for c in cells for check in checks_of(self.plan, c.paper, c.variant, c.benchmark)]
        return self.verdicts(dict.fromkeys(checks))

    def check_inputs(self, tested: str, trained: str) -> dict[str, list[str]]:
        """What one check reads, by name: the tested split first; the trained one only where it is another."""
        names = [split_named(tested)] + ([split_named(trained)] if trained != tested else [])
        bridges = bridges_between(self.plan, names[0][0], names[-1][0])
        return {
            "indexes": [self.data(name, "index.parquet") for name, _ in names],
            "splits": [self.data(name, f"splits/{protocol}/split.csv") for name, protocol in names],
            "manifests": [self.data(name, "shards/manifest.json") for name, _ in names if self._compares_pictures],
            "bridges": [self.data(name, "index.parquet") for name in bridges],
            "excluded": [file for name, _ in names[1:] for file in self.excluded(name)],
        }

    def side_by_side_inputs(self, paper: str, name: str) -> dict[str, str | list[str]]:
        """What a gallery of several variants is drawn from, by name: films of the first one's data, all weights."""
        variants = list(gallery(self.plan, paper, name)["variants"].values())
        seed = self.plan.seeds["pretrain"][0]
        return self.gallery_inputs(paper, variants[0]) | {
            "weights": [f"{self.root}/{paper}/{each}/seed{seed}/pretrain/weights.safetensors" for each in variants]
        }

    def gallery_inputs(self, paper: str, variant: str) -> dict[str, str | list[str]]:
        """The first pre-training data set, whose films are shown, by name."""
        inputs = self.pretrain_inputs(paper, variant)
        return {name: files[0] for name, files in inputs.items() if name != "excluded"}

    def _side_by_side(self) -> list[str]:
        """The galleries of several variants."""
        figures = f"{self.root}/figures"
        return [f"{figures}/{p}-{name}-side_by_side.png" for p in self.plan.papers for name in galleries(self.plan, p)]

    def _grounding_figures(self) -> list[str]:
        """Phrases on their films for each model that is grounded; the sweep of tau where a model has one."""
        cells = [cell for cell in self.plan.all_cells() if task_of(cell.benchmark)[1] == "ground"]
        found = []
        for cell in cells:
            is_swept = self.plan.variant(cell.paper, cell.variant).get("grounding", {}).get("taus")
            for seed in self.plan.seeds["pretrain"]:
                stem = f"{self.root}/figures/{cell.paper}-{cell.variant}-seed{seed}-{cell.benchmark}"
                found += [f"{stem}.png", *([f"{stem}_tau.svg"] if is_swept else [])]
        return found

    def drawn_masks(self, paper: str, variant: str, seed: str, benchmark: str) -> dict[str, str | list[str]]:
        """What a picture of segmentation is drawn from, by name: films, and the first run's masks of each fraction."""
        dataset, _ = task_of(benchmark)
        folder = f"{self.root}/{paper}/{variant}/seed{seed}/{benchmark}"
        first = self.plan.seeds["finetune"][0]
        return {
            "manifest": self.data(dataset, "shards/manifest.json"),
            "drawn": [f"{folder}/{fraction}/seed{first}/drawn.parquet" for fraction in self.plan.fractions(benchmark)],
        }

    def _segmentation_figures(self) -> list[str]:
        """Masks on their films for each model that segments."""
        cells = [cell for cell in self.plan.all_cells() if task_of(cell.benchmark)[1] == "segment"]
        models = dict.fromkeys((cell.paper, cell.variant, cell.benchmark) for cell in cells)
        return [
            f"{self.root}/figures/{paper}-{variant}-seed{seed}-{benchmark}.png"
            for paper, variant, benchmark in models
            for seed in self.plan.seeds["pretrain"]
        ]

    @property
    def _compares_pictures(self) -> bool:
        return self.plan.config.get("leakage", {}).get("pictures", True)

    def fetched_weights(self, paper: str, variant: str) -> list[str]:
        """What fetch_weights has to bring; nothing where the encoders start at random or from local folders."""
        chosen = self.plan.variant(paper, variant)
        names = [chosen[encoder].get("weights") for encoder in ("image_encoder", "text_encoder")]
        folder = self.plan.config.get("weights_folder", "weights")
        return [f"{folder}/{n.replace('/', '--')}/fetched.json" for n in names if n and not Path(n).exists()]

    def table(self, paper: str, table: str) -> list[str]:
        """One table in its four forms."""
        return [f"{self.root}/tables/{paper}/{table}.{form}" for form in ("csv", "md", "tex", "html")]

    def all_tables(self) -> list[str]:
        """Every table of this run."""
        plan = self.plan
        return [file for paper in plan.papers for name in plan.tables(paper) for file in self.table(paper, name)]

    def comparisons(self) -> list[str]:
        """The paired tests between rows, of every table of this run that has rows to compare."""
        return [
            f"{self.root}/tables/{paper}/{name}-comparisons.{form}"
            for paper in self.plan.papers
            for name in self.plan.tables(paper)
            if self.plan.compares(paper, name)
            for form in ("csv", "md", "html")
        ]

    def charts(self) -> list[str]:
        """The tables of this run that are drawn, too."""
        return [
            f"{self.root}/figures/{paper}-{name}-chart.svg"
            for paper in self.plan.papers
            for name, settings in self.plan.tables(paper).items()
            if settings.get("chart")
        ]

    def report_inputs(self) -> dict[str, list[str]]:
        """What the report shows, by name. The random-init baseline has no curves and no gallery."""
        figures = f"{self.root}/figures"
        splits = self.plan.used_splits()
        trained = [m for m in self.plan.models() if self.plan.is_trained(m.paper, m.variant)]
        drawn = [f"{figures}/{m.paper}-{m.variant}-seed{m.seed}" for m in trained]
        own = [
            f"{figures}/{m.paper}-{m.variant}-seed{m.seed}-{name}.svg"
            for m in trained
            for name in self.plan.papers[m.paper].get("figures", ())
            # Not of the further members of an ensemble.
            if m.variant == "default" and m.seed in self.plan.seeds["pretrain"]
        ]
        return {
            "tables": [file for file in self.all_tables() if file.endswith(".html")],
            "comparisons": [file for file in self.comparisons() if file.endswith(".html")],
            "figures": [f"{stem}-{what}" for stem in drawn for what in ("learning_curves.svg", "gallery.png")]
            + own
            + self.charts()
            + self._side_by_side()
            + self._grounding_figures()
            + self._segmentation_figures(),
            "manifests": [self.data(name, "shards/manifest.json") for name in dict(splits)],
            "splits": [self.data(name, f"splits/{protocol}/summary.json") for name, protocol in splits],
            "verdicts": self.verdicts(all_checks(self.plan)),
            "provenances": [
                f"{self.root}/{m.paper}/{m.variant}/seed{m.seed}/pretrain/provenance.json" for m in self.plan.models()
            ],
        }
