"""The resume folder: lock, marker, signals."""

import signal
import subprocess
import sys

import pytest

from maskray.errors import InputError
from maskray.training import resume as resuming

HOLD = """
import sys, time
from pathlib import Path
from maskray.training import resume
resume.lock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_a_second_trainer_stops_and_a_killed_one_leaves_no_lock(tmp_path):
    folder = tmp_path / "resume"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        try:
            with pytest.raises(InputError, match=rf"another trainer \(process {holder.pid} on .*\) is at work here"):
                resuming.lock(folder)
        finally:
            holder.kill()
    resuming.unlock(resuming.lock(folder))


def test_a_lasting_stop_is_not_tried_again_until_something_changes(tmp_path):
    with pytest.raises(InputError, match="itc is nan"), resuming.stop_is_marked(tmp_path, "old", writes=True):
        raise InputError("itc is nan")
    with pytest.raises(InputError, match=r"itc is nan .*delete .*stopped\.json"):
        resuming.check_not_stopped(tmp_path, "old")
    resuming.check_not_stopped(tmp_path, "new")
    resuming.check_not_stopped(tmp_path, "old")


def test_after_a_change_of_the_code_it_is_tried_again(tmp_path, monkeypatch):
    with pytest.raises(InputError), resuming.stop_is_marked(tmp_path, "old", writes=True):
        raise InputError("itc is nan")
    monkeypatch.setattr(resuming, "hash_of_code", lambda: "mended")
    resuming.check_not_stopped(tmp_path, "old")
    assert not list(tmp_path.iterdir())


def test_other_ends_leave_no_marker(tmp_path):
    with pytest.raises(SystemExit), resuming.stop_is_marked(tmp_path, "old", writes=True):
        sys.exit(143)
    with pytest.raises(InputError), resuming.stop_is_marked(tmp_path, "old", writes=False):
        raise InputError("on another rank")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT])
def test_signals_are_remembered_and_handlers_given_back(number):
    before = signal.getsignal(number)
    with resuming.StopSignals() as signals:
        assert signals.received is None
        signal.raise_signal(number)
        assert signals.received == number
    assert signal.getsignal(number) == before


def test_a_second_interrupt_does_not_wait():
    with resuming.StopSignals():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def finish(folder, *more):
    resuming.unlock(resuming.lock(folder / "resume"))
    (folder / "weights.safetensors").write_bytes(b"weights")
    (folder / "provenance.json").write_text("{}")
    (folder / "resume/step-1.pt").write_bytes(b"checkpoint")
    resuming.keep_finished(folder, "a hash", ["weights.safetensors", "provenance.json", *more])


def test_a_finished_run_gets_its_deleted_outputs_back(tmp_path):
    finish(tmp_path)
    (tmp_path / "weights.safetensors").unlink()
    assert resuming.put_back(tmp_path, "a hash")
    assert (tmp_path / "weights.safetensors").read_bytes() == b"weights"
    assert (tmp_path / "provenance.json").is_file()
    assert not list((tmp_path / "resume").glob("*.pt"))


def test_what_a_new_workflow_has_deleted_meanwhile_is_not_taken_for_finished(tmp_path):
    """A trainer lives on when its snakemake is killed; the next snakemake deletes its outputs under its hands."""
    with pytest.raises(InputError, match=r"log.csv: written, and deleted since .* run that again"):
        finish(tmp_path, "log.csv")
    assert not resuming.put_back(tmp_path, "a hash")
    assert (tmp_path / "resume/step-1.pt").is_file()


def test_a_finished_run_of_other_settings_is_dropped(tmp_path):
    finish(tmp_path)
    assert not resuming.put_back(tmp_path, "another hash")
    assert not (tmp_path / "resume").exists()
    assert (tmp_path / "weights.safetensors").is_file()


def test_nothing_is_put_back_before_the_end(tmp_path):
    resuming.unlock(resuming.lock(tmp_path / "resume"))
    assert not resuming.put_back(tmp_path, "a hash")
