import sys

import pyarrow.parquet as pq
import spacy

from maskray.config.preprocessing import ReportsConfig
from maskray.reports.structure import structure_reports

from .programs import run_program


def test_a_part_is_annotated_or_one_line_says_why_not(tmp_path):
    structure_reports(
        lambda: iter([("s1", "No effusion.")]), ReportsConfig(), "ds", 0, 1, tmp_path / "0.parquet", tmp_path / "0.csv"
    )
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "E", "pattern": "effusion"}])
    nlp.to_disk(tmp_path / "model")
    flags = ["--part", str(tmp_path / "0.parquet"), "--annotated", str(tmp_path / "out.parquet")]
    result = run_program("annotate_entities", *flags, "--model", str(tmp_path / "model"), "--python", "nowhere/python")
    assert result.returncode == 1
    assert result.stderr.startswith("error: nowhere/python: no Python of scispaCy's environment")
    assert not (tmp_path / "out.parquet").exists()
    result = run_program("annotate_entities", *flags, "--model", str(tmp_path / "model"), "--python", sys.executable)
    assert result.returncode == 0, result.stderr
    assert pq.read_table(tmp_path / "out.parquet")["entities"].to_pylist() == ["[[3, 11]]"]
