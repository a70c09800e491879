"""The tables of the paper files against the printed ones: columns and rows fit letter by letter."""

import pytest
import yaml

from maskray.config.paper import PaperConfig
from maskray.config.plan import task_of
from maskray.config.stages import TableStage
from maskray.methods import METHODS
from maskray.tables.layout import columns_of
from maskray.tables.published import read_published

# Printed rows that the papers present as their own: the method, and its ablations.
OWN_ROWS = {
    "mnm": {
        **{table: {"M&M"} for table in ("table1", "table2", "table3", "table4", "table5")},
        "table6": {"MaskVLM", "No Masking", "MAE", "AttMask", "AutoMAE", "M&M"},
        "table7": {"Original Report", "Triplet", "KE-Triplet", "M&M"},
    },
    "dmlm": {
        **{table: {"D-MLM"} for table in ("table1", "table2", "table3", "table4", "table5")},
        "table6": {"Original Report", "Triplet", "KE-Triplet", "M&M", "Ours"},
        "table7": {"No Masking", "MAE", "MaskVLM", "M&M", "D-MLM"},
    },
    "medim": {
        **{table: {"MedIM"} for table in ("table1", "table2")},
        "table3": {"L_align", "L_align + KWM", "L_align + KWM + SDM"},
    },
    "mmclip": {
        "table1": {"MMCLIP", "+ Ensemble"},
        "table2": {"MMCLIP"},
        "table3": {
            "clip (Baseline), no warm up", "+ MIM Random, no warm up", "+ MIM Random", "+ Image Report",
            "+ Prompt-driven", "+ Image Self", "+ AttMIM",
        },
        "table4": {
            "AttMIM", "+ MLM Full 1.0", "+ MLM Random 0.5", "+ EntMLM 0.5", "+ EntMLM 0.3", "+ EntMLM 0.1",
            "+ EntMLM 0.2",
        },
    },
    "maco": {
        **{table: {"MaCo"} for table in ("table1", "table2", "table3", "table4")},
        "table5": {"MAE", "+CLIP", "+Interaction Weighted"},
    },
}  # fmt: skip
PRINTED = [(key, table) for key, tables in OWN_ROWS.items() for table in tables]


@pytest.fixture(scope="module")
def papers(repository):
    return {key: PaperConfig.read(repository / f"config/papers/{key}.yaml") for key in METHODS}


def columns(papers, key, table):
    stage = TableStage(paper=key, table_name=table, table=papers[key].tables[table], data_note="", made=False)
    return [column for group in stage.table.columns for column in columns_of(group, stage)]


def test_every_printed_table_is_in_its_paper_file(repository, papers):
    for key, paper in papers.items():
        lines = (repository / f"config/published/{key}.csv").read_text().splitlines()[1:]
        printed = {name for name in (line.partition(",")[0] for line in lines) if name.startswith("table")}
        assert printed == {name for name, table in paper.tables.items() if table.printed} == set(OWN_ROWS[key])


@pytest.mark.parametrize(("key", "table"), PRINTED)
def test_columns_are_the_printed_ones(repository, papers, key, table):
    found = [column.key for column in columns(papers, key, table)]
    assert len(found) == len(set(found))
    printed = set(read_published(repository / f"config/published/{key}.csv", table).columns)
    assert set(found) == printed


@pytest.mark.parametrize(("key", "table"), PRINTED)
def test_rows_of_the_papers_own_are_ours_too(repository, papers, key, table):
    printed = read_published(repository / f"config/published/{key}.csv", table).rows
    rows = papers[key].tables[table].rows
    assert OWN_ROWS[key][table] <= set(printed)
    assert OWN_ROWS[key][table] <= {row.name for row in rows}
    assert {row.name for row in rows} <= set(printed)
    assert {row.variant for row in rows} <= {"default", *papers[key].variants}


@pytest.mark.parametrize("key", METHODS)
def test_single_labels_and_sets_are_those_of_the_data_set(repository, papers, key):
    named = [
        (group.benchmark, label)
        for table in papers[key].tables.values()
        for group in table.columns
        for label in group.labels
    ]
    for benchmark, label in named:
        dataset = yaml.safe_load((repository / f"config/datasets/{task_of(benchmark)[0]}.yaml").read_text())
        mean, _, name = label.partition("/")
        if mean == "macro" and name:
            assert dataset["label_sets"] == "seen_and_unseen"
            assert name in {"seen", "unseen_10", "unseen_20", "unseen_all"}
        elif mean not in ("macro", "all"):
            assert label in (dataset.get("scored") or dataset["labels"])


def test_the_classes_of_a_film_are_told_from_labels(papers, repository):
    """Metrics of a film's one class stand where the data set has such; grades and their like nowhere else."""
    num_checked = 0
    for paper in papers.values():
        for table in paper.tables.values():
            for group in table.columns:
                dataset, _ = task_of(group.benchmark)
                settings = yaml.safe_load((repository / f"config/datasets/{dataset}.yaml").read_text())
                is_of_class = any(metric.startswith("class_") for metric in group.metrics.values())
                assert not is_of_class or settings.get("exclusive")
                num_checked += is_of_class
    assert num_checked == 5
