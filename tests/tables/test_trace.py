"""Where a number comes from."""

import json
import shutil

import pytest

from maskray.config.stages import TableStage
from maskray.errors import InputError
from maskray.files import hash_of_file
from maskray.tables import collect, render
from maskray.tables.layout import lay_out
from maskray.tables.published import PublishedTable
from maskray.tables.tidy import list_cells, read_table
from maskray.tables.trace import trace
from tests.made_runs import STAGE, TABLE, record, write_results

PROBE = "mnm/default/seed0/nih_linear_probe"
CELL = ("M&M", "nih|auc|1%")


@pytest.fixture
def root(tmp_path):
    return tmp_path / "results/made"


@pytest.fixture
def table(root):
    """A root as the workflow leaves it, with the table as csv."""
    metrics = collect.collect(write_results(root)).to_pandas()
    rows = [*TABLE["rows"], {"name": "No ridge", "variant": "ridge_late"}]
    stage = TableStage.parse(STAGE | {"table": TABLE | {"printed": True, "rows": rows}}, "stage")
    cells = {("M&M", "nih|auc|1%"): "93.1", ("MoCo", "nih|auc|1%"): "90.0"}
    layout = lay_out(stage, PublishedTable(("M&M", "MoCo"), ("nih|auc|1%",), (), cells), metrics)
    path = root / "tables/mnm/ablation.csv"
    path.parent.mkdir(parents=True)
    path.write_text(render.csv_text(layout))
    return read_table(path)


@pytest.fixture
def configs(tmp_path, root):
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "config.yaml").write_text("results_root: results\n")
    (folder / "made.yaml").write_text(f"results_root: {root}/\npapers: [mnm]\n")
    return folder


def test_a_cell_leads_to_all_that_is_behind_it(table, root, configs):
    told = trace(table, *CELL, configs)
    value = table.cell(*CELL)["value"]
    record = json.loads((root / PROBE / "provenance.json").read_text())
    weights = root / "mnm/default/seed0/pretrain/weights.safetensors"
    for part in (
        f"Value         {value}, 95 % interval ",
        "mean of 2 runs with s.d. ",
        "Printed       93.1",
        "made data: not comparable",
        f"Run 2 of 2: {PROBE}/1%/seed1\n",
        f"predictions   {root}/{PROBE}/1%/seed1/predictions.parquet",
        f"settings      {root}/{PROBE}/provenance.json (key config; hash {record['config_hash'][:12]})",
        f"commit      {record['commit']}",
        "seeds         probe0 0, probe1 1",
        f"data          index {'a' * 12}, manifest {'c' * 12}, split {'b' * 12}",
        f"numpy {record['versions']['numpy']}",
        f"pre-training  {root}/mnm/default/seed0/pretrain",
        f"weights     {hash_of_file(weights)[:12]}, the very weights",
        f"data        manifest {'d' * 12}",
    ):
        assert part in told, part
    assert "CAREFUL" not in told
    assert "CHANGED" not in told


def test_the_numbers_of_the_runs_are_those_of_their_metrics_and_make_the_cell(table, root, configs):
    values = []
    for seed in (0, 1):
        rows = json.loads((root / PROBE / f"1%/seed{seed}/metrics.json").read_text())["rows"]
        values += [row["value"] for row in rows if (row["metric"], row["label"]) == ("auroc", "macro")]
    told = trace(table, *CELL, configs)
    for value in values:
        assert f"auroc of macro {value:.6f}" in told
    assert float(table.cell(*CELL)["value"]) == pytest.approx(50 * sum(values), abs=1e-4)


def test_metrics_made_after_the_table_are_noticed(table, root, configs):
    path = root / PROBE / "1%/seed1/metrics.json"
    content = json.loads(path.read_text())
    content["rows"][0]["value"] -= 0.001
    path.write_text(json.dumps(content))
    assert "CAREFUL       not the mean of the runs" in trace(table, *CELL, configs)


def test_weights_that_were_trained_again_or_deleted_are_noticed(table, root, configs):
    weights = root / "mnm/default/seed0/pretrain/weights.safetensors"
    weights.write_bytes(b"others")
    assert "CHANGED: this run read" in trace(table, *CELL, configs)
    weights.unlink()
    assert "is no longer there" in trace(table, *CELL, configs)


def test_the_commands_name_the_overlay_and_just_this_cell(table, root, configs):
    told = trace(table, *CELL, configs).splitlines()
    files = " ".join(f"{root}/{PROBE}/1%/seed{seed}/predictions.parquet" for seed in (0, 1))
    assert f"  snakemake --cores 2 --configfile config/made.yaml --force -- {files}" in told
    assert told[-1] == f"  snakemake --cores 2 --configfile config/made.yaml -- {root}/tables/mnm/ablation.csv"


