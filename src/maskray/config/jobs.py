"""What each kind of job is told, as plain values: the rules pass them on as parameters.

The typed forms, against which the jobs validate them, are in :mod:`maskray.config.stages`.
"""

from __future__ import annotations

import json
from typing import Any

from maskray.config.checks import checks_by_cell
from maskray.config.fractions import parse_fraction
from maskray.config.plan import Plan, task_of


def by_value(settings: Any, in_order: bool = False) -> str:
    """Settings as one parameter: a comment edited in a YAML file reruns nothing, a changed number just its jobs.

    Only where the order of keys means something (the columns of a table) does a new order rerun a job.
    """
    return json.dumps(settings, sort_keys=not in_order)


def runtime(plan: Plan, kind: str) -> dict[str, Any]:
    """Threads and precision of a kind of job (images, pretrain, evaluate): what changes bits."""
    chosen = plan.config.get("runtime", {}).get(kind, {})
    return {"threads": chosen.get("threads", 1), "precision": chosen.get("precision", "32-true")}


def machine_flags(plan: Plan) -> str:
    """The flags of ``pretrain`` about the machine, which change a result by rounding at most: they rerun nothing."""
    defaults = {"devices": 1, "num_nodes": 1, "num_workers": 0, "micro_batches": 1}
    defaults |= {"checkpoint_seconds": 600, "wait_minutes": 30}
    chosen = plan.config.get("runtime", {}).get("pretrain", {})
    return " ".join(f"--{name.replace('_', '-')} {chosen.get(name, value)}" for name, value in defaults.items())


def index_stage(plan: Plan, dataset: str) -> dict[str, Any]:
    """What a reader is told: all but the splits, so that another protocol indexes nothing again."""
    return {key: value for key, value in plan.datasets[dataset].items() if key != "splits"}


def made_stage(plan: Plan, dataset: str) -> dict[str, Any]:
    """What decides the bytes of one made data set: of the numbers of studies its own alone."""
    made = plan.config.get("made") or {}
    return {**made, "num_studies": made.get("num_studies", {}).get(dataset)}


def pretrain_stage(plan: Plan, paper: str, variant: str) -> dict[str, Any]:
    """All that decides the weights of one variant, except the seed."""
    chosen = plan.variant(paper, variant)
    sections = {key: chosen[key] for key in ("method", "image_encoder", "text_encoder", "pretrain")}
    return {"paper": paper, "variant": variant} | sections | runtime(plan, "pretrain")


def section_of(task: str) -> str:
    """Where a paper file has the settings of a kind of job; a section that a paper does not need it leaves out."""
    return {"retrieve": "retrieval", "ground": "grounding", "segment": "segmentation"}.get(task, task)


def evaluation_stage(plan: Plan, paper: str, variant: str, benchmark: str) -> dict[str, Any]:
    """The settings of one benchmark of one variant."""
    dataset, task = task_of(benchmark)
    stage = {"benchmark": benchmark, "dataset": dataset, "labels": plan.labels(dataset)} | runtime(plan, "evaluate")
    # Only where a data set says so: what is usual is no setting that reruns a job.
    stage |= {key: value for key in ("exclusive", "label_sets") if (value := plan.datasets[dataset].get(key))}
    if task == "linear_probe":
        fractions = [parse_fraction(name) for name in plan.fractions(benchmark)]
        stage |= {"fractions": fractions, "seeds": list(plan.seeds["finetune"])}
    section = section_of(task)
    return stage | {section: plan.variant(paper, variant).get(section, {})}


def table_stage(plan: Plan, paper: str, table: str) -> dict[str, Any]:
    """One table, its data, and why cells are missing or not comparable with the printed ones."""
    settings = plan.papers[paper]["tables"][table]
    benchmarks = {group["benchmark"]: task_of(group["benchmark"])[0] for group in settings["columns"]}
    run = {b: dataset for b, dataset in benchmarks.items() if plan.why_not_run(b, paper) is None}
    not_run = {b: why for b in benchmarks if (why := plan.why_not_run(b, paper))}
    splits = {b: plan.datasets[d]["splits"][plan.benchmark_protocol(paper, b)] for b, d in run.items()}
    return {
        "paper": paper,
        "table_name": table,
        "table": settings,
        "data_note": plan.config["data_note"],
        "made": plan.config.get("made") is not None,
        "not_run": not_run | plan.left_out.reasons(paper, run),
        "split_notes": {b: split["note"] for b, split in splits.items() if split.get("note")},
        "checks": checks_by_cell(plan, plan.cells(paper, table)),
        "dataset_titles": {dataset: plan.datasets[dataset]["title"] for dataset in run.values()},
        "trained": {
            variant: _trained(plan, paper, variant)
            for variant in (row.get("variant", "default") for row in settings["rows"])
        },
    }


def _trained(plan: Plan, paper: str, variant: str) -> dict[str, str]:
    """How long and on what a variant is pre-trained."""
    settings = plan.variant(paper, variant)["pretrain"]
    names = [*settings["datasets"], *settings.get("image_datasets", ())]
    # A variant that this run leaves out may name a data set that it does not have.
    titles = [plan.datasets.get(name, {}).get("title", name) for name in names]
    return {"epoch": f"{settings['optimisation']['num_epochs']:g}", "pretrain-dataset": " + ".join(titles)}


def report_stage(plan: Plan) -> dict[str, Any]:
    """This run, its data, and what its overlay changed against each paper."""
    return {
        "data_note": plan.config["data_note"],
        "made": plan.config.get("made") is not None,
        "papers": {key: {k: paper[k] for k in ("title", "authors", "link")} for key, paper in plan.papers.items()},
        "datasets": {name: {k: data[k] for k in ("title", "licence")} for name, data in plan.datasets.items()},
        "changes": {paper: plan.overlay_changes(paper) for paper in plan.papers},
        "seeds": plan.seeds,
    }


def check_data_stage(plan: Plan) -> dict[str, Any]:
    """All data sets of this run, made ones marked as such; how they are split does not matter here."""
    settings = {name: {k: v for k, v in data.items() if k != "splits"} for name, data in plan.datasets.items()}
    sections = {key: plan.config[key] for key in ("images", "check_data") if key in plan.config}
    return sections | {
        "data_note": plan.config["data_note"],
        "made": plan.config.get("made") is not None,
        "datasets": {name: data | {"made": plan.is_made(name)} for name, data in settings.items()},
        "threads": runtime(plan, "images")["threads"],
    }
