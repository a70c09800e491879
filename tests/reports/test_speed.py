"""How fast the rules are in CPU time, and that memory does not grow with the number of reports; run with -m slow -s."""

import itertools
import re
import subprocess
import sys
import time

import pytest

from maskray.benchmarks.made import report_texts
from maskray.benchmarks.peer import peer_pipeline
from maskray.benchmarks.report_labels import read_open_i
from maskray.config.preprocessing import ReportsConfig
from maskray.reports.manuscripts import write_manuscript
from maskray.reports.sections import described, split_sections
from maskray.reports.structure import structure_reports, text_of
from maskray.reports.triplets import source_of

CONFIG = ReportsConfig()
FULL_STOP = re.compile(r"(?<=[a-z]{3})\.(?=\s|$)")


def unlike(reports):
    """Every sentence of every report made unlike all others."""
    numbers = itertools.count()
    return (FULL_STOP.sub(lambda _: f" (image {next(numbers)}).", report) for report in reports)


def text(report):
    part = described(split_sections(report))
    return text_of(part.get("findings", ""), part.get("impression", ""))


def rate(reports, work):
    started = time.process_time()
    work()
    return len(reports) / (time.process_time() - started)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["open-i", "made", "no sentence twice"])
def test_reports_per_cpu_second(kind, request):
    if kind == "open-i":
        labelled = read_open_i(request.getfixturevalue("shared_data") / "open-i")
        reports = ["FINDINGS: " + report.text.replace("\n\n", "\nIMPRESSION: ") for report in labelled]
    else:
        reports = report_texts(1000) if kind == "made" else list(unlike(report_texts(1000)))
    source, nlp = source_of(CONFIG), peer_pipeline()
    ours = rate(reports, lambda: [write_manuscript(t, CONFIG) for t in source.extract([text(r) for r in reports])])
    texts = [text(report) for report in reports]
    print(f"{kind}: {ours:.0f} reports per CPU second; peer {rate(reports, lambda: list(nlp.pipe(texts))):.0f}")
    assert ours >= 1000


def structure(num_reports, folder):
    """Structure so many made reports with no sentence twice; run in a process of its own."""
    made = report_texts(2000)
    structure_reports(
        lambda: ((f"s{i:07d}", report) for i, report in enumerate(unlike(made[i % 2000] for i in range(num_reports)))),
        CONFIG, "made", 0, 1, folder / "reports.parquet", folder / "failed.csv",
    )  # fmt: skip


@pytest.mark.slow
def test_peak_memory_of_many_reports(tmp_path, repository):
    program = (
        "import resource, sys; from pathlib import Path; from tests.reports.test_speed import structure;"
        "structure(int(sys.argv[1]), Path(sys.argv[2])); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = [
        int(subprocess.check_output([sys.executable, "-c", program, str(number), str(tmp_path)], cwd=repository)) / 1024
        for number in (10_000, 100_000)
    ]
    print(f"peak memory: {peaks[0]:.0f} MB at 10,000 reports, {peaks[1]:.0f} MB at 100,000")
    assert peaks[1] < peaks[0] + 60
