"""Pictures of phrase grounding."""

import numpy as np
import pytest
from PIL import Image

from maskray.errors import InputError
from maskray.files import write_json
from maskray.tables.grounding import ShownPhrase, draw_grounding, draw_tau_sweep

PRINTED = """table,row,column,value
fig5,MaCo,ms-cxr|miou|tau=0.1,0.267
fig5,BioViL,ms-cxr|cnr|any tau,0.1027
fig5,Other,rsna|miou|tau=0.1,9.0
table4,BioViL,ms-cxr|miou|zero-shot,0.266
table4,BioViL,ms-cxr|cnr|zero-shot,1.027
table4,MaCo,ms-cxr|miou|zero-shot,0.267
table4,Other,rsna|miou|zero-shot,9.0
"""


def phrase(seed, text="mild edema of both lungs"):
    rng = np.random.default_rng(seed)
    return ShownPhrase(text, "Edema", rng.random((32, 32)), rng.random((32, 32)), [(2, 3, 20, 12), (2, 18, 20, 28)])


def row(metric, label, value):
    return {
        "metric": metric,
        "label": label,
        "value": value,
        "low": value and value - 0.1,
        "high": value and value + 0.1,
    }


@pytest.fixture
def files(tmp_path):
    (tmp_path / "maco.csv").write_text(PRINTED)
    taus = {"0.03": 0.2, "1": 0.15, "0.1": 0.25}
    rows = [row(metric, f"macro/tau={tau}", value) for metric in ("miou", "cnr") for tau, value in taus.items()]
    write_json(
        tmp_path / "metrics.json", {"rows": [*rows, row("miou", "all/tau=0.1", 0.9), row("miou", "macro", 0.25)]}
    )
    return tmp_path / "metrics.json", tmp_path / "maco.csv"


def drawn_red(path):
    """Pixels in the colour of the boxes."""
    picture = np.asarray(Image.open(path).convert("RGB")).astype(int)
    return int((np.abs(picture - np.array([209, 73, 91])).sum(axis=2) < 12).sum())


@pytest.mark.parametrize("num", [1, 4])
def test_phrases_with_their_boxes_are_drawn_the_same_each_time(tmp_path, num):
    for name in ("first", "second"):
        draw_grounding([phrase(seed) for seed in range(num)], "maco", "MADE DATA", tmp_path / f"{name}.png")
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()
    draw_grounding(
        [ShownPhrase(p.text, p.label, p.film_SS, p.heat_SS, []) for p in map(phrase, range(num))],
        "maco", "MADE DATA", tmp_path / "bare.png",
    )  # fmt: skip
    assert drawn_red(tmp_path / "first.png") > drawn_red(tmp_path / "bare.png") + 200 * num


def test_the_sweep_is_drawn_the_same_each_time(files, tmp_path):
    for name in ("first", "second"):
        draw_tau_sweep(*files, "MS-CXR", "maco: MADE DATA", tmp_path / f"{name}.svg", tmp_path / f"{name}.png")
    for ending in ("svg", "png"):
        assert (tmp_path / f"first.{ending}").read_bytes() == (tmp_path / f"second.{ending}").read_bytes()


def test_the_sweep_shows_means_over_labels_and_printed_points(files, tmp_path, monkeypatch):
    kept = []
    monkeypatch.setattr("maskray.tables.grounding.save", lambda figure, path: kept.append(figure))
    draw_tau_sweep(*files, "MS-CXR", "maco", tmp_path / "a.svg", tmp_path / "a.png")
    miou, cnr = kept[0].axes
    lines = {line.get_label(): line.get_xydata().tolist() for line in miou.lines}
    assert lines["maskray"] == [[0.03, 0.2], [0.1, 0.25], [1, 0.15]]
    assert lines["MaCo, printed"] == [[0.1, 0.267]]
    assert lines["BioViL, printed"][0][1] == 0.266
    assert len(lines) == 3
    assert {line.get_label(): line.get_ydata()[0] for line in cnr.lines} == {"maskray": 0.2, "BioViL, printed": 1.027}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"rows": [row("miou", "macro", 0.2)]}, "set grounding.taus"),
        ([], "not a metrics file"),
        ({}, "not a metrics file"),
    ],
)
def test_metrics_without_a_sweep_are_named(files, tmp_path, content, message):
    write_json(files[0], content)
    with pytest.raises(InputError, match=message):
        draw_tau_sweep(*files, "MS-CXR", "maco", tmp_path / "a.svg", tmp_path / "a.png")
    assert not (tmp_path / "a.svg").exists()
