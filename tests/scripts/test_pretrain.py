"""scripts/pretrain.py, as a program."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from safetensors.torch import load_file

from maskray.files import read_yaml, write_yaml
from maskray.training import resume as resuming
from tests.made_studies import make_source, stage


@pytest.fixture
def arguments(tmp_path):
    def build(settings, *, seconds="1000", devices="1", num_workers="0", parts="1", minutes="2", out="out"):
        folder = tmp_path / "made"
        source = make_source(folder) if not folder.exists() else None
        files = vars(source) if source else build.files
        build.files = files
        write_yaml(tmp_path / "pretrain.yaml", settings)
        pairs = {
            "settings": tmp_path / "pretrain.yaml",
            "indexes": files["index"],
            "splits": files["split"],
            "manifests": files["manifest"],
            "reports": files["reports"],
            "seed": 0,
            "devices": devices,
            "num-nodes": 1,
            "num-workers": num_workers,
            "micro-batches": parts,
            "wait-minutes": minutes,
            "checkpoint-seconds": seconds,
            "folder": tmp_path / out,
            "provenance": tmp_path / out / "provenance.json",
        }
        return [part for name, value in pairs.items() for part in (f"--{name}", str(value))]

    return build


def command(repository, arguments):
    return [sys.executable, str(repository / "scripts" / "pretrain.py"), *arguments]


def run(repository, arguments):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(command(repository, arguments), capture_output=True, text=True, check=False, env=environment)


def stop_soon(repository, arguments, folder):
    """Start it, and ask its main process to stop when the loop begins: status, and what it said."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command(repository, arguments), stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        while process.poll() is None and not (folder / "resume" / "log.csv").is_file():
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=100)
    return process.returncode, said


def test_help_answers_at_once(repository):
    started = time.monotonic()
    result = run(repository, ["--help"])
    assert result.returncode == 0
    assert "ends with the same weights" in result.stdout
    assert time.monotonic() - started < 5
    program = "import sys; sys.argv = ['pretrain.py', '--help']; import runpy\n"
    program += f"try: runpy.run_path({str(repository / 'scripts' / 'pretrain.py')!r}, run_name='__main__')\n"
    program += "except SystemExit: pass\n"
    program += "assert not {'torch', 'pandas', 'pydantic'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).returncode == 0


def test_stopped_by_a_signal_it_goes_on_and_keeps_what_it_finished(repository, tmp_path, arguments):
    settings = stage("maco", num_epochs=50)
    call = arguments(settings, num_workers="1")
    returncode, said = stop_soon(repository, call, tmp_path / "out")
    assert returncode == 143, said
    assert "run again to go on from there" in said
    assert not (tmp_path / "out" / "weights.safetensors").exists()

    result = run(repository, call)
    assert result.returncode == 0, result.stderr
    assert "going on after" in result.stderr
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        "weights.safetensors",
        "image_encoder.safetensors",
        "text_encoder",
        "method.yaml",
        "log.csv",
        "maps.csv",
        "provenance.json",
        "resume",
    }
    assert not [path for path in (tmp_path / "out/resume").rglob("*") if path.suffix in {".pt", ".ckpt"}]
    provenance = json.loads((tmp_path / "out" / "provenance.json").read_text())
    assert provenance["seeds"] == {"pretrain": 0}
    assert len(provenance["inputs"]) == 4
    assert provenance["weights"] == {}
    assert read_yaml(tmp_path / "out" / "method.yaml")["stage"]["paper"] == "maco"

    # A killed workflow deletes what it has not noted as whole, and starts the job again.
    weights = (tmp_path / "out" / "weights.safetensors").read_bytes()
    (tmp_path / "out" / "weights.safetensors").unlink()
    assert "put back" in run(repository, call).stderr
    assert (tmp_path / "out" / "weights.safetensors").read_bytes() == weights


def test_bad_settings_leave_nothing(repository, tmp_path, arguments):
    result = run(repository, arguments(stage("maco", batch_sise=4)))
    assert result.returncode == 1
    assert "pretrain.yaml: pretrain.optimisation.batch_sise" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()


