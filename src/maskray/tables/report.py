"""One HTML page with everything: what was run, on which data, tables, figures, and what differs from the papers."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from markupsafe import Markup

from maskray.config.stages import ReportedPaper, ReportStage
from maskray.errors import InputError
from maskray.files import read_json
from maskray.tables.leakage import read_verdict
from maskray.tables.legend import printed_name
from maskray.tables.render import environment, style

_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}
_STYLE = re.compile(r"<style>.*?</style>\s*", re.DOTALL)
_COUNTS = re.compile(r'data-cells-run="(\d+)" data-cells-planned="(\d+)"')
_FIGURE = re.compile(r"(?P<paper>[^-]+)-(?P<variant>.+)-seed(?P<seed>\d+)-(?P<name>[^-]+)")
_OF_A_PAPER = re.compile(r"(?P<paper>[^-]+)-(?P<name>.+)-(?P<what>chart|side_by_side)")
_KINDS_OF_A_PAPER = {"chart": "Charts", "side_by_side": "Variants side by side"}
_KINDS = {
    "gallery": "Gallery",
    "learning": "Learning curves",
    "weight": "Learned weights over the film",
    "text_mask": "Mask of a report",
    "grounding": "Phrase grounding",
    "segmentation": "Segmentation",
}
_OF_A_DATASET = {
    "_grounding": "Phrase grounding",
    "_grounding_tau": "Phrase grounding over tau",
    "_segmentation": "Segmentation",
}


@dataclass(frozen=True)
class Sources:
    """The files that the report is made of, besides its settings."""

    tables: Sequence[Path]
    figures: Sequence[Path] = ()
    manifests: Sequence[Path] = ()
    splits: Sequence[Path] = ()
    provenances: Sequence[Path] = ()
    verdicts: Sequence[Path] = ()
    comparisons: Sequence[Path] = ()


@dataclass(frozen=True)
class Table:
    """A rendered table: ``num_run`` of its ``num_planned`` cells of ours hold a number.

    ``comparisons`` are the paired tests between its rows; empty where it has none.
    """

    name: str
    fragment: Markup
    comparisons: Markup
    num_run: int
    num_planned: int


@dataclass(frozen=True)
class Picture:
    """A figure, embedded. ``kind`` is the section that it belongs to."""

    kind: str
    caption: str
    uri: str


@dataclass(frozen=True)
class Section:
    """Everything of one paper. ``changes`` are (setting, in the paper file, in this run)."""

    key: str
    paper: ReportedPaper
    tables: tuple[Table, ...]
    pictures: dict[str, tuple[Picture, ...]]
    changes: tuple[tuple[str, str, str], ...]

    @property
    def num_run(self) -> int:
        """Cells that hold a number, over all tables."""
        return sum(table.num_run for table in self.tables)

    @property
    def num_planned(self) -> int:
        """Cells of ours, over all tables."""
        return sum(table.num_planned for table in self.tables)


def render_report(stage: ReportStage, sources: Sources) -> str:
    """The page; it needs no other file and no network. Nothing in it depends on the day it is made."""
    comparisons = {(path.parent.name, path.stem): _fragment(path, _text(path)) for path in sources.comparisons}
    tables = [(path.parent.name, _table(path, comparisons)) for path in sources.tables]
    pictures = [_picture(path) for path in _vector_first(sources.figures)]
    keys = dict.fromkeys([*stage.papers, *(key for key, _ in tables), *stage.changes])
    sections = [_section(key, stage, tables, pictures) for key in keys]
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            stage=stage,
            style=style() + resources.files("maskray.tables").joinpath("report.css").read_text("utf-8"),
            sections=sections,
            other_pictures=[picture for key, picture in pictures if key not in keys],
            manifests=[_manifest(path) for path in sources.manifests],
            splits=[_split(path) for path in sources.splits],
            verdicts=[read_verdict(path) for path in sources.verdicts],
            made_by=_provenance(sources.provenances),
        )
    )


def _section(
    key: str, stage: ReportStage, tables: list[tuple[str, Table]], pictures: list[tuple[str, Picture]]
) -> Section:
    mine = [picture for owner, picture in pictures if owner == key]
    known = (*_KINDS_OF_A_PAPER.values(), *_KINDS.values(), "Figures")
    kinds = [kind for kind in known if any(picture.kind == kind for picture in mine)]
    kinds.sort(key=lambda kind: kind == "Gallery")
    changes = stage.changes.get(key, {})
    return Section(
        key,
        stage.papers.get(key, ReportedPaper(title=key)),
        tuple(table for owner, table in tables if owner == key),
        {kind: tuple(picture for picture in mine if picture.kind == kind) for kind in kinds},
        tuple((path, _plain(old), _plain(new)) for path, (old, new) in changes.items()),
    )


def _table(path: Path, comparisons: Mapping[tuple[str, str], Markup]) -> Table:
    """A fragment that ``render.html`` wrote, and the paired tests that go below it."""
    text = _text(path)
    counts = _COUNTS.search(text)
    if counts is None:
        raise InputError(f"{path}: not a table of render_table; make it again")
    tests = comparisons.get((path.parent.name, f"{path.stem}-comparisons"), Markup(""))
    return Table(path.stem, _fragment(path, text), tests, int(counts[1]), int(counts[2]))


def _fragment(path: Path, text: str) -> Markup:
    """Without its style sheet, as the page has it once."""
    if "maskray-table" not in text:
        raise InputError(f"{path}: not a fragment of render_table or compare_runs; make it again")
    return Markup(_STYLE.sub("", text, count=1))  # noqa: S704


def _vector_first(paths: Iterable[Path]) -> list[Path]:
    """Where a figure is there as SVG and as PNG, the SVG alone."""
    paths = list(paths)
    return [path for path in paths if path.suffix == ".svg" or path.with_suffix(".svg") not in paths]


def _picture(path: Path) -> tuple[str, Picture]:
    """The paper that a figure belongs to, and the figure.

    ``<paper>-<variant>-seed<p>-<name>.svg``, ``<paper>-<table>-chart.svg`` or ``<paper>-<gallery>-side_by_side.png``
    tells all.
    """
    if path.suffix not in _TYPES:
        raise InputError(f"{path}: figures are .svg or .png")
    try:
        content = base64.b64encode(path.read_bytes()).decode("ascii")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    address = f"data:{_TYPES[path.suffix]};base64,{content}"
    if match := _OF_A_PAPER.fullmatch(path.stem):
        kind = _KINDS_OF_A_PAPER[match["what"]]
        return match["paper"], Picture(kind, f"{_caption(printed_name(match['name']))} of {match['paper']}", address)
    match = _FIGURE.fullmatch(path.stem)
    name = match["name"] if match else path.stem
    kind = next((title for word, title in _KINDS.items() if word in name), "Figures")
    caption = _caption(name)
    if match:
        caption += f" of {match['paper']}, variant {match['variant']}, pre-training seed {match['seed']}"
    return match["paper"] if match else "", Picture(kind, caption, address)


def _caption(name: str) -> str:
    """``ms_cxr_grounding_tau`` -> ``Phrase grounding over tau, MS-CXR``; other names in plain words."""
    for ending, title in _OF_A_DATASET.items():
        if name.endswith(ending):
            return f"{title}, {name.removesuffix(ending).replace('_', '-').upper()}"
    return name.replace("_", " ").capitalize()


def _manifest(path: Path) -> dict[str, Any]:
    """What the page says of one data set's shards."""
    content = read_json(path)
    try:
        return {key: content[key] for key in ("dataset", "num_images", "num_rejected", "hash")}
    except (KeyError, TypeError):
        raise InputError(f"{path}: not a manifest of collect_shards; make it again") from None


