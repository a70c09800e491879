"""scripts/segment.py."""

import json

import numpy as np
import pandas as pd
import pytest

from maskray.data.drawn_masks import read_drawn_masks
from maskray.errors import InputError
from maskray.evaluation.measurements import read_measurements
from maskray.files import read_json
from scripts import segment
from tests.made_benchmark import NUM_PER_PART, write_inputs
from tests.scripts.programs import run_program

SETTINGS = {"segmentation": {"num_epochs": 1, "learning_rates": [1e-3], "batch_size": 16, "channels": 4}}


@pytest.fixture
def inputs(tmp_path):
    """A benchmark in which every second film has a box."""
    inputs = write_inputs(tmp_path / "inputs")
    index = pd.read_parquet(inputs.paths.index)
    box = {"label": "Edema", "x": 0, "y": 0, "w": 8, "h": 16, "grid_w": 16, "grid_h": 16}
    index["boxes"] = np.where(index["label_Edema"] == 1, json.dumps([box]), "")
    index.to_parquet(inputs.paths.index, index=False)
    return inputs


def flags(inputs, tmp_path, settings=SETTINGS, **changes):
    files = {"predictions": "predictions.parquet", "drawn": "drawn.parquet", "provenance": "p.json"}
    outputs = {flag: tmp_path / "out" / name for flag, name in files.items()}
    return inputs.flags(settings, **{"fraction": "1.0", "seed": 3} | outputs | changes)


def test_help_answers():
    result = run_program("segment", "--help")
    assert result.returncode == 0
    assert "Dice" in result.stdout


def test_every_test_film_is_measured(inputs, tmp_path):
    segment.main(flags(inputs, tmp_path))
    read = read_measurements(tmp_path / "out" / "predictions.parquet")
    assert len(read.item_ids) == NUM_PER_PART["test"]
    assert set(read.values) == {"dice", "dice_at_half", "iou"}
    drawn = read_drawn_masks(tmp_path / "out" / "drawn.parquet")
    assert list(drawn.image_ids) == list(read.item_ids)
    assert drawn.of("test-001")[0].sum() == 8 * 16
    assert read_json(tmp_path / "out" / "p.json")["seeds"] == {"finetune": 3}


def test_a_mask_that_is_missing_is_named_and_nothing_is_written(inputs, tmp_path):
    index = pd.read_parquet(inputs.paths.index)
    index.loc[index.index[0], ["boxes", "mask"]] = ["", "gone.png"]
    index.to_parquet(inputs.paths.index, index=False)
    with pytest.raises(InputError, match=r"gone\.png: no such mask"):
        segment.main(flags(inputs, tmp_path, masks=tmp_path))
    assert not (tmp_path / "out").exists()
