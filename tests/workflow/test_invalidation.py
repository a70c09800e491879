"""What an edit reruns: a comment nothing, a knob what stands on it, a deleted file itself; and what a trace names."""

import re
import shlex
import subprocess
import sys

MICRO = ("--configfile", "micro.yaml")
TABLE = "results/micro/tables/maco/linear_probe.md"
MODEL = "results/micro/maco/default/seed0"


def test_a_finished_workflow_has_nothing_to_do(finished):
    assert finished.job_counts(*MICRO) == {}
    assert "made data" in (finished.folder / TABLE).read_text().lower()


def test_rows_are_compared_below_their_table_in_the_report(finished):
    report = (finished.folder / "results/micro/report.html").read_text()
    assert report.count("Paired tests of MaCo against the other rows") >= 1
    lines = (finished.folder / TABLE.replace(".md", "-comparisons.csv")).read_text().splitlines()
    assert len(lines) == 1 + 7
    assert sum("MaCo: not run" in line for line in lines) == 3


def test_a_trace_leads_to_files_that_are_there_and_its_command_makes_just_that_cell(finished):
    asked = ("--table", TABLE, "--row", "MaCo", "--column", "nih|auc|1%")
    told = subprocess.run(
        [sys.executable, "scripts/trace_cell.py", *asked],
        cwd=finished.folder, capture_output=True, text=True, timeout=60, check=True,
    ).stdout  # fmt: skip
    files = re.findall(r"results/micro/\S+\.(?:parquet|json)", told)
    assert f"{MODEL}/nih_linear_probe/1%/seed0/predictions.parquet" in files
    assert all((finished.folder / file).is_file() for file in files)
    assert "the very weights that this run read" in told
    command = shlex.split(re.search(r"snakemake (.*--force.*)", told)[1].replace("FILE", "micro.yaml"))
    assert finished.job_counts(*command) == {"probe_nih_linear_probe": 1, "total": 1}


def test_a_comment_in_a_config_reruns_nothing(finished, edited):
    edited("config/papers/maco.yaml", "# Sec. 3.5", "# Section 3.5")
    edited("config/config.yaml", "# per data set", "# for each data set")
    assert finished.job_counts(*MICRO) == {}


def test_a_docstring_of_a_script_reruns_nothing(finished, edited):
    edited("scripts/pretrain.py", '"""', '"""Indeed: ')
    assert finished.job_counts(*MICRO) == {}


def test_moving_the_data_reruns_nothing(finished):
    assert finished.job_counts(*MICRO, "--config", "site={nih: {folder: /elsewhere}}") == {}


def test_one_more_made_data_set_makes_no_other_again(finished, edited):
    edited("micro.yaml", "num_studies: {mimic: 80, nih: 120}", "num_studies: {mimic: 80, nih: 120, rsna: 40}")
    assert finished.job_counts(*MICRO) == {}
    edited("micro.yaml", "nih: 120,", "nih: 121,")
    counts = finished.job_counts(*MICRO)
    assert (counts["make_data"], counts["index_dataset"]) == (1, 1)


def test_a_probe_knob_reruns_the_probes_only(finished, edited):
    edited("config/papers/maco.yaml", "learning_rate: 5.0e-4", "learning_rate: 6.0e-4")
    counts = finished.job_counts(*MICRO)
    assert counts["probe_nih_linear_probe"] == 2
    assert not {"pretrain", "predict_nih_zeroshot", "score_nih_zeroshot", "shard_images_nih"} & set(counts)


def test_a_pretraining_knob_reruns_pretraining_and_not_the_shards(finished, edited):
    edited("micro.yaml", "batch_size: 16", "batch_size: 8")
    counts = finished.job_counts(*MICRO)
    assert counts["pretrain"] == 2
    assert not [rule for rule in counts if rule.startswith(("shard", "index", "make", "structure", "split"))]


def test_a_deleted_prediction_is_made_again_and_only_that(finished):
    predictions = finished.folder / MODEL / "nih_zeroshot/predictions.parquet"
    before = predictions.read_bytes()
    table = (finished.folder / TABLE).read_bytes()
    predictions.unlink()
    counts = finished.job_counts(*MICRO)
    assert counts["predict_nih_zeroshot"] == 1
    assert not {"pretrain", "probe_nih_linear_probe"} & set(counts)
    finished.snakemake(*MICRO)
    assert predictions.read_bytes() == before
    assert (finished.folder / TABLE).read_bytes() == table
    assert finished.job_counts(*MICRO) == {}


def test_a_knob_of_the_leakage_guard_checks_again_and_trains_and_predicts_nothing(finished, edited):
    edited("config/config.yaml", "min_correlation: 0.98", "min_correlation: 0.97")
    counts = finished.job_counts(*MICRO)
    assert set(counts) == {"check_leakage", "render_table", "render_report", "all", "total"}
    assert counts["check_leakage"] == 5


def test_a_check_done_again_trains_and_predicts_nothing(finished):
    counts = finished.job_counts(*MICRO, "--forcerun", "check_leakage")
    assert set(counts) == {"check_leakage", "render_table", "render_report", "all", "total"}


def test_one_more_benchmark_trains_nothing_again(finished, edited):
    edited("micro.yaml", "tables: {maco: [linear_probe]}", "tables: {maco: [linear_probe, table1]}")
    counts = finished.job_counts(*MICRO)
    assert counts["finetune_nih_classification"] == 3
    assert not {"pretrain", "check_leakage", "probe_nih_linear_probe", "predict_nih_zeroshot"} & set(counts)


def test_what_is_dropped_from_pretraining_trains_again(finished, edited):
    edited("config/config.yaml", "drop: {}", "drop: {nih: [official]}")
    counts = finished.job_counts(*MICRO)
    assert (counts["exclude_films"], counts["pretrain"]) == (1, 2)
    assert not [rule for rule in counts if rule.startswith(("shard", "index", "make", "structure", "split"))]