def test_an_overlay_that_is_not_known_is_asked_for(table, root, configs):
    (configs / "made.yaml").unlink()
    told = trace(table, *CELL, configs)
    assert "--configfile FILE --force" in told
    assert told.endswith(f"where FILE stands for the config file, or files, of that run (results_root: {root})\n")
    (configs / "config.yaml").write_text(f"results_root: {root}\npapers: [mnm]\n")
    assert "--configfile" not in trace(table, *CELL, configs)


def test_all_members_of_an_ensemble_are_shown(table, root, configs):
    model = root / "mnm/default/seed0"
    (root / "mnm/default/seed1").mkdir()
    shutil.copytree(model / "pretrain", root / "mnm/default/seed1/pretrain")
    weights = hash_of_file(model / "pretrain/weights.safetensors")
    folders = [str(root / f"mnm/default/seed{seed}/pretrain") for seed in (0, 1)]
    inputs = {"weights": weights, "weights 2": "e" * 64}
    record(root / PROBE, {"probe0": 0}, inputs, {}, ("--pretrained", *folders, "--index", "x"))
    told = trace(table, *CELL, configs).partition("Run 2")[0]
    assert told.index(folders[0]) < told.index("the very weights") < told.index(folders[1]) < told.index("CHANGED")


def test_a_root_that_was_moved_is_still_traced(table, root, configs, tmp_path):
    shutil.move(root, tmp_path / "elsewhere")
    moved = read_table(tmp_path / "elsewhere/tables/mnm/ablation.html")
    told = trace(moved, *CELL, configs)
    assert f"predictions   {tmp_path}/elsewhere/{PROBE}/1%/seed0/predictions.parquet" in told
    assert "the very weights" in told


def test_what_was_not_run_and_what_is_only_printed_is_said(table, configs):
    not_run = trace(table, "MAE", "nih|auc|1%", configs)
    assert "Value         none" in not_run
    assert "not run" in not_run
    assert "snakemake" not in not_run
    assert "90.0, as the paper prints it: config/published/mnm.csv" in trace(table, "MoCo", "nih|auc|1%", configs)


def test_rows_of_one_name_are_told_apart_by_their_variant(table, configs):
    assert [name for name in table.rows if name.startswith("No ridge")] == [
        "No ridge (no_ridge)",
        "No ridge (ridge_late)",
    ]
    assert "variant no_ridge" in trace(table, "No ridge (no_ridge)", "NIH|AUC|1%", configs)
    assert table.cell("MAE (mae)", "nih|auc|1%")["variant"] == "mae"


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        ("M&N", "nih|auc|1%", r"no row M&N \(did you mean M&M\?\); there are: M&M, No ridge \(no_ridge\)"),
        ("M&M", "nih|acu|1%", r"no column nih\|acu\|1% \(did you mean nih\|auc\|1%\?\); there are"),
    ],
)
def test_a_misspelt_name_gets_the_nearest(table, configs, row, column, said):
    with pytest.raises(InputError, match=said):
        trace(table, row, column, configs)


def test_the_cells_are_listed(table):
    told = list_cells(table)
    assert "M&M  [default]" in told
    assert "MoCo  [printed]\n    nih|auc|1%  90.0\n" in told
    assert f"    nih|auc|1%  {table.cell(*CELL)['value']}\n" in told
    assert "    mimic|r@1|retrieval  -\n" in told


def test_a_table_that_is_not_there_or_of_another_kind_is_named(table):
    with pytest.raises(InputError, match=r"no such table \(did you mean ablation\?\)"):
        read_table(table.path.with_name("ablatoin.md"))
    with pytest.raises(InputError, match=r"name results/.*/<table>.csv"):
        read_table(table.path.parent.parent / "nobody/table1.md")
    with pytest.raises(InputError, match="name a table"):
        read_table("")
    table.path.write_text("table,row\n")
    with pytest.raises(InputError, match="not those of render_table"):
        read_table(table.path)


def test_a_missing_or_foreign_record_is_named(table, root, configs):
    path = root / PROBE / "provenance.json"
    path.write_text("{}")
    with pytest.raises(InputError, match="not a provenance file"):
        trace(table, *CELL, configs)
    path.unlink()
    with pytest.raises(InputError, match=r"provenance.json: no such file"):
        trace(table, *CELL, configs)