def test_lists_of_unequal_length_are_refused(repository, tmp_path, arguments):
    call = arguments(stage())
    result = run(repository, [*call, "--indexes", "a.parquet", "b.parquet"])
    assert result.returncode == 2
    assert "need one file per data set, --reports no more" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("paper", "num_processes"), [("maco", "2"), ("maco", "4"), ("mnm", "2")])
def test_several_processes_equal_one_on_the_joined_batch(repository, tmp_path, arguments, paper, num_processes):
    folders = []
    for devices in ("1", num_processes):
        settings = stage(paper, num_epochs=2, optimiser="sgd", learning_rate=0.05)
        call = arguments(settings, devices=devices, out=f"devices{devices}")
        result = run(repository, call)
        assert result.returncode == 0, result.stderr
        folders.append(tmp_path / f"devices{devices}")
    logs = [[line.split(",")[:-1] for line in (f / "log.csv").read_text().splitlines()] for f in folders]
    assert logs[0][0] == logs[1][0]
    assert len(logs[0]) == len(logs[1]) == 9
    for ours, theirs in zip(logs[0][1:], logs[1][1:], strict=True):
        assert [float(value) for value in ours] == pytest.approx([float(value) for value in theirs], rel=1e-4)
    one, two = (load_file(folder / "weights.safetensors") for folder in folders)
    for name, value in one.items():
        assert value.float().numpy() == pytest.approx(two[name].float().numpy(), abs=1e-5), name


@pytest.mark.slow
@pytest.mark.parametrize("devices", ["1", "2"])
def test_a_batch_in_parts_equals_the_whole(repository, tmp_path, arguments, devices):
    folders = []
    for name, (number, parts) in {"whole": ("1", "1"), "parts": (devices, "2")}.items():
        settings = stage("mnm", num_epochs=2, optimiser="sgd", learning_rate=0.05)
        call = arguments(settings, devices=number, parts=parts, out=name)
        result = run(repository, call)
        assert result.returncode == 0, result.stderr
        folders.append(tmp_path / name)
    whole, parts = (load_file(folder / "weights.safetensors") for folder in folders)
    for name, value in whole.items():
        assert value.float().numpy() == pytest.approx(parts[name].float().numpy(), abs=1e-5), name


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_process_that_is_gone_or_silent_ends_the_run(repository, tmp_path, arguments, number):
    """With a checkpoint to go on from, no marker of a lasting stop, and nothing left that holds the folder."""
    resume = tmp_path / "out" / "resume"
    call = arguments(stage("maco", num_epochs=400), devices="2", seconds="0.1", minutes="0.2")
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command(repository, call), stderr=subprocess.PIPE, text=True, env=environment) as process:
        while process.poll() is None and not list(resume.glob("step-*.pt")):
            time.sleep(0.05)
        (other,) = psutil.Process(process.pid).children()
        other.send_signal(number)
        # The pipe ends when all processes have: one that sleeps for ever would keep a job alive.
        _, said = process.communicate(timeout=100)
    assert process.returncode == 1
    assert "error: another process of this run has ended, or was silent for 0.2 minutes" in said
    assert "Traceback" not in said
    assert not (resume / "stopped.json").exists()
    assert list(resume.glob("step-*.pt"))
    resuming.unlock(resuming.lock(resume))


@pytest.mark.slow
def test_two_processes_stop_together_and_go_on(repository, tmp_path, arguments):
    settings = stage("maco", num_epochs=50)
    assert run(repository, arguments(settings, devices="2", out="whole")).returncode == 0
    call = arguments(settings, devices="2", num_workers="1")
    returncode, said = stop_soon(repository, call, tmp_path / "out")
    assert returncode == 143, said
    assert run(repository, call).returncode == 0
    ours, whole = (tmp_path / name / "weights.safetensors" for name in ("out", "whole"))
    assert ours.read_bytes() == whole.read_bytes()
