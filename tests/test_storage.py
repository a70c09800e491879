"""A full disk in one line; nothing half-written taken for whole."""

import errno
import os
import resource
import subprocess
import sys

import pytest
import torch

from maskray import command
from maskray.files import write_text
from maskray.storage import storage_problem
from maskray.training.checkpoint import find_checkpoint, save_checkpoint

HASH = "a" * 64


def no_space(*_args, **_kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "results/weights")


@pytest.mark.parametrize(
    ("number", "what"),
    [(errno.ENOSPC, "disk is full"), (errno.EDQUOT, "quota is used up"), (errno.ESTALE, "file system has gone")],
)
def test_a_program_says_it_in_one_line(number, what):
    def main(_argv):
        try:
            raise OSError(number, os.strerror(number), "results/weights")
        except OSError as error:
            raise RuntimeError("as a library would wrap it") from error

    with pytest.raises(SystemExit, match=rf"^error: results/weights: .*{what}.* then run again"):
        command.run(main)


def test_other_errors_keep_their_traceback():
    def main(_argv):
        raise RuntimeError("a defect")

    with pytest.raises(RuntimeError, match="a defect"):
        command.run(main)
    assert storage_problem(FileNotFoundError(errno.ENOENT, "no such file")) is None


def test_the_words_of_compiled_writers_are_understood():
    # As safetensors and HDF5 put it.
    assert "full" in storage_problem(RuntimeError("Error while serializing: I/O error: No space left (os error 28)"))
    assert "quota" in storage_problem(RuntimeError("file write failed: errno = 122, error message = 'Disk quota'"))


def test_a_file_that_does_not_fit_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    write_text(path, "old")
    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]


def test_a_checkpoint_that_does_not_fit_leaves_the_older_ones_and_no_rest(tmp_path, monkeypatch):
    paths = [save_checkpoint(tmp_path, step, HASH, {"weights": torch.ones(3)}) for step in (1, 2)]
    with monkeypatch.context() as full:
        full.setattr(torch, "save", no_space)
        with pytest.raises(OSError, match="No space"):
            save_checkpoint(tmp_path, 3, HASH, {"weights": torch.ones(3)})
    assert sorted(tmp_path.iterdir()) == paths
    assert find_checkpoint(tmp_path, HASH) == paths[1]


WRITE = """
import sys
from pathlib import Path
import torch
from safetensors.torch import save_file
from maskray import command
from maskray.files import written_whole
from maskray.training.checkpoint import save_checkpoint

def main(_argv):
    folder, state = Path(sys.argv[2]), {"weights": torch.zeros(1_000_000)}
    if sys.argv[1] == "checkpoint":
        save_checkpoint(folder, 1, "a" * 64, state)
    else:
        with written_whole(folder / "weights.safetensors") as partial:
            save_file(state, partial)

command.run(main)
"""


def write(what, folder, **options):
    return subprocess.run(
        [sys.executable, "-c", WRITE, what, str(folder)], capture_output=True, text=True, check=False, **options
    )


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one megabyte, really full; only root may mount it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    ) if os.geteuid() == 0 else None  # fmt: skip
    if mounted is None or mounted.returncode:
        pytest.skip("no right to mount a small file system here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("what", ["checkpoint", "weights"])
def test_on_a_full_disk(small_disk, what):
    result = write(what, small_disk)
    assert result.returncode == 1
    assert "the disk is full" in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(small_disk.iterdir())


@pytest.mark.parametrize("what", ["checkpoint", "weights"])
def test_beyond_a_limit_on_file_sizes(tmp_path, what):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    result = write(what, tmp_path, preexec_fn=limit)
    assert result.returncode == 1, result.stderr
    assert "larger than is allowed" in result.stderr
    assert not list(tmp_path.iterdir())
