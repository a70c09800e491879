"""Tables of what is measured item by item: retrieval, and grounding beside classification."""

import pytest

from maskray.config.stages import TableStage
from maskray.errors import InputError
from maskray.tables import collect
from maskray.tables.layout import lay_out
from maskray.tables.published import read_published
from maskray.tables.render import csv_text, markdown
from tests.tables.conftest import write_metrics

PUBLISHED = """table,row,column,value
table2,MedIM,mimic-cxr|t2i r@1|retrieval,7.67
table5,MAE,rsna|auc|1%,81.3
table5,+Weighted,ms-cxr|miou|zero-shot,0.267
table5,+Weighted,ms-cxr|cnr|zero-shot,1.176
table5,+Weighted,rsna|auc|1%,91.2
"""
GROUNDING = {
    "title": "Grounding and classification",
    "rows": [{"name": "MAE", "variant": "mae", "without": ["ms_cxr_grounding"]}, {"name": "+Weighted"}],
    "columns": [
        {
            "heading": "MS-CXR",
            "benchmark": "ms_cxr_grounding",
            "metrics": {"mIoU": "miou", "CNR": "cnr"},
            "per_cent": False,
        },
        {"heading": "RSNA", "benchmark": "rsna_classification", "metrics": {"AUC": "auroc"}, "fractions": [0.01]},
    ],
}
RETRIEVAL = {
    "title": "Retrieval",
    "rows": [{"name": "MedIM"}],
    "columns": [
        {
            "heading": "MIMIC-CXR",
            "benchmark": "mimic_retrieval",
            "metrics": {"T2I R@1": "t2i_r1"},
            "labels": ["all"],
        }
    ],
}


def entry(metric, value, label="macro"):
    return {"metric": metric, "label": label, "value": value, "low": value, "high": value}


def lay(tmp_path, name, table, files, made=False):
    (tmp_path / "printed.csv").write_text(PUBLISHED)
    stage = {"paper": "maco", "table_name": name, "table": table, "data_note": "films", "made": made}
    published = read_published(tmp_path / "printed.csv", name)
    return lay_out(TableStage.parse(stage, "stage"), published, collect.collect(files).to_pandas())


@pytest.fixture
def grounding(tmp_path):
    model = tmp_path / "maco/default/seed0"
    rows = [entry("miou", 0.25), entry("miou", 0.2, "macro/tau=0.2"), entry("cnr", 1.3), entry("cnr_signed", -0.4)]
    replicates = {f"{row['metric']}/{row['label']}": [row["value"], row["value"]] for row in rows}
    files = [write_metrics(model / "ms_cxr_grounding", rows, replicates)]
    for variant, value in (("default", 0.9), ("mae", 0.8)):
        folder = tmp_path / f"maco/{variant}/seed0/rsna_classification/1%/seed0"
        files.append(write_metrics(folder, [entry("auroc", value)], {"auroc/macro": [value, value]}))
    return lay(tmp_path, "table5", GROUNDING, files)


def cells_of(layout, kind, name):
    (row,) = [row for row in layout.panels[0].rows if (row.kind, row.name) == (kind, name)]
    return row.cells


def test_plain_numbers_stand_beside_per_cent_with_the_decimals_of_each(grounding):
    assert [cell.value for cell in cells_of(grounding, "ours", "+Weighted")] == pytest.approx([0.25, 1.3, 90])
    assert [cell.decimals for cell in cells_of(grounding, "ours", "+Weighted")] == [3, 3, 1]
    assert [cell.value for cell in cells_of(grounding, "difference", "+Weighted")] == pytest.approx(
        [-0.017, 0.124, -1.2]
    )
    assert grounding.unit == "RSNA in per cent"
    text = markdown(grounding)
    assert "0.250 [0.250, 0.250]".replace("[", "\\[").replace("]", "\\]") in text
    assert "| −0.017 | +0.124 | −1.2 |" in text
    assert "in the unit of the column" in text
    assert "Test films: RSNA 300" in text
    assert "Test phrases: MS-CXR 300" in text


def test_what_a_row_has_no_means_for_is_a_dash_and_not_missing(grounding):
    assert [cell.text for cell in cells_of(grounding, "ours", "MAE")] == ["–", "–", ""]
    assert (grounding.num_run, grounding.num_planned) == (4, 4)
    lines = [line for line in csv_text(grounding).splitlines() if line.startswith("table5,MAE,ours,ms-cxr")]
    assert all(",,,,,,,–," in line for line in lines)
    assert len(lines) == 2


def test_retrieval_stands_against_its_printed_numbers_and_says_how_many_candidates(tmp_path):
    folder = tmp_path / "maco/default/seed0/mimic_retrieval"
    files = [write_metrics(folder, [entry("t2i_r1", 0.08, "all")], {"t2i_r1/all": [0.08, 0.08]})]
    layout = lay(tmp_path, "table2", RETRIEVAL, files)
    assert layout.panels[0].columns[0].key == "mimic-cxr|t2i r@1|retrieval"
    assert cells_of(layout, "ours", "MedIM")[0].value == pytest.approx(8)
    assert cells_of(layout, "difference", "MedIM")[0].value == pytest.approx(0.33)
    assert any(note == "Queries, each against as many candidates: MIMIC-CXR 300." for note in layout.notes)


def test_only_metrics_without_bounds_may_leave_0_to_1(tmp_path):
    folder = tmp_path / "maco/default/seed0/ms_cxr_grounding"
    file = write_metrics(folder, [entry("miou", 1.3)], {"miou/macro": [1.3]})
    with pytest.raises(InputError, match=r"1\.3 is not within"):
        collect.collect([file])
