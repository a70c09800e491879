import re

import numpy as np
import pytest
from PIL import Image

from maskray.errors import InputError
from maskray.tables.figures import Example, ShownMask, draw_gallery, draw_learning_curves

LOG = "step,epoch,mlm,total,learning_rate,images_per_second\n" + "".join(
    f"{step},{step // 40},{2 / (step + 1)},{3 / (step + 1)},{0.001},{50}\n" for step in range(120)
)


def draw(folder, text, name="a"):
    folder.joinpath("log.csv").write_text(text)
    paths = folder / f"{name}.svg", folder / f"{name}.png"
    draw_learning_curves(folder / "log.csv", "mnm, default, seed 0: MADE DATA", *paths)
    return paths


def test_curves_are_the_same_bytes_twice(tmp_path):
    one, two = draw(tmp_path, LOG, "a"), draw(tmp_path, LOG, "b")
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    assert not re.search(r"<dc:date>|Matplotlib v", one[0].read_text())


def test_curves_change_with_the_log(tmp_path):
    one, two = draw(tmp_path, LOG, "a"), draw(tmp_path, LOG.replace("0.001", "0.002"), "b")
    assert one[0].read_bytes() != two[0].read_bytes()


@pytest.mark.parametrize("num_steps", [0, 1, 3])
def test_short_runs_are_drawn(tmp_path, num_steps):
    _, png = draw(tmp_path, "".join(LOG.splitlines(keepends=True)[: num_steps + 1]))
    assert Image.open(png).size[0] > 500


@pytest.mark.parametrize(
    ("text", "told"), [("a,b\n1,2\n", "no column step"), ("step,total\n1,x\n", "total"), ("", "not a training log")]
)
def test_a_bad_log_is_named_and_leaves_no_picture(tmp_path, text, told):
    with pytest.raises(InputError, match=told):
        draw(tmp_path, text)
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]


@pytest.fixture
def example():
    film = np.linspace(0, 1, 64 * 64).reshape(64, 64)
    hidden = np.zeros((8, 8), bool)
    hidden[2, 5] = True
    return Example("film-1: Edema", film, film[::-1], [ShownMask("ridges", hidden, None, film * 2)])


def test_gallery_is_the_same_bytes_twice(tmp_path, example):
    for name in ("a.png", "b.png"):
        draw_gallery([example, example], "mnm", "MADE DATA", tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_gallery_shows_the_hidden_patch_in_red_where_it_is(tmp_path, example):
    draw_gallery([example], "mnm", "MADE DATA", tmp_path / "a.png")
    pixels = np.asarray(Image.open(tmp_path / "a.png").convert("RGB")).astype(int)
    # The third quarter holds the overlay; on a grey film only hidden patches are redder than blue and green.
    third = pixels[:, pixels.shape[1] // 2 : 3 * pixels.shape[1] // 4]
    is_red = (third[..., 0] - third[..., 1] > 40) & (third[..., 0] - third[..., 2] > 25)
    rows, columns = np.nonzero(is_red)
    side = third.shape[1] / 8
    assert is_red.sum() == pytest.approx(side * side, rel=0.15)
    assert columns.mean() / third.shape[1] == pytest.approx(5.5 / 8, abs=0.05)
    assert np.ptp(rows) == pytest.approx(side, rel=0.15)
