"""The pre-training loop, with real methods of tiny size on a few made studies."""

import csv
import json
import os
import signal
import time
import traceback
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.made_studies import make_source, stage

from maskray.config.stages import PretrainStage
from maskray.config.training import RuntimeConfig
from maskray.data.batches import batches_from
from maskray.errors import InputError
from maskray.methods import METHODS, Losses
from maskray.methods.maco import Maco
from maskray.training import loop
from maskray.training.export import load_method
from maskray.training.loop import pretrain

# 18 pairs in batches of 4: 4 steps an epoch, 12 in all.
NUM_STEPS, BATCH_SIZE = 12, 4
TIMED = {"images_per_second", "data_wait"}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return make_source(tmp_path_factory.mktemp("data") / "made")


@pytest.fixture(autouse=True)
def _restored():
    threads = torch.get_num_threads()
    yield
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(threads)


def train(source, folder: Path, paper="maco", seed=0, num_workers=0, seconds=1e-9, **optimisation) -> bool:
    """A whole run in this process; by default with a checkpoint after every step.

    Methods that train on films alone too get the same ones without reports.
    """
    settings = PretrainStage.model_validate(stage(paper, **optimisation))
    runtime = RuntimeConfig(num_workers=num_workers, checkpoint_seconds=seconds)
    return pretrain(settings, [source, replace(source, reports=None)], seed, folder, runtime)


