"""A small results root: made predictions of two variants, two seeds and two benchmarks, scored as the workflow does."""

import sys
import time
from pathlib import Path
from unittest import mock

import numpy as np

from maskray import provenance
from maskray.config.stages import ScoreStage
from maskray.evaluation.measurements import Measurements, write_measurements
from maskray.evaluation.predictions import Predictions, write_predictions
from maskray.evaluation.scoring import score_file
from maskray.files import hash_of_file

LABELS = ("Edema", "Mass")
NUM_TEST, NUM_VALIDATION = 120, 40
TABLE = {
    "title": "Made runs",
    "printed": False,
    "rows": [
        {"name": "M&M"},
        {"name": "No ridge", "variant": "no_ridge"},
        {"name": "MAE", "variant": "mae", "without": ["mimic_retrieval"]},
    ],
    "columns": [
        {
            "heading": "NIH",
            "benchmark": "nih_linear_probe",
            "metrics": {"AUC": "auroc", "F1": "f1_oracle"},
            "fractions": [0.01],
            "labels": ["macro", "Mass"],
        },
        {
            "heading": "MIMIC",
            "benchmark": "mimic_retrieval",
            "metrics": {"R@1": "i2t_r1"},
            "labels": ["all"],
        },
    ],
}
STAGE = {"paper": "mnm", "table_name": "ablation", "table": TABLE, "data_note": "painted films", "made": True}


def write_predicted(folder: Path, noise: float, seed: int, drop: int = 0, score: ScoreStage | None = None) -> Path:
    """Predictions of one run with their metrics; ``noise`` decides how good they are. Returns the predictions."""
    generator = np.random.default_rng(0)
    num = NUM_TEST + NUM_VALIDATION
    labels_NL = (generator.random((num, len(LABELS))) < 0.4).astype(np.float32)
    signal_NL = labels_NL + generator.normal(size=labels_NL.shape)
    scores_NL = signal_NL + noise * np.random.default_rng([seed, int(100 * noise)]).normal(size=labels_NL.shape)
    kept = slice(0, num - drop)
    ids = [f"i{row:03}" for row in range(num)][kept]
    # Two films of each patient; the validation films come first.
    patients = [f"p{row // 2:03}" for row in range(num)][kept]
    parts = (["validation"] * NUM_VALIDATION + ["test"] * NUM_TEST)[kept]
    file = folder / "predictions.parquet"
    write_predictions(file, Predictions(LABELS, ids, patients, parts, labels_NL[kept], scores_NL[kept], {}))
    return _scored(file, score)


def write_measured(folder: Path, share: float, seed: int) -> Path:
    """A retrieval in which about this share of the queries hits."""
    ids = [f"q{row:03}" for row in range(NUM_TEST)]
    hits = (np.random.default_rng(seed).random(NUM_TEST) < share).astype(np.float32)
    file = folder / "predictions.parquet"
    write_measurements(file, Measurements(ids, ids, [""] * NUM_TEST, {"i2t_r1": hits}, {"num_candidates": NUM_TEST}))
    return _scored(file, None)


def write_results(root: Path) -> list[Path]:
    """The whole root, with the provenance of each job; returns every ``metrics.json``."""
    found = []
    for variant, noise, share in (("default", 0.2, 0.6), ("no_ridge", 3.0, 0.4)):
        model = root / f"mnm/{variant}/seed0"
        weights = model / "pretrain/weights.safetensors"
        weights.parent.mkdir(parents=True)
        weights.write_bytes(f"weights of {variant}".encode())
        record(model / "pretrain", {"seed": 0}, {"manifest": "d" * 64}, {"paper": "mnm", "variant": variant})
        probe, retrieval = model / "nih_linear_probe", model / "mimic_retrieval"
        found += [write_predicted(probe / f"1%/seed{seed}", noise, seed) for seed in (0, 1)]
        found.append(write_measured(retrieval, share, 0))
        inputs = {"index": "a" * 64, "split": "b" * 64, "manifest": "c" * 64, "weights": hash_of_file(weights)}
        for folder in (probe, retrieval):
            flags = ("--pretrained", str(model / "pretrain"), "--index", "index.parquet")
            record(folder, {"probe0": 0, "probe1": 1}, inputs, {"benchmark": folder.name}, flags)
    return [file.with_name("metrics.json") for file in found]


def record(
    folder: Path, seeds: dict[str, int], inputs: dict[str, str], config: dict[str, object], flags: tuple[str, ...] = ()
) -> None:
    """A provenance beside a job's outputs, as a command with these flags writes it."""
    with mock.patch.object(sys, "argv", ["scripts/made.py", *flags]):
        provenance.write(folder / "provenance.json", seeds=seeds, config=config, inputs=inputs, started=time.time())


def _scored(file: Path, score: ScoreStage | None) -> Path:
    settings = score or ScoreStage(num_replicates=200)
    score_file(file, settings, file.with_name("metrics.json"), file.with_name("bootstrap.npz"))
    return file
