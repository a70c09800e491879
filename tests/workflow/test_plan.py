"""``snakemake -n``: the whole plan in a fresh clone, with no data anywhere, and clear errors."""

import json
import os
import re
from pathlib import Path

import pytest
import yaml

GOLDEN = Path(__file__).parent / "job_counts.json"


@pytest.mark.parametrize("overlay", [None, "config/demo.yaml", "config/open.yaml"])
def test_golden_job_counts(fresh, overlay):
    counts = fresh.job_counts(*(["--configfile", overlay] if overlay else []))
    golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    name = overlay or "config/config.yaml"
    if os.environ.get("MASKRAY_RECORD"):
        GOLDEN.write_text(json.dumps(golden | {name: counts}, indent=1, sort_keys=True) + "\n")
    else:
        assert counts == golden[name], "if the change is meant: make record"


def test_one_table_asks_for_just_what_it_needs(fresh):
    counts = fresh.job_counts("results/tables/maco/table1.md")
    assert counts["pretrain"] == 1
    assert counts["finetune_nih_classification"] == 15
    assert not any("zeroshot" in rule or "siim" in rule or "probe" in rule for rule in counts)
    # The guard asks for the data of this table and no other: MIMIC's own parts, and two checks of each benchmark.
    assert (counts["index_dataset"], counts["split_dataset"], counts["check_leakage"]) == (4, 4, 7)


def test_one_benchmark_can_be_named_alone(fresh):
    counts = fresh.job_counts("rsna_classification")
    assert counts["finetune_rsna_classification"] == 120
    assert not any(rule.startswith("finetune") and "rsna" not in rule for rule in counts)


def test_retrieval_asks_for_reports_and_grounding_draws_its_pictures(fresh):
    figures = [f"results/figures/maco-default-seed0-ms_cxr_grounding{end}" for end in (".png", "_tau.svg")]
    tables = ["results/tables/medim/table2.md", "results/tables/maco/table5.md"]
    planned = fresh.snakemake("-n", "-p", "--", *figures, *tables).stdout
    assert "retrieve.py" in planned
    assert "--reports results/reports/mimic/reports.parquet" in planned
    counts = dict(re.findall(r"^(\w+) +(\d+)$", planned.partition("Job stats:")[2], re.M))
    assert counts["predict_mimic_retrieval"] == "2"
    # MAE alone has no text to ground, and is still fine-tuned.
    assert (counts["predict_ms_cxr_grounding"], counts["finetune_rsna_classification"]) == ("2", "45")
    assert (counts["draw_grounding"], counts["draw_tau_sweep"], counts["pretrain"]) == ("1", "1", "5")


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("config/papers/mnm.yaml", "num_epochs: 100", "num_epoch: 100", "num_epoch: no such key (did you mean num_ep"),
        ("config/papers/mnm.yaml", "batch_size: 128", "batch_size: many", "pretrain.optimisation.batch_size"),
        ("config/papers/maco.yaml", "benchmark: rsna_classification", "benchmark: rsna_guessing", "rsna_guessing"),
        ("config/papers/maco.yaml", "protocol: official", "protocol: unofficial", "no split unofficial; there are"),
        ("config/datasets/nih.yaml", "licence:", "license:", "did you mean licence?"),
        ("config/config.yaml", "mmclip, maco]", "mmclip, maca]", "no paper maca; allowed: dmlm, maco, medim,"),
        ("config/config.yaml", "drop: {}", "drop: {nih: [mine]}", "no split mine; there are: dmlm, maco"),
        ("config/papers/maco.yaml", "padding: counted", "padding: black", "grounding.padding"),
        ("config/config.yaml", "shard_jobs: 64", "shard_job: 64", "shard_job: no such key (did you mean shard_jobs?)"),
    ],
)  # fmt: skip
def test_a_wrong_key_is_named_with_its_path_and_the_allowed_names(fresh, file, old, new, said):
    path = fresh.folder / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    result = fresh.snakemake("-n", check=False)
    assert result.returncode != 0
    assert said in result.stderr + result.stdout
    assert "Traceback" not in result.stderr


