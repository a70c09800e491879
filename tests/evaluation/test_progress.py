"""Progress lines."""

import logging

import pytest

from maskray.evaluation import progress
from maskray.evaluation.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_line_a_minute_in_a_log(clock, caplog, monkeypatch):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: False, raising=False)
    caplog.set_level(logging.INFO)
    with Progress("images", 100) as bar:
        for second in range(0, 130, 10):
            clock[0] = float(second)
            bar.advance(5, "loss 0.5")
    assert [record.getMessage() for record in caplog.records] == [
        "images: 35 of 100, 2 min left loss 0.5",
        "images: 65 of 100, 1 min left loss 0.5",
    ]


def test_a_bar_on_a_terminal(monkeypatch, caplog, capsys):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    with Progress("images", 2) as bar:
        bar.advance(2)
    assert "images" in capsys.readouterr().err
    assert not caplog.records
