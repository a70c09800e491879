"""scripts/linear_probe.py."""

import sys

import pytest

from maskray.errors import InputError
from maskray.evaluation.predictions import read_predictions
from maskray.files import read_json
from scripts import linear_probe
from tests.made_benchmark import write_inputs
from tests.scripts.programs import run_program

SETTINGS = {"linear_probe": {"num_epochs": 3, "batch_size": 16}, "fractions": [0.1, 1.0], "seeds": [0, 1]}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return write_inputs(tmp_path_factory.mktemp("inputs"))


def test_help_answers():
    result = run_program("linear_probe", "--help")
    assert result.returncode == 0
    assert "1%/seed0" in result.stdout


def test_one_file_per_fraction_and_seed(inputs, tmp_path):
    folder = tmp_path / "tiny_linear_probe"
    linear_probe.main(inputs.flags(SETTINGS, folder=folder, provenance=folder / "provenance.json"))
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet"))
    assert files == [f"{f}/seed{seed}/predictions.parquet" for f in ("10%", "100%") for seed in (0, 1)]
    assert len(read_predictions(folder / files[0]).part("test").image_ids) == 30
    assert read_json(folder / "provenance.json")["seeds"] == {"probe0": 0, "probe1": 1}


def test_a_missing_pretrained_folder_is_named(inputs, tmp_path):
    flags = inputs.flags(SETTINGS, folder=tmp_path / "out", provenance=tmp_path / "out" / "provenance.json")
    flags[flags.index("--pretrained") + 1] = str(tmp_path / "nowhere")
    with pytest.raises(InputError, match="nowhere"):
        linear_probe.main(flags)
    assert not (tmp_path / "out").exists()


def test_neither_the_compiler_nor_libraries_for_texts_are_imported(inputs, tmp_path):
    code = (
        "import sys; from scripts import linear_probe; linear_probe.main(sys.argv[1:]);"
        "bad = {'torch._dynamo', 'torch._inductor', 'sympy', 'transformers', 'tokenizers'} & set(sys.modules);"
        "sys.exit(f'imported {bad}' if bad else 0)"
    )
    flags = inputs.flags(SETTINGS, folder=tmp_path / "out", provenance=tmp_path / "out" / "provenance.json")
    result = run_program(sys.executable, "-c", code, *flags)
    assert result.returncode == 0, result.stderr