def test_retrieval_without_reports_is_refused_when_planning(fresh):
    path = fresh.folder / "config/papers/medim.yaml"
    text = path.read_text().replace("mimic_retrieval: {protocol: medim}", "nih_retrieval: {protocol: official}")
    path.write_text(text.replace("benchmark: mimic_retrieval", "benchmark: nih_retrieval"))
    result = fresh.snakemake("-n", check=False)
    assert "config/papers/medim.yaml: benchmarks.nih_retrieval: nih has no reports" in result.stderr + result.stdout
    assert "Traceback" not in result.stderr


def test_a_misspelt_knob_of_a_method_is_named(fresh):
    overlay = {"overlay": {"maco": {"method": {"mask_ration": 0.5}}}}
    (fresh.folder / "wrong.yaml").write_text(yaml.safe_dump(overlay))
    result = fresh.snakemake("-n", "--configfile", "wrong.yaml", check=False)
    assert "method: mask_ration: no such key" in result.stderr + result.stdout


def test_segmentation_is_told_where_masks_lie(fresh):
    (fresh.folder / "config/site.yaml").write_text("site: {covid_rural: {folder: /data/rural}}\n")
    run = "results/mnm/default/seed0/covid_rural_segmentation/100%/seed2/predictions.parquet"
    planned = fresh.snakemake("-n", "-p", "--", run).stdout
    assert "scripts/segment.py" in planned
    folder = "results/mnm/default/seed0/covid_rural_segmentation"
    assert f"--drawn {folder}/100%/seed2/drawn.parquet --masks /data/rural --fraction 100% --seed 2" in planned


def test_a_picture_of_segmentation_shows_the_first_run_of_each_fraction(fresh):
    planned = fresh.snakemake("-n", "-p", "--", "results/figures/mnm-default-seed0-siim_segmentation.png").stdout
    folder = "results/mnm/default/seed0/siim_segmentation"
    assert "--drawn " + " ".join(f"{folder}/{share}/seed0/drawn.parquet" for share in ("1%", "10%", "100%")) in planned
    counts = dict(re.findall(r"^(\w+) +(\d+)$", planned.partition("Job stats:")[2], re.M))
    assert (counts["segment_siim_segmentation"], counts["draw_segmentation"], counts["pretrain"]) == ("3", "1", "1")


def test_variants_side_by_side_are_drawn_by_their_names(fresh):
    planned = fresh.snakemake("-n", "-p", "--", "results/figures/mnm-figure2-side_by_side.png").stdout
    folders = " ".join(f"results/mnm/{variant}/seed0/pretrain" for variant in ("mae", "default"))
    assert f"--pretrained {folders} --names '(a) Random patches' '(b) With the filter' --index" in planned
    assert "--show-reports" not in planned
    assert dict(re.findall(r"^(\w+) +(\d+)$", planned, re.M))["pretrain"] == "2"


@pytest.mark.parametrize(("overlay", "root"), [([], "results"), (["--configfile", "config/demo.yaml"], "results/demo")])
def test_words_of_a_report_are_drawn_where_it_is_made_alone(fresh, overlay, root):
    drawn = {
        "mmclip-default-seed0-text_mask.svg": "draw_text_mask",
        "maco-default-seed0-ms_cxr_grounding.png": "draw_grounding",
    }
    figures = [f"{root}/figures/{name}" for name in drawn]
    lines = fresh.snakemake("-n", "-p", *overlay, "--", *figures).stdout.splitlines()
    for script, flag in zip(drawn.values(), ("--show-reports", "--show-phrases"), strict=True):
        (line,) = [line for line in lines if f"{script}.py" in line]
        assert (flag in line) == bool(overlay)


def test_an_ensemble_trains_its_members_and_asks_them_together(fresh):
    planned = fresh.snakemake("-n", "-p", "--", "results/mmclip/ensemble/seed0/rsna_zeroshot/metrics.json").stdout
    assert dict(re.findall(r"^(\w+) +(\d+)$", planned, re.M))["pretrain"] == "6"
    folders = " ".join(f"results/mmclip/default/seed{seed}/pretrain" for seed in range(6))
    assert f"--pretrained {folders} --index" in planned


