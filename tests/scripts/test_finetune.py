"""scripts/finetune.py."""

import sys

import pytest

from maskray.errors import InputError
from maskray.evaluation.predictions import read_predictions
from maskray.files import read_json
from maskray.methods import METHODS
from scripts import finetune
from tests.made_benchmark import write_inputs
from tests.scripts.programs import run_program

SETTINGS = {"finetune": {"num_epochs": {"5%": 1, "100%": 2}, "learning_rates": [1e-3], "batch_size": 32}}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return write_inputs(tmp_path_factory.mktemp("inputs"))


def flags(inputs, tmp_path, settings=SETTINGS, fraction="5%"):
    outputs = {"predictions": tmp_path / "out" / "predictions.parquet", "provenance": tmp_path / "out" / "p.json"}
    return inputs.flags(settings, fraction=fraction, seed=3, **outputs)


def test_help_answers_without_torch():
    result = run_program("finetune", "--help")
    assert result.returncode == 0
    assert "one label fraction" in result.stdout
    assert "0.01 or 1%" in result.stdout


def test_predictions_and_provenance(inputs, tmp_path):
    finetune.main(flags(inputs, tmp_path))
    read = read_predictions(tmp_path / "out" / "predictions.parquet")
    assert read.label_names == ("Edema", "Cardiomegaly")
    assert len(read.part("test").image_ids) == 30
    assert read.notes["num_train_images"] == 4
    record = read_json(tmp_path / "out" / "p.json")
    assert record["seeds"] == {"finetune": 3}
    assert set(record["inputs"]) == {"index", "split", "weights", "manifest"}
    assert record["inputs"]["manifest"] == "0123"


@pytest.mark.parametrize("paper", METHODS)
def test_every_method_can_be_fine_tuned(tmp_path, paper):
    finetune.main(flags(write_inputs(tmp_path / paper, paper), tmp_path))
    assert (tmp_path / "out" / "predictions.parquet").is_file()


def test_again_gives_the_same_bytes(inputs, tmp_path):
    for name in ("first", "second"):
        finetune.main(flags(inputs, tmp_path / name))
    first, second = (tmp_path / name / "out" / "predictions.parquet" for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()


def test_bad_settings_are_one_line_and_no_output(inputs, tmp_path):
    result = run_program("finetune", *flags(inputs, tmp_path, {"finetune": SETTINGS["finetune"] | {"batchsize": 4}}))
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert "finetune.batchsize" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_fraction_without_epochs_is_named(inputs, tmp_path):
    with pytest.raises(InputError, match=r"finetune\.num_epochs: no entry for 10%"):
        finetune.main(flags(inputs, tmp_path, fraction="0.1"))
    assert not (tmp_path / "out").exists()


def test_neither_workflow_tools_nor_the_compiler_nor_libraries_for_texts_are_imported(inputs, tmp_path):
    tools = {"snakemake", "spacy", "radgraph", "pydicom", "sklearn", "matplotlib", "hdf5plugin"}
    slow = {"torch._dynamo", "torch._inductor", "sympy", "transformers", "tokenizers", "scipy"}
    code = (
        "import sys; from scripts import finetune; finetune.main(sys.argv[1:]);"
        f"bad = {tools | slow} & set(sys.modules);"
        "sys.exit(f'imported {bad}' if bad else 0)"
    )
    result = run_program(sys.executable, "-c", code, *flags(inputs, tmp_path))
    assert result.returncode == 0, result.stderr
