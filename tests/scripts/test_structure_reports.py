import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from maskray.files import write_yaml

NOTES = ["No pleural effusion.", "Bilateral opacities.", ""]
HEADER = (
    "patientid,offset,sex,age,finding,view,modality,date,location,folder,filename,doi,url,license,clinical_notes,"
    "other_notes,\n"
)


@pytest.fixture
def inputs(tmp_path):
    site = tmp_path / "site"
    (site / "images").mkdir(parents=True)
    rows = []
    for i, note in enumerate(NOTES):
        (site / "images" / f"{i}.png").write_bytes(b"x")
        rows.append(f"{i},0,M,50,No Finding,PA,X-ray,2020,Here,images,{i}.png,,,,{note},,\n")
    (site / "metadata.csv").write_text(HEADER + "".join(rows))
    write_yaml(tmp_path / "dataset.yaml", {
        "name": "covid_chestxray", "title": "Notes", "reader": "covid_chestxray", "licence": "none",
        "access": "made here",
        "labels": ["COVID-19", "Pneumonia", "No Finding"], "has_reports": True,
    })  # fmt: skip
    write_yaml(tmp_path / "reports.yaml", {"triplets": "rules"})
    return tmp_path


def run(repository, folder, *extra, dataset="dataset.yaml"):
    return subprocess.run(
        [sys.executable, repository / "scripts" / "structure_reports.py", "--dataset", folder / dataset,
         "--site-folder", folder / "site", "--settings", folder / "reports.yaml", "--part", "0", "--num-parts", "1",
         "--reports", folder / "0.parquet", "--failed", folder / "0.failed.csv", *extra],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


def test_help(repository):
    result = subprocess.run(
        [sys.executable, repository / "scripts" / "structure_reports.py", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--num-parts" in result.stdout


def test_happy_path(repository, inputs):
    result = run(repository, inputs)
    assert result.returncode == 0, result.stderr
    rows = pq.read_table(inputs / "0.parquet").to_pylist()
    assert [row["findings"] for row in rows] == NOTES[:2]
    assert rows[0]["manuscript"].startswith("Is there pleural effusion? No.")
    assert (inputs / "0.failed.csv").read_text().splitlines()[0] == "study_id,reason"


def test_bad_inputs_leave_no_output(repository, inputs):
    write_yaml(inputs / "mute.yaml", {
        "name": "nih", "title": "N", "reader": "nih", "licence": "none", "access": "x", "labels": [],
        "has_reports": False,
    })  # fmt: skip
    for result, message in (
        (run(repository, inputs, dataset="mute.yaml"), "has no reports"),
        (run(repository, inputs, "--part", "7"), "--part 7"),
        (run(repository, inputs, "--site-folder", inputs / "nowhere"), "nowhere"),
    ):
        assert result.returncode == 1
        assert message in result.stderr
        assert "Traceback" not in result.stderr
    assert not (inputs / "0.parquet").exists()
    assert not (inputs / "0.failed.csv").exists()
