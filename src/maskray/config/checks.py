"""Which leakage checks a run needs, as plain values; their typed form is :mod:`maskray.config.leakage`.

One check compares one pre-training part with one test part (or the parts of one split), and is named after the two.
So a table asks for the data that it stands on and for no other, and a check is shared by all papers that need it. What
``leakage.drop`` takes out of pre-training is decided by the settings alone, never by the tables that were asked for:
else one more benchmark would change, and train again, what is trained already.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from maskray.config.plan import Cell, Plan, task_of

Split = tuple[str, str]
"""(data set, protocol)"""


@dataclass(frozen=True, order=True)
class Check:
    """The training part of one split against the test part of another; equal: the parts of one split."""

    tested: Split
    trained: Split

    @property
    def name(self) -> str:
        """``nih-maco/mimic-maco``: as in paths."""
        return f"{split_name(self.tested)}/{split_name(self.trained)}"


def split_name(split: Split) -> str:
    """``nih-maco``"""
    return "-".join(split)


def split_named(name: str) -> Split:
    """``nih-maco`` -> its data set and its protocol; names of data sets have no hyphen."""
    dataset, _, protocol = name.partition("-")
    return dataset, protocol


def checks_of(plan: Plan, paper: str, variant: str, benchmark: str) -> list[Check]:
    """What must be looked at before a benchmark of a variant may be trusted; an untrained one has seen no film."""
    tested = task_of(benchmark)[0], plan.benchmark_protocol(paper, benchmark)
    trained = plan.pretrain_splits(paper, variant) if plan.is_trained(paper, variant) else []
    return list(dict.fromkeys([Check(tested, tested), *(Check(tested, split) for split in trained)]))


def all_checks(plan: Plan) -> list[Check]:
    """Every check of the run, each once, sorted."""
    found = {check for c in plan.all_cells() for check in checks_of(plan, c.paper, c.variant, c.benchmark)}
    found |= {Check(s, s) for m in plan.models() for s in plan.pretrain_splits(m.paper, m.variant)}
    return sorted(found)


def checks_by_cell(plan: Plan, cells: list[Cell]) -> dict[str, dict[str, list[str]]]:
    """Variant -> benchmark -> names of the checks whose flags its cells carry."""
    found: dict[str, dict[str, list[str]]] = {}
    for cell in cells:
        names = [check.name for check in checks_of(plan, cell.paper, cell.variant, cell.benchmark)]
        found.setdefault(cell.variant, {})[cell.benchmark] = names
    return found


def dropped_splits(plan: Plan, dataset: str) -> list[Split]:
    """The splits whose test films and patients leave the pre-training on ``dataset``."""
    drop = plan.config.get("leakage", {}).get("drop", {})
    return [plan.known_split(name, protocol) for name, protocols in sorted(drop.items()) for protocol in protocols]


def bridges_between(plan: Plan, dataset: str, *others: str) -> list[str]:
    """The data sets by which films of one are known to be films of another: COVIDx's are RSNA's, which are NIH's."""
    between: set[str] = set()
    for other in others:
        for one, two in ((dataset, other), (other, dataset)):
            there = _origins(plan, two) | {two}
            between |= {origin for origin in _origins(plan, one) if _origins(plan, origin) & there}
    return sorted((between - {dataset, *others}) & set(plan.datasets))


def check_stage(plan: Plan, check: Check) -> dict[str, Any]:
    """What one check is told."""
    bridges = bridges_between(plan, check.tested[0], check.trained[0])
    return {
        "trained": _described(plan, check.trained),
        "tested": _described(plan, check.tested),
        "relation": relation_of(plan, check),
        "bridges": [_owner(plan, name) for name in bridges],
        # What is dropped comes with its file.
        "leakage": {key: value for key, value in plan.config.get("leakage", {}).items() if key != "drop"},
    }


def exclusion_stage(plan: Plan, dataset: str) -> dict[str, Any]:
    """What the exclusion from one pre-training data set is told."""
    splits = dropped_splits(plan, dataset)
    bridges = bridges_between(plan, dataset, *(name for name, _ in splits))
    return {
        "trained": _described(plan, (dataset, "index")),
        "tested": [_described(plan, split) for split in splits],
        "bridges": [_owner(plan, name) for name in bridges],
        "leakage": {key: value for key, value in plan.config.get("leakage", {}).items() if key != "drop"},
    }


def relation_of(plan: Plan, check: Check) -> str:
    """Why films of the pre-training data are known to be test films; empty where nothing is known."""
    trained, tested = check.trained[0], check.tested[0]
    if check.trained == check.tested:
        return ""
    if trained == tested:
        return f"the same data set under another split, {check.trained[1]}"
    titles = {name: plan.datasets[name]["title"] for name in (trained, tested)}
    as_printed = ", as in the paper" if _is_printed(plan, trained, tested) else ""
    if trained in _origins(plan, tested) or tested in _origins(plan, trained):
        first, second = (tested, trained) if trained in _origins(plan, tested) else (trained, tested)
        return f"{titles[first]} has films of {titles[second]}{as_printed}"
    if _origins(plan, trained) & _origins(plan, tested):
        return f"{titles[tested]} and {titles[trained]} have films of one origin{as_printed}"
    return ""


def _is_printed(plan: Plan, trained: str, tested: str) -> bool:
    """True where a paper of this run, before any overlay, trains on the one data set and tests on the other."""
    for paper in plan.paper_files.values():
        if trained in paper["pretrain"]["datasets"] and tested in {task_of(name)[0] for name in paper["benchmarks"]}:
            return True
    return False


def _origins(plan: Plan, dataset: str) -> set[str]:
    """All data sets of whose films a data set is made, at any distance."""
    found: set[str] = set()
    waiting = [dataset]
    while waiting:
        settings = plan.datasets.get(waiting.pop(), {})
        direct = {*settings.get("films_from", ()), *filter(None, [settings.get("images_of")])} - found
        found |= direct
        waiting += sorted(direct)
    return found - {dataset}


def _owner(plan: Plan, dataset: str) -> str:
    return plan.datasets[dataset].get("images_of") or dataset


def _described(plan: Plan, split: Split) -> dict[str, Any]:
    dataset, protocol = split
    settings = plan.datasets[dataset]
    described = {"dataset": dataset, "protocol": protocol, "title": settings["title"], "owner": _owner(plan, dataset)}
    policy = settings.get("splits", {}).get(protocol, {}).get("shared_patients")
    return described | ({"shares_patients": True} if policy == "declare" else {})