def _split(path: Path) -> dict[str, Any]:
    """Counts of one split; data set and protocol from ``data/<data set>/splits/<protocol>/summary.json``."""
    content = read_json(path)
    try:
        parts = {part: content["parts"][part] for part in ("train", "validation", "test")}
        counts = {name: {part: parts[part][name] for part in parts} for name in ("images", "patients")}
    except (KeyError, TypeError):
        raise InputError(f"{path}: not a summary of split_dataset; make it again") from None
    parents = path.absolute().parents
    return {
        "dataset": parents[2].name,
        "protocol": parents[0].name,
        "note": content.get("note", ""),
        **counts,
    }


def _provenance(paths: Sequence[Path]) -> dict[str, Any] | None:
    """Commits, versions and time of all jobs together; hosts are nobody's business."""
    if not paths:
        return None
    jobs = [read_json(path) for path in paths]
    try:
        commits = sorted({job["commit"] or "unknown" for job in jobs})
        changed = sum(bool(job["has_local_changes"]) for job in jobs)
        seconds = sum(job["duration_seconds"] for job in jobs)
        pairs = sorted({(name, version) for job in jobs for name, version in job["versions"].items() if version})
    except (KeyError, TypeError, AttributeError):
        raise InputError(f"{paths[0]} and others: not all are provenance files; run the jobs again") from None
    versions = {name: ", ".join(v for n, v in pairs if n == name) for name, _ in pairs}
    return {"jobs": len(jobs), "commits": commits, "changed": changed, "seconds": seconds, "versions": versions}


def _plain(value: Any) -> str:
    """A setting as it would stand in YAML's flow form; None reads as absent."""
    return "(not set)" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
