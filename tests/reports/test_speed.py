"""How fast the rules read real reports, and that memory does not grow with their number; run with -m slow -s."""

import json

import pyarrow.parquet as pq
import pytest
from tests.reports import many_reports
from tests.usage import measured

from maskray.benchmarks.made import report_texts
from maskray.benchmarks.report_labels import read_open_i
from maskray.benchmarks.reports import measure_texts


@pytest.mark.slow
def test_a_thousand_real_reports_a_second(shared_data):
    labelled = read_open_i(shared_data / "open-i")
    reports = ["FINDINGS: " + report.text.replace("\n\n", "\nIMPRESSION: ") for report in labelled]
    row = measure_texts("Open-i", reports, 10)
    print(f"{len(reports)} of Open-i: {row.ours}, the peer {row.peer}, ratio {row.ratio}; {row.agreement}")
    assert row.ours.median >= 1000


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
