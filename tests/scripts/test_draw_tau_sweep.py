"""scripts/draw_tau_sweep.py."""

import pytest

from maskray.errors import InputError
from maskray.files import write_json
from scripts import draw_tau_sweep
from tests.scripts.programs import run_program


@pytest.fixture
def flags(tmp_path):
    (tmp_path / "maco.csv").write_text("table,row,column,value\nfig5,MaCo,ms-cxr|miou|tau=0.1,0.267\n")
    rows = [
        {"metric": metric, "label": f"macro/tau={tau}", "value": 0.2, "low": 0.1, "high": 0.3}
        for metric in ("miou", "cnr")
        for tau in (0.1, 1)
    ]
    write_json(tmp_path / "metrics.json", {"rows": rows})
    files = {"metrics": "metrics.json", "published": "maco.csv", "figure": "out/figure.svg", "png": "out/figure.png"}
    paths = [part for name, file in files.items() for part in (f"--{name}", str(tmp_path / file))]
    return [*paths, "--heading", "MS-CXR", "--title", "maco: MADE DATA"]


def test_help_answers():
    result = run_program("draw_tau_sweep", "--help")
    assert result.returncode == 0
    assert "temperature of position weights" in result.stdout


def test_both_forms_are_drawn(flags, tmp_path):
    draw_tau_sweep.main(flags)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["figure.png", "figure.svg"]


def test_metrics_that_are_not_there_are_named(flags, tmp_path):
    (tmp_path / "metrics.json").unlink()
    with pytest.raises(InputError, match=r"metrics\.json: no such file"):
        draw_tau_sweep.main(flags)
    assert not (tmp_path / "out").exists()
