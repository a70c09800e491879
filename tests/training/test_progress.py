"""Log and lines."""

import logging

import pytest
import torch

from maskray.training import progress
from maskray.training.progress import Progress, Records, TrainingLog, note_of


def row(step, **terms):
    return {
        "step": step,
        "epoch": 0,
        **(terms or {"itc": 0.5 / (step + 1)}),
        "total": 1.0,
        "learning_rate": 0.1,
        "gradient_norm": 2.0,
        "images_per_second": 3.5,
        "data_wait": 0.25,
    }


def write(path, first, last, **terms):
    log = TrainingLog(path, first)
    for step in range(first, last):
        log.append(row(step, **terms))
    log.close()


def test_columns_are_the_loss_terms(tmp_path):
    write(tmp_path / "log.csv", 0, 2, itc=0.1, itm=0.25)
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert lines[0] == "step,epoch,itc,itm,total,learning_rate,gradient_norm,images_per_second,data_wait"
    assert lines[1:] == ["0,0,0.1,0.25,1.0,0.1,2.0,3.5,0.25", "1,0,0.1,0.25,1.0,0.1,2.0,3.5,0.25"]


def test_resuming_cuts_back_to_the_checkpoint(tmp_path):
    whole, resumed = tmp_path / "whole.csv", tmp_path / "resumed.csv"
    write(whole, 0, 30)
    write(resumed, 0, 25)
    with resumed.open("a") as handle:
        handle.write("2")  # what is left of a line that was being written
    write(resumed, 12, 30)
    assert resumed.read_text() == whole.read_text()


def test_starting_afresh_forgets_other_columns(tmp_path):
    write(tmp_path / "log.csv", 0, 5, old=1.0)
    write(tmp_path / "log.csv", 0, 1, new=2.0)
    assert (tmp_path / "log.csv").read_text().count("\n") == 2
    assert "old" not in (tmp_path / "log.csv").read_text()


def test_no_steps_leave_a_header(tmp_path):
    write(tmp_path / "log.csv", 0, 0)
    assert (tmp_path / "log.csv").read_text().startswith("step,epoch,total,")


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: False, raising=False)
    return now


def said(caplog):
    return [record.getMessage() for record in caplog.records]


def test_a_line_at_once_and_then_one_a_minute_where_there_is_no_terminal(clock, caplog):
    with caplog.at_level(logging.INFO), Progress("images", 100) as bar:
        for _ in range(13):
            bar.advance(5, "loss 0.5")
            clock[0] += 10
    assert said(caplog) == [
        "images 5 of 100, 0 min left: loss 0.5",
        "images 35 of 100, 2 min left: loss 0.5",
        "images 65 of 100, 1 min left: loss 0.5",
    ]


def test_what_was_done_before_says_nothing_of_the_time_that_is_left(clock, caplog):
    with caplog.at_level(logging.INFO), Progress("step", 300, 180) as bar:
        for step in range(180, 300):
            clock[0] += 1
            bar.advance(note=note_of(row(step)))
    assert said(caplog) == [
        "step 181 of 300, 2 min left: itc 0.002762, total 1, 3.5 images/s, 25% waiting for data",
        "step 241 of 300, 1 min left: itc 0.002075, total 1, 3.5 images/s, 25% waiting for data",
    ]


def test_a_bar_on_a_terminal(monkeypatch, caplog, capsys):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    with Progress("images", 2) as bar:
        bar.advance(2)
    assert "images" in capsys.readouterr().err
    assert not caplog.records


def test_maps_are_rows_of_patches_and_resume_like_the_log(tmp_path):
    weights = {"weights": torch.tensor([[0.0, 1.0], [2.0, -3.5]])}
    for first, last in ((0, 3), (1, 2)):
        records = Records(tmp_path, 3, first)
        for step in range(first, last):
            records.append(row(step), weights)
        records.close()
    assert (tmp_path / "maps.csv").read_text().splitlines() == [
        "step,epoch,weights/0/0,weights/0/1,weights/1/0,weights/1/1",
        "0,0,0.0,1.0,2.0,-3.5",
        "1,0,0.0,1.0,2.0,-3.5",
    ]
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 3


def test_maps_of_a_method_without_any_are_a_header(tmp_path):
    records = Records(tmp_path, 2, 0)
    records.append(row(0), {})
    records.close()
    assert (tmp_path / "maps.csv").read_text() == "step,epoch\n"
