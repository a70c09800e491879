"""Do the methods learn? The workflow on 6,000 made studies (config/learns.yaml), 45 minutes on two cores.

Measured on made films, which prove the machinery and not the methods.
"""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from maskray.data.made.frontal import paint_frontal
from maskray.data.made.studies import draw_study

pytestmark = pytest.mark.learns
METHODS = ("mnm", "dmlm", "medim", "mmclip", "maco")


@pytest.fixture(scope="module")
def root(repository: Path) -> Path:
    """The finished run; a run cut short goes on where it was."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "config/learns.yaml"]
    subprocess.run(command, cwd=repository, check=True)
    return repository / "results/learns"


@pytest.fixture(scope="module")
def metrics(root: Path) -> pd.DataFrame:
    return pd.read_parquet(root / "metrics.parquet")


def mean_and_replicates(metrics: pd.DataFrame, **wanted: str) -> tuple[float, np.ndarray]:
    """Mean AUROC over the pre-training seeds, and its bootstrap replicates (same patients for every seed)."""
    rows = rows_of(metrics, **{"metric": "auroc"} | wanted)
    assert len(rows) == 3, wanted
    return float(rows["value"].mean()), np.mean([np.asarray(r) for r in rows["replicates"]], axis=0)


def rows_of(metrics: pd.DataFrame, **wanted: str) -> pd.DataFrame:
    """The rows whose columns have these values."""
    return metrics[np.logical_and.reduce([metrics[column] == value for column, value in wanted.items()])]


@pytest.fixture(scope="module")
def patches_by_finding(repository: Path) -> dict[str, float]:
    """Mean painted area of each finding in 8 px patches of a 64 px film, over the first 400 films of the run."""
    seed = yaml.safe_load((repository / "config/learns.yaml").read_text())["made"]["seed"]
    areas = defaultdict(list)
    for number in range(400):
        for label, extent in paint_frontal(draw_study("nih", seed, number), 64).extents.items():
            areas[label].append(extent.mean() * (64 / 8) ** 2)
    return {label: float(np.mean(values)) for label, values in areas.items()}


@pytest.mark.parametrize("paper", METHODS)
def test_zero_shot_is_learnt(metrics, root, paper):
    trained, replicates = mean_and_replicates(
        metrics, paper=paper, variant="default", benchmark="nih_zeroshot", label="macro"
    )
    untrained, baseline = mean_and_replicates(
        metrics, paper=paper, variant="random_init", benchmark="nih_zeroshot", label="macro"
    )
    low, high = np.nanquantile(replicates - baseline, [0.025, 0.975])
    print(
        f"\n{paper}: zero-shot macro AUROC {trained:.3f}, untrained {untrained:.3f}, difference [{low:.3f}, {high:.3f}]"
    )
    assert trained >= 0.72
    assert low > 0


@pytest.mark.parametrize("paper", ["mnm", "maco"])  # the others: 0.76 to 0.79 (docs/learning.md)
def test_large_findings_are_found_without_labels(metrics, patches_by_finding, paper):
    rows = rows_of(metrics, paper=paper, variant="default", benchmark="nih_zeroshot", metric="auroc")
    by_finding = rows[rows["label"] != "macro"].groupby("label")["value"].mean().to_dict()
    sizes = patches_by_finding
    for finding, value in sorted(by_finding.items(), key=lambda item: -sizes.get(item[0], 0)):
        print(f"{paper}: {finding:20s} {sizes.get(finding, 0):5.1f} patches  AUROC {value:.3f}")
    large = {finding: value for finding, value in by_finding.items() if sizes.get(finding, 0) >= 4}
    assert len(large) >= 5
    assert np.mean(list(large.values())) >= 0.80


@pytest.mark.parametrize("paper", METHODS)
def test_the_linear_probe_gains_from_pretraining(metrics, paper):
    where = {"paper": paper, "benchmark": "nih_linear_probe", "fraction": "10%", "label": "macro"}
    trained, replicates = mean_and_replicates(metrics, variant="default", **where)
    print(f"\n{paper}: probe at 10 % {trained:.3f}")
    for name, benchmark in {"untrained": "nih_linear_probe", "from scratch": "nih_classification"}.items():
        value, baseline = mean_and_replicates(metrics, **where | {"variant": "random_init", "benchmark": benchmark})
        low, high = np.nanquantile(replicates - baseline, [0.025, 0.975])
        print(f"{paper}: {name} {value:.3f}, difference [{low:.3f}, {high:.3f}]")
        assert low > 0, name


@pytest.mark.parametrize("paper", METHODS)
@pytest.mark.parametrize("metric", ["i2t_r10", "t2i_r10"])
def test_partners_are_retrieved(metrics, paper, metric):
    where = {"paper": paper, "benchmark": "mimic_retrieval", "metric": metric, "label": "all"}
    trained, _ = mean_and_replicates(metrics, variant="default", **where)
    untrained, _ = mean_and_replicates(metrics, variant="random_init", **where)
    (num,) = rows_of(metrics, variant="default", **where)["num_images"].unique()
    print(f"\n{paper}: {metric} among {num} studies {trained:.3f}, untrained {untrained:.3f}, chance {10 / num:.3f}")
    assert num == 200
    assert trained >= 3 * 10 / num


def test_maco_points_into_the_boxes(metrics):
    rows = rows_of(metrics, paper="maco", variant="default", benchmark="ms_cxr_grounding", label="all")
    means = rows.groupby("metric")["value"].mean()
    print(f"\nmaco: points into the boxes {means['pointing_game']:.3f}, share of their area {means['box_share']:.3f}")
    assert means["pointing_game"] >= 2 * means["box_share"]


@pytest.mark.parametrize("paper", METHODS)
def test_a_run_takes_at_most_four_cpu_minutes(root, paper):
    for file in sorted(root.glob(f"{paper}/default/seed*/pretrain/provenance.json")):
        assert json.loads(file.read_text())["cpu_seconds"] <= 240, file
