"""The worker and its caller, with the spaCy of this environment; the slow test has scispaCy's own environment."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from maskray.config.preprocessing import ReportsConfig
from maskray.errors import InputError
from maskray.reports.scispacy_source import annotate_entities, scispacy
from maskray.reports.structure import collect_reports, structure_reports

sys.path.insert(0, str(Path(__file__).parent))
from spacy_model import SENTENCES, write_model

REPORTS = [
    ("s1", "FINDINGS: Small pleural effusion is seen. No pneumothorax.\nIMPRESSION: The lungs are clear."),
    ("s2", ""),
]
TEXT = "Small pleural effusion is seen. No pneumothorax.\n\nThe lungs are clear."


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spacy") / "tiny"
    write_model(folder)
    return str(folder)


@pytest.fixture
def part(tmp_path):
    structure_reports(lambda: iter(REPORTS), ReportsConfig(), "ds", 0, 1, tmp_path / "0.parquet", tmp_path / "0.csv")
    return tmp_path / "0.parquet"


def test_the_worker_answers_for_each_text(model):
    with scispacy(Path(sys.executable), model) as worker:
        assert worker.about["version"] == "1.2.3"
        for _ in range(2):
            found = worker.spans([text for text, _ in SENTENCES] + ["", "é — ☃"])
            assert found[:4] == [*([tuple(s) for s in spans] for _, spans in SENTENCES), []]
        assert worker.spans([]) == []
        # Beyond spaCy's own limit; what is said names the kind of failure, never the text.
        with pytest.raises(InputError, match=r"\(ValueError\)") as caught:
            worker.spans(["secret " * 200_000])
        assert "secret" not in str(caught.value)


def test_a_part_gets_its_column_and_says_who_made_it(part, model, tmp_path):
    annotated = tmp_path / "annotated.parquet"
    annotate_entities(part, annotated, Path(sys.executable), model)
    before, after = pq.read_table(part), pq.read_table(annotated)
    assert before.drop_columns("entities").equals(after.drop_columns("entities"))
    (spans,) = map(json.loads, after["entities"].to_pylist())
    assert [TEXT[start:end] for start, end in spans] == ["pleural effusion", "pneumothorax", "lungs"]
    assert next(TEXT[a:b] for a, b in json.loads(before["entities"][0].as_py())) == "Small pleural effusion"
    collect_reports([annotated], [tmp_path / "0.csv"], tmp_path / "all.parquet", tmp_path / "all.csv")
    settings = json.loads(pq.read_schema(tmp_path / "all.parquet").metadata[b"maskray"])["settings"]
    assert (settings["entities"], settings["scispacy_model"]["model"]) == ("scispacy", "tiny")
    annotate_entities(part, tmp_path / "again.parquet", Path(sys.executable), model)
    assert (tmp_path / "again.parquet").read_bytes() == annotated.read_bytes()


def test_what_is_not_there_is_said_and_leaves_nothing(part, model, tmp_path):
    for python, name, message in (
        (tmp_path / "no/python", model, r"no/python: no Python of scispaCy's environment.*setup-scispacy.*rules"),
        (Path(sys.executable), "en_core_sci_none", r"en_core_sci_none under .*OSError.*setup-scispacy"),
        (Path("/bin/true"), model, "it ended with status 0"),
    ):
        with pytest.raises(InputError, match=message):
            annotate_entities(part, tmp_path / "out.parquet", python, name)
    import spacy

    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(InputError, match="finds no entities"):
        annotate_entities(part, tmp_path / "out.parquet", Path(sys.executable), str(tmp_path / "blank"))
    for bad in (tmp_path / "none.parquet", tmp_path / "0.csv"):
        with pytest.raises(InputError, match=bad.name):
            annotate_entities(bad, tmp_path / "out.parquet", Path(sys.executable), model)
    assert not (tmp_path / "out.parquet").exists()


def test_conda_and_pip_install_the_same_list(repository):
    pins = [line for line in (repository / "envs/scispacy.txt").read_text().splitlines() if not line.startswith("#")]
    environment = yaml.safe_load((repository / "envs/scispacy.yaml").read_text())
    assert environment["dependencies"][-1]["pip"] == pins
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+", pin) for pin in pins)
    names = {pin.split("==")[0] for pin in pins}
    assert not any(name.startswith("en-core") for name in names)


@pytest.mark.slow
def test_in_scispacys_own_environment(part, tmp_path, repository):
    """`make setup-scispacy` into a copy of its own, with a packaged tiny model, then the program."""
    for name in ("Makefile", "envs/scispacy.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((repository / name).read_bytes())
    write_model(tmp_path / "tiny")
    package = [sys.executable, "-m", "spacy", "package", tmp_path / "tiny", tmp_path, "--build", "none", "--force"]
    subprocess.run(package, check=True, capture_output=True)
    (source,) = tmp_path.glob("en_tiny-*")
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    made = subprocess.run(
        ["make", "setup-scispacy", f"SCISPACY_MODEL={source}"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=540, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    assert "Downloads" in made.stdout
    refused = subprocess.run(
        ["make", "-B", "setup-scispacy", "SCISPACY_MODEL=en-core-sci-md"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "neither an https URL nor a file" in refused.stdout + refused.stderr
    python = tmp_path / ".venv-scispacy/bin/python"
    code = "import numpy, scispacy, spacy; print(numpy.__version__, spacy.__version__)"
    versions = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert (versions[0][0], versions[1]) == ("1", "3.7.5")
    program = [sys.executable, repository / "scripts/annotate_entities.py", "--part", part, "--model", "en_tiny"]
    result = subprocess.run(
        [*program, "--python", python, "--annotated", tmp_path / "annotated.parquet"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    (spans,) = map(json.loads, pq.read_table(tmp_path / "annotated.parquet")["entities"].to_pylist())
    assert len(spans) >= 2
