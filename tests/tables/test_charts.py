"""Tables drawn as charts."""

import numpy as np
import pytest
from PIL import Image

from maskray.tables import charts
from maskray.tables.charts import draw_chart
from tests.tables.conftest import TABLE

BLUE = (31, 95, 174)


@pytest.fixture
def panels(monkeypatch):
    """A function that draws a layout and gives the axes that show something."""
    kept = []
    monkeypatch.setattr(charts, "save", lambda figure, path: kept.append(figure))

    def draw(layout):
        draw_chart(layout, "a.svg", "a.png")
        return [panel for panel in kept[0].axes if panel.axison]

    return draw


def test_fractions_are_a_line_and_a_single_condition_is_a_place_for_each_row(make_layout, panels):
    lines, *rest = panels(make_layout())
    assert lines.get_title(loc="left") == "RSNA, AUC"
    assert [tick.get_text() for tick in lines.get_xticklabels()] == ["1%", "10%"]
    (legend,) = lines.figure.legends  # one for all panels
    assert any(text.get_text().endswith(", printed") for text in legend.get_texts())
    assert [panel.get_title(loc="left") for panel in rest] == ["NIH, AUC", "NIH, AUC"]
    assert [tick.get_text() for tick in rest[0].get_xticklabels()] == [row["name"] for row in TABLE["rows"]]
    assert {line.get_linestyle() for panel in rest for line in panel.lines} == {"None"}  # rows have no order
    assert "-" in {line.get_linestyle() for line in lines.lines}


def test_what_was_not_run_is_not_drawn(make_layout, panels):
    drawn = panels(make_layout())
    # RSNA at 1 % and NIH at 1 % have a number; RSNA at 10 % and the prompts of NIH have none.
    ours = [line for panel in drawn for line in panel.lines if line.get_label() in ("maskray", "M&M")]
    assert [len(line.get_xdata()) for line in ours] == [1, 1, 0]


def test_the_same_table_is_the_same_picture(make_layout, tmp_path):
    for name in "ab":
        draw_chart(make_layout(), tmp_path / f"{name}.svg", tmp_path / f"{name}.png")
    for form in ("svg", "png"):
        assert (tmp_path / f"a.{form}").read_bytes() == (tmp_path / f"b.{form}").read_bytes()
    picture = np.asarray(Image.open(tmp_path / "a.png").convert("RGB")).astype(int)
    assert (np.abs(picture - np.array(BLUE)).sum(axis=2) < 12).any()
