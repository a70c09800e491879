"""The benchmarks as a Markdown table with what they were measured on, ready to paste into ``docs/benchmarks.md``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_COLUMNS = ("what", "ours", "peer", "ratio", "of the limit", "n", "agreement and more")
_PROJECTION_COLUMNS = ("full pre-training of", "arithmetic", "images/s", "hours at that rate")
_MEMORY_COLUMNS = ("peak memory of", "on", "MiB", "on", "MiB", "more")
# More than one process wanted to run before ours did.
_QUIET_LOAD = 1.0


def render(results: Mapping[str, Any]) -> str:
    """``results`` as :func:`maskray.benchmarks.run_all` gives them, or as they were stored."""
    tables = [
        _table(_COLUMNS, [_cells(row) for row in results["rows"]]),
        _table(_PROJECTION_COLUMNS, [_projection_cells(each) for each in results["projections"]]),
        _table(_MEMORY_COLUMNS, [_memory_cells(peak) for peak in results["memory"]]),
        [f"- {note}" for note in _notes(results)],
    ]
    return "\n\n".join("\n".join(lines) for lines in tables if lines) + "\n"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [_line(columns), _line(["---"] * len(columns)), *map(_line, rows)] if rows else []


def _line(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(row: Mapping[str, Any]) -> list[str]:
    peer, ratio = row["peer"], row["ratio"]
    return [
        row["what"],
        f"{_spread(row['ours'])} {row['unit']}",
        f"{_spread(peer)} {row['unit']} ({row['peer_name']})" if peer else "-",
        _spread(ratio) if ratio else "-",
        "; ".join(f"{value:.0%} of {name}" for name, value in row["limits"].items()) or "-",
        f"{row['num_items']} x {row['num_repeats']}",
        "; ".join(
            f"{name} {_number(value) if value >= 10 else format(value, '.2g')}"
            for name, value in row["agreement"].items()
        )
        or "-",
    ]


def _projection_cells(each: Mapping[str, Any]) -> list[str]:
    arithmetic = f"{each['arithmetic']} = {each['num_images']:,} images"
    return [each["paper"], arithmetic, _number(each["images_per_second"]), f"{each['hours']:,.0f}"]


def _memory_cells(peak: Mapping[str, Any]) -> list[str]:
    more = peak["mib_more"] / peak["mib"] - 1
    sides = [f"{peak['num']:,}", f"{peak['mib']:,.0f}", f"{peak['num_more']:,}", f"{peak['mib_more']:,.0f}"]
    return [peak["what"], *sides, f"{more:.1%}"]


def _spread(value: Mapping[str, float]) -> str:
    """``12.3 (11.9 to 12.8)``."""
    return f"{_number(value['median'])} ({_number(value['lower'])} to {_number(value['upper'])})"


def _number(value: float) -> str:
    """Three digits, and never an exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _notes(results: Mapping[str, Any]) -> list[str]:
    machine, load = results["machine"], results["load_before"]
    beside = "other work may have run beside it" if load > _QUIET_LOAD else "the machine was quiet"
    gpu = f"; training on {machine['gpu']}" if machine["gpu"] else ""
    return [
        f"{results['date']}, {results['seconds']} s: `{results['command']}`",
        f"{machine['cpu']}, {machine['num_cores']} cores, {machine['num_hardware_threads']} hardware threads, "
        f"{machine['memory_gib']} GiB, {machine['system']}; {machine['num_threads_used']} thread where not all "
        f"cores are named{gpu}",
        f"load before the start {load:g}: {beside}",
        ", ".join(f"{name} {version}" for name, version in results["versions"].items()),
    ]