def train_in_a_fork(source, folder: Path, at_step: int | None = None, number: int = 0, **options) -> int:
    """The same in a process of its own, which gets signal ``number`` in the middle of step ``at_step``."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)
    code = 99
    try:
        seed_step = loop.seed_step

        def signalled(seed, step, rank):
            seed_step(seed, step, rank)
            if step == at_step:
                os.kill(os.getpid(), number)

        loop.seed_step = signalled
        train(source, folder, **options)
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def weights(folder: Path) -> bytes:
    return (folder / "weights.safetensors").read_bytes()


def rows(folder: Path) -> list[dict[str, str]]:
    """The log without the columns that a clock fills."""
    with (folder / "log.csv").open() as handle:
        return [{name: value for name, value in row.items() if name not in TIMED} for row in csv.DictReader(handle)]


@pytest.fixture(scope="module")
def undisturbed(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    assert train_in_a_fork(source, folder, seconds=1000) == 0
    return folder


@pytest.mark.parametrize("paper", sorted(METHODS))
def test_every_method_trains_and_is_read_again(source, tmp_path, paper):
    assert train(source, tmp_path, paper, learning_rate=3e-3)
    written = {path.name for path in tmp_path.iterdir()}
    assert written >= {
        "weights.safetensors",
        "image_encoder.safetensors",
        "text_encoder",
        "method.yaml",
        "log.csv",
    }
    log = rows(tmp_path)
    assert [int(row["step"]) for row in log] == list(range(NUM_STEPS))
    assert [int(row["epoch"]) for row in log] == [step // 4 for step in range(NUM_STEPS)]
    terms = load_method(tmp_path).method.phases[-1].terms
    assert list(log[0])[2 : 3 + len(terms)] == [*terms, "total"]
    first, last = (sum(float(row["total"]) for row in part) for part in (log[:4], log[-4:]))
    assert last < first


def test_the_map_is_written_after_each_epoch(undisturbed):
    with (undisturbed / "maps.csv").open() as handle:
        first, *_, last = maps = list(csv.DictReader(handle))
    assert [(int(row["step"]), int(row["epoch"])) for row in maps] == [(3, 0), (7, 1), (11, 2)]
    weights_hw = load_method(undisturbed).method.position_weights()
    written = [float(last[f"position_weights/{y}/{x}"]) for y, x in np.ndindex(*weights_hw.shape)]
    assert written == pytest.approx(weights_hw.flatten().tolist(), abs=1e-6)
    assert first != last


def test_phases_follow_each_other(source, tmp_path):
    assert train(source, tmp_path, "mmclip", phase_steps=[5], num_epochs=2)
    log = rows(tmp_path)
    assert len(log) == 5 + 8
    first, second = load_method(tmp_path).method.phases
    assert "align" not in first.terms
    for step, row in enumerate(log):
        counted = (first if step < 5 else second).terms
        assert float(row["total"]) == pytest.approx(sum(float(row[term]) for term in counted), rel=1e-4)


def test_the_log_tells_how_long_a_step_waited_for_its_batch(source, tmp_path, monkeypatch):
    def slowly(*args):
        for stored in batches_from(*args):
            time.sleep(0.1)
            yield stored

    monkeypatch.setattr(loop, "batches_from", slowly)
    train(source, tmp_path)
    with (tmp_path / "log.csv").open() as handle:
        for row in csv.DictReader(handle):
            seconds = BATCH_SIZE / float(row["images_per_second"])
            assert 0.099 < float(row["data_wait"]) * seconds < seconds


def test_a_wrong_number_of_phase_lengths_is_said(source, tmp_path):
    with pytest.raises(InputError, match=r"phase_steps has 0 lengths, but mmclip has 2 phase"):
        train(source, tmp_path, "mmclip", phase_steps=[])


def test_films_alone_that_are_not_given_are_asked_for(source, tmp_path):
    with pytest.raises(InputError, match=r"pretrain\.image_datasets: the method needs .* stream images"):
        pretrain(PretrainStage.model_validate(stage("mmclip")), [source], 0, tmp_path, RuntimeConfig())


def test_seeds_differ(source, tmp_path, undisturbed):
    assert train_in_a_fork(source, tmp_path, seed=1) == 0
    assert weights(tmp_path) != weights(undisturbed)


@pytest.mark.parametrize(
    ("at_step", "number", "code"),
    [
        (0, signal.SIGKILL, -9),
        (5, signal.SIGKILL, -9),
        (11, signal.SIGKILL, -9),
        (0, signal.SIGTERM, 143),
        (6, signal.SIGTERM, 143),
        (7, signal.SIGUSR1, 138),
    ],
)
def test_killed_and_started_again_ends_with_the_same_bits(source, tmp_path, undisturbed, at_step, number, code):
    assert train_in_a_fork(source, tmp_path, at_step, number) == code
    assert not (tmp_path / "weights.safetensors").exists()
    assert train_in_a_fork(source, tmp_path, num_workers=1) == 0
    assert weights(tmp_path) == weights(undisturbed)
    assert rows(tmp_path) == rows(undisturbed)
    assert (tmp_path / "maps.csv").read_text() == (undisturbed / "maps.csv").read_text()


def test_a_signal_saves_whatever_the_interval(source, tmp_path, capfd):
    assert train_in_a_fork(source, tmp_path, 6, signal.SIGTERM, seconds=1000, num_workers=2) == 143
    assert [path.name[:14] for path in (tmp_path / "resume").glob("*.pt")] == ["step-000000007"]


def test_killed_twice_with_a_torn_checkpoint(source, tmp_path, undisturbed):
    assert train_in_a_fork(source, tmp_path, 4, signal.SIGKILL) == -9
    assert train_in_a_fork(source, tmp_path, 9, signal.SIGKILL, num_workers=2) == -9
    newest = max((tmp_path / "resume").glob("step-*.pt"))
    assert newest.name.startswith("step-000000009")
    newest.write_bytes(newest.read_bytes()[:-100])
    assert train_in_a_fork(source, tmp_path) == 0
    assert weights(tmp_path) == weights(undisturbed)
    assert rows(tmp_path) == rows(undisturbed)


def test_killed_while_exporting_trains_no_step_again(source, tmp_path, undisturbed, monkeypatch):
    monkeypatch.setattr(loop, "export_method", lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
    assert train_in_a_fork(source, tmp_path, seconds=1000) == -9
    monkeypatch.undo()
    assert train_in_a_fork(source, tmp_path, at_step=0, number=signal.SIGKILL) == 0
    assert weights(tmp_path) == weights(undisturbed)


def test_a_checkpoint_of_other_settings_is_not_used(source, tmp_path, undisturbed):
    assert train_in_a_fork(source, tmp_path, 8, signal.SIGKILL, learning_rate=5e-4) == -9
    assert train_in_a_fork(source, tmp_path) == 0
    assert weights(tmp_path) == weights(undisturbed)


def test_no_epochs_keep_the_initial_weights(source, tmp_path):
    assert train(source, tmp_path / "none", num_epochs=0)
    assert train(source, tmp_path / "none_again", num_epochs=0)
    assert train(source, tmp_path / "still", num_epochs=1, learning_rate=1e-30, weight_decay=0)
    initial = load_method(tmp_path / "none").method.state_dict()
    trained = load_method(tmp_path / "still").method.state_dict()
    assert all(torch.allclose(initial[name], trained[name], atol=1e-20) for name in initial)
    assert weights(tmp_path / "none") == weights(tmp_path / "none_again")
    assert rows(tmp_path / "none") == []


class Failing(Maco):
    """MaCo whose alignment is not a number from the fourth step on."""

    num_calls = 0

    def forward(self, *batches):
        losses = super().forward(*batches)
        type(self).num_calls += 1
        if type(self).num_calls < 4:
            return losses
        bad = losses.terms["align"] * float("nan")
        return Losses({**losses.terms, "align": bad}, losses.weights)


def test_a_loss_that_is_no_number_stops_before_the_update(source, tmp_path, monkeypatch):
    monkeypatch.setitem(METHODS, "maco", Failing)
    Failing.num_calls = 0
    with pytest.raises(InputError, match=r"before the update of step 3: align is nan, total is nan"):
        train(source, tmp_path)
    assert not (tmp_path / "weights.safetensors").exists()
    (newest,) = (tmp_path / "resume").glob("step-000000003-*.pt")
    state = torch.load(newest, weights_only=True)["method"]
    assert all(torch.isfinite(value).all() for value in state.values() if value.is_floating_point())
    assert json.loads((tmp_path / "resume" / "stopped.json").read_text())["reason"].startswith("training stopped")

    with pytest.raises(InputError, match=r"so the last attempt ended"):
        train(source, tmp_path)
    assert Failing.num_calls == 4

    monkeypatch.undo()
    with pytest.raises(InputError, match=r"so the last attempt ended"):
        train(source, tmp_path)
    assert train(source, tmp_path, learning_rate=2e-3)


def test_too_few_pairs_are_said(source, tmp_path):
    with pytest.raises(InputError, match=r"batch_size is 64, but there are only 18 pairs"):
        train(source, tmp_path, batch_size=64)


def test_films_of_another_size_are_said(source, tmp_path):
    settings = PretrainStage.model_validate(stage(side=64))
    with pytest.raises(InputError, match=r"films of 32 px, but image_encoder\.image_px is 64"):
        pretrain(settings, [source], 0, tmp_path, RuntimeConfig())


def test_mixed_precision_trains(source, tmp_path):
    settings = PretrainStage.model_validate(stage("mnm", num_epochs=1) | {"precision": "bf16-mixed"})
    assert pretrain(settings, [source], 0, tmp_path, RuntimeConfig(precision="bf16-mixed"))
    assert all(torch.isfinite(p).all() for p in load_method(tmp_path).method.parameters())
