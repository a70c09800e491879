"""What an edit reruns: a comment nothing, a knob what stands on it, a deleted file itself."""

MICRO = ("--configfile", "micro.yaml")
TABLE = "results/micro/tables/maco/linear_probe.md"
MODEL = "results/micro/maco/default/seed0"


def test_a_finished_workflow_has_nothing_to_do(finished):
    assert finished.job_counts(*MICRO) == {}
    assert "made data" in (finished.folder / TABLE).read_text().lower()


def test_a_comment_in_a_config_reruns_nothing(finished, edited):
    edited("config/papers/maco.yaml", "# Sec. 3.5", "# Section 3.5")
    edited("config/config.yaml", "# per data set", "# for each data set")
    assert finished.job_counts(*MICRO) == {}


def test_a_docstring_of_a_script_reruns_nothing(finished, edited):
    edited("scripts/pretrain.py", '"""', '"""Indeed: ')
    assert finished.job_counts(*MICRO) == {}


def test_moving_the_data_reruns_nothing(finished):
    assert finished.job_counts(*MICRO, "--config", "site={nih: {folder: /elsewhere}}") == {}


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


def test_own_lists_rerun_their_split_when_they_change_and_not_when_they_move(finished, tmp_path):
    """The lists are of one protocol of one data set; nothing else notices, also where they are not there."""
    target = "results/micro/data/nih/splits/dmlm/split.csv"
    summary = finished.folder / "results/micro/data/nih/splits/dmlm/summary.json"
    own = finished.folder / "own.yaml"

    def arguments(folder):
        own.write_text(f"splits: {{nih: {{dmlm: {{lists: {folder}, shared_patients: declare}}}}}}")
        return (target, "--configfile", "micro.yaml", "own.yaml")

    assert finished.job_counts(*arguments(tmp_path / "nowhere"))["split_dataset"] == 1
    assert finished.job_counts("--configfile", "micro.yaml", "own.yaml") == {}
    failed = finished.snakemake(*arguments(tmp_path / "nowhere"), check=False)
    assert failed.returncode != 0
    assert f"{tmp_path / 'nowhere'}: no such folder of lists" in failed.stdout + failed.stderr

    split = (finished.folder / "results/micro/data/nih/splits/maco/split.csv").read_text().splitlines()[1:]
    for part in ("train", "validation", "test"):
        ids = [line.split(",")[0] for line in split if f",{part}," in line]
        (tmp_path / f"{part}.txt").write_text("\n".join(ids) + "\n")
    finished.snakemake(*arguments(tmp_path))
    assert '"train.txt"' in summary.read_text()
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    assert finished.job_counts(*arguments(moved)) == {}
    (moved / "test.txt").write_text("\n".join(ids[1:]) + "\n")
    assert finished.job_counts(*arguments(moved)) == {"split_dataset": 1, "total": 1}
