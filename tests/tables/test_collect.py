import json

import numpy as np
import pytest

from maskray.errors import InputError
from maskray.tables import collect


def test_path_tells_the_run():
    run = collect.run_of("results/demo/mnm/no_ridge/seed2/covid_chestxray_linear_probe/10%/seed4/metrics.json")
    assert run == collect.Run("mnm", "no_ridge", 2, "covid_chestxray_linear_probe", "10%", 4)


def test_zero_shot_has_no_fraction_and_no_seed():
    run = collect.run_of("/x/maco/default/seed0/nih_zeroshot/metrics.json")
    assert (run.benchmark, run.fraction, run.finetune_seed) == ("nih_zeroshot", "", None)


@pytest.mark.parametrize(
    "path", ["metrics.json", "a/b/seed0/rsna_classification/1%/metrics.json", "a/b/c/d/metrics.json"]
)
def test_another_path_is_refused(path):
    with pytest.raises(InputError, match="not the path of a result"):
        collect.run_of(path)


def test_rows_carry_value_replicates_and_predictions(metrics):
    rows = metrics[(metrics.benchmark == "rsna_classification") & (metrics.finetune_seed == 1)]
    assert rows.value.tolist() == [0.84]
    np.testing.assert_allclose(rows.replicates.iloc[0], [0.74, 0.84, 0.96], rtol=1e-6)
    assert rows.predictions.iloc[0].endswith("mnm/default/seed0/rsna_classification/1%/seed1/predictions.parquet")
    assert rows.fraction.tolist() == ["1%"]


def test_an_undefined_value_stays_empty(metrics):
    assert metrics[metrics.label == "Hernia"].value.isna().all()


def test_order_of_the_files_does_not_matter_and_bytes_are_the_same(metrics_files, tmp_path):
    collect.write(collect.collect(metrics_files), tmp_path / "one.parquet")
    collect.write(collect.collect(reversed(metrics_files)), tmp_path / "two.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    assert collect.read(tmp_path / "one.parquet").num_rows == 5


def test_no_run_at_all_is_an_empty_table(tmp_path):
    collect.write(collect.collect([]), tmp_path / "none.parquet")
    assert collect.read(tmp_path / "none.parquet").num_rows == 0


def test_a_run_given_twice_is_refused(metrics_files):
    with pytest.raises(InputError, match="give each once"):
        collect.collect([*metrics_files, metrics_files[0]])


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"rows": []}', '{"rows": [{"metric": "auroc"}]}', '{"rows": [3]}'],
)
def test_a_malformed_file_is_named(metrics_files, content):
    metrics_files[1].write_text(content)
    with pytest.raises(InputError) as error:
        collect.collect(metrics_files)
    assert str(metrics_files[1]) in str(error.value)


def test_a_value_outside_0_to_1_is_refused(metrics_files):
    rows = json.loads(metrics_files[0].read_text())["rows"]
    metrics_files[0].write_text(json.dumps({"rows": [rows[0] | {"value": 80.0}]}))
    with pytest.raises(InputError, match=r"not within 0\.\.1"):
        collect.collect(metrics_files)


@pytest.mark.parametrize("damage", ["missing", "cut", "other name"])
def test_missing_or_damaged_replicates_are_named(metrics_files, damage):
    path = metrics_files[0].with_name("bootstrap.npz")
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:40])
    else:
        np.savez(path, **{"f1/macro": np.zeros(3)})
    with pytest.raises(InputError) as error:
        collect.collect(metrics_files)
    assert str(path) in str(error.value)


def test_another_kind_of_table_is_refused(tmp_path):
    (tmp_path / "x.parquet").write_text("no")
    with pytest.raises(InputError, match=r"x\.parquet"):
        collect.read(tmp_path / "x.parquet")
