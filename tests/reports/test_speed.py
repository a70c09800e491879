"""How fast the rules are in CPU time, and that memory does not grow with the number of reports; run with -m slow -s."""

import json
import time

import pyarrow.parquet as pq
import pytest
from tests.reports import many_reports
from tests.reports.many_reports import unlike
from tests.usage import measured

from maskray.benchmarks.made import report_texts
from maskray.benchmarks.peer import peer_pipeline
from maskray.benchmarks.report_labels import read_open_i
from maskray.config.preprocessing import ReportsConfig
from maskray.reports.manuscripts import write_manuscript
from maskray.reports.sections import described, split_sections
from maskray.reports.structure import text_of
from maskray.reports.triplets import source_of

CONFIG = ReportsConfig()


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


@pytest.mark.slow
def test_peak_memory_of_many_reports(tmp_path):
    texts = tmp_path / "texts.json"
    texts.write_text(json.dumps(report_texts(2000)), encoding="utf-8")
    few, many = (measured(many_reports.__file__, texts, number, tmp_path) for number in (10_000, 100_000))
    print(
        f"peak memory: {few.mebibytes:.0f} MiB at 10,000 reports, {many.mebibytes:.0f} MiB at 100,000,"
        f" {100_000 / many.seconds:.0f} reports per CPU second"
    )
    assert pq.read_metadata(tmp_path / "reports.parquet").num_rows == 100_000
    assert many.mebibytes < few.mebibytes + 60
    assert many.mebibytes < 400
