"""Tables as long as the real ones: how long an index and a split take, and how much memory.

The limits are of processor time, so that a busy machine fails nothing; the seconds that passed are printed beside it.
"""

import pytest

from maskray.config.dataset import DatasetConfig
from maskray.files import write_yaml
from tests.data import full_size
from tests.usage import measured

MAX_MIB = 2048
WRITERS = {"nih": full_size.write_nih, "mimic": full_size.write_mimic}
NUM_IMAGES = {"nih": full_size.NIH_IMAGES, "mimic": full_size.MIMIC_IMAGES}
PROTOCOL = {"nih": "maco", "mimic": "medim"}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "max_seconds"), [("nih", 10), ("mimic", 30)])
def test_full_tables_are_indexed_and_split_in_seconds(repository, tmp_path, name, max_seconds):
    site = WRITERS[name](tmp_path / "site")
    settings = repository / f"config/datasets/{name}.yaml"
    dataset = DatasetConfig.read(settings)
    index = tmp_path / "index.parquet"
    indexed = measured(
        repository / "scripts/index_dataset.py", "--site-folder", site, "--dataset", settings, "--index", index
    )
    write_yaml(tmp_path / "split.yaml", dataset.splits[PROTOCOL[name]].model_dump(mode="json"))
    split = measured(
        repository / "scripts/split_dataset.py", "--index", index, "--settings", tmp_path / "split.yaml",
        "--labels", *(dataset.scored or dataset.labels),
        "--split", tmp_path / "split.csv", "--summary", tmp_path / "summary.json",
    )  # fmt: skip
    for what, (seconds, by_clock, mebibytes), most in (("index", indexed, max_seconds), ("split", split, 20)):
        print(f"{name} {what}: {seconds:.1f} s of processor, {by_clock:.1f} s by the clock, {mebibytes:.0f} MiB")
        assert seconds < most
        assert mebibytes < MAX_MIB
    num_rows = (tmp_path / "split.csv").read_text().count("\n") - 1
    assert num_rows == NUM_IMAGES[name] if name == "nih" else 0 < num_rows < NUM_IMAGES[name]
