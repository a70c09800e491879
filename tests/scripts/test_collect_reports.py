import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from maskray.config.preprocessing import ReportsConfig
from maskray.reports.structure import structure_reports


@pytest.fixture
def parts(tmp_path):
    for part in range(2):
        structure_reports(
            lambda: iter([("s1", "No effusion."), ("s2", "Clear lungs."), ("s3", "")]),
            ReportsConfig(), "ds", part, 2, tmp_path / f"{part}.parquet", tmp_path / f"{part}.failed.csv",
        )  # fmt: skip
    return tmp_path


def run(repository, folder, parts):
    return subprocess.run(
        [sys.executable, repository / "scripts" / "collect_reports.py",
         "--parts", *(folder / f"{part}.parquet" for part in parts),
         "--failed", *(folder / f"{part}.failed.csv" for part in parts),
         "--reports", folder / "reports.parquet", "--all-failed", folder / "failed.csv"],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


def test_help(repository):
    result = subprocess.run(
        [sys.executable, repository / "scripts" / "collect_reports.py", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--all-failed" in result.stdout


def test_happy_path(repository, parts):
    result = run(repository, parts, [1, 0])
    assert result.returncode == 0, result.stderr
    assert pq.read_table(parts / "reports.parquet")["study_id"].to_pylist() == ["s1", "s2"]
    assert (parts / "failed.csv").read_text() == "study_id,reason\ns3,empty\n"


def test_a_missing_part_leaves_no_output(repository, parts):
    result = run(repository, parts, [0])
    assert result.returncode == 1
    assert "missing: 1" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (parts / "reports.parquet").exists()
    assert not (parts / "failed.csv").exists()
