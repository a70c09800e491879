"""A small table, made by hand, in which every number can be checked on paper."""

import json
from pathlib import Path

import numpy as np
import pytest

from maskray.config.stages import TableStage
from maskray.tables import collect
from maskray.tables.layout import lay_out
from maskray.tables.published import read_published

PUBLISHED = """table,row,column,value
table1,MoCo*,row|epoch|,30+100
table1,MoCo*,rsna|auc|1%,80.00
table1,MoCo*,nih|auc|1%,70.1
table1,M&M,row|epoch|,100
table1,M&M,rsna|auc|1%,81.50
table1,M&M,rsna|auc|10%,85.25
table9,Other,rsna|auc|1%,1.0
"""
TABLE = {
    "title": "Classification <of> 50 % & more_x",
    "rows": [{"name": "M&M"}, {"name": "No ridge", "variant": "no_ridge"}],
    "columns": [
        {
            "heading": "RSNA",
            "benchmark": "rsna_classification",
            "metrics": {"AUC": "auroc"},
            "fractions": [0.01, 0.1],
            "note": "our own split",
        },
        {"heading": "NIH", "benchmark": "nih_classification", "metrics": {"AUC": "auroc"}, "fractions": [0.01]},
        {"heading": "NIH", "benchmark": "nih_zeroshot", "metrics": {"AUC": "auroc"}},
    ],
}
STAGE = {
    "paper": "mnm",
    "table_name": "table1",
    "table": TABLE,
    "data_note": "real films",
    "made": False,
    "split_notes": {"rsna": "20 % of the patients"},
    "not_run": {"nih_zeroshot": "nih prompts are not part of this run"},
    "dataset_titles": {"rsna": "RSNA Pneumonia"},
}


def write_metrics(folder: Path, rows: list[dict], replicates: dict[str, list[float]]) -> Path:
    """A metrics.json with its bootstrap.npz, as score.py writes them."""
    folder.mkdir(parents=True)
    common = {"low": 0.5, "high": 1.0, "num_images": 300, "num_positive": 30}
    (folder / "metrics.json").write_text(json.dumps({"rows": [common | row for row in rows]}))
    np.savez(folder / "bootstrap.npz", **{name: np.float32(values) for name, values in replicates.items()})
    return folder / "metrics.json"


def auroc(value: float | None, label: str = "macro", **more: int) -> dict:
    return {"metric": "auroc", "label": label, "value": value} | more


@pytest.fixture
def metrics_files(tmp_path) -> list[Path]:
    """Two fine-tuning seeds of RSNA at 1 %, one of NIH at 1 % without a film of hernia."""
    model = tmp_path / "results/mnm/default/seed0"
    rsna = model / "rsna_classification/1%"
    return [
        write_metrics(rsna / "seed0", [auroc(0.80)], {"auroc/macro": [0.70, 0.80, 0.90]}),
        write_metrics(rsna / "seed1", [auroc(0.84)], {"auroc/macro": [0.74, 0.84, 0.96]}),
        write_metrics(
            model / "nih_classification/1%/seed0",
            [auroc(0.75), auroc(0.75, "Mass"), auroc(None, "Hernia")],
            {"auroc/macro": [0.7, 0.8], "auroc/Mass": [0.7, 0.8], "auroc/Hernia": [np.nan, np.nan]},
        ),
    ]


@pytest.fixture
def metrics(metrics_files):
    return collect.collect(metrics_files).to_pandas()


@pytest.fixture
def published_file(tmp_path) -> Path:
    path = tmp_path / "published.csv"
    path.write_text(PUBLISHED)
    return path


@pytest.fixture
def make_layout(metrics, published_file):
    """Lay the small table out, with changes to its settings."""

    def make(metrics=metrics, **changes):
        stage = TableStage.parse(STAGE | changes, "stage")
        return lay_out(stage, read_published(published_file, stage.table_name), metrics)

    return make