def test_an_ensemble_is_for_zero_shot_alone(fresh):
    overlay = {"overlay": {"mmclip": {"variants": {"paired_alone": {"zeroshot": {"num_members": 2}}}}}}
    (fresh.folder / "own.yaml").write_text(yaml.safe_dump(overlay))
    result = fresh.snakemake("-n", "--configfile", "own.yaml", check=False)
    assert "paired_alone is an ensemble, for zero-shot alone: figure6" in result.stderr + result.stdout


def test_braces_of_an_overlay_are_no_wildcards(fresh):
    overlay = {"overlay": {"maco": {"zeroshot": {"positive": "There is {x}."}}}, "data_note": "films of {someone}"}
    (fresh.folder / "own.yaml").write_text(yaml.safe_dump(overlay))
    assert fresh.job_counts("--configfile", "own.yaml", "--", "results/report.html")["render_report"] == 1
    assert fresh.job_counts("--configfile", "own.yaml", "--", "check_data")["check_data"] == 1


def test_weights_are_looked_for_where_they_are_fetched(fresh):
    weights = "results/maco/default/seed0/pretrain/weights.safetensors"
    planned = fresh.snakemake("-n", "-p", "--config", "weights_folder=elsewhere", "--", weights).stdout
    assert "--fetched elsewhere/emilyalsentzer--Bio_ClinicalBERT/fetched.json" in planned
    assert "MASKRAY_WEIGHTS=elsewhere " in planned


def test_a_revision_of_weights_is_fetched_into_a_folder_of_its_own(fresh):
    overlay = {"overlay": {"maco": {"text_encoder": {"weights": "emilyalsentzer/Bio_ClinicalBERT@v1"}}}}
    (fresh.folder / "pinned.yaml").write_text(yaml.safe_dump(overlay))
    weights = "results/maco/default/seed0/pretrain/weights.safetensors"
    planned = fresh.snakemake("-n", "-p", "--configfile", "pinned.yaml", "--", weights).stdout
    assert "--weights emilyalsentzer--Bio_ClinicalBERT@v1 --fetched weights/emilyalsentzer--Bio_Clinical" in planned


def test_scispacy_adds_one_job_for_each_part_and_structures_nothing_anew(fresh):
    """The settings of entities alone are no settings of structure_reports: RadGraph's hours are not spent again."""
    reports = "results/reports/mimic/reports.parquet"
    plain = fresh.snakemake("-n", "-p", "--config", "report_jobs=3", "--", reports).stdout
    chosen = "reports={entities: scispacy, scispacy_model: my_model, scispacy_python: elsewhere/python}"
    planned = fresh.snakemake("-n", "-p", "--config", "report_jobs=3", chosen, "--", reports).stdout
    assert "annotate_entities" not in plain
    assert planned.count("--model my_model --python elsewhere/python") == 3
    commands = [{line for line in text.splitlines() if "structure_reports.py" in line} for text in (plain, planned)]
    assert len(commands[0]) == 3
    assert commands[0] == commands[1]


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"rsnna": {"mnm": {"lists": "x"}}}, "splits: no data set rsnna (did you mean rsna?)"),
        ({"rsna": {"mmn": {"lists": "x"}}}, "splits.rsna: no split mmn (did you mean mnm?); there are: mnm, dmlm"),
        ({"rsna": {"mnm": {"list": "x"}}}, "splits.mnm.list: no such key (did you mean lists?)"),
        ({"rsna": {"mnm": {"train": 0.7}}}, "splits.mnm: train, validation and test must add up to 1"),
        ({"rsna": {"lists": "x"}}, "config: splits.rsna.lists: 'x' is not of type 'object'"),
    ],
)  # fmt: skip
def test_own_splits_are_checked_when_planning(fresh, own, said):
    (fresh.folder / "own.yaml").write_text(yaml.safe_dump({"splits": own}))
    result = fresh.snakemake("-n", "--configfile", "own.yaml", check=False)
    assert said in result.stderr + result.stdout
    assert "Traceback" not in result.stderr
