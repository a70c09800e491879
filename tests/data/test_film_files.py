import logging
import os

import numpy as np
import pytest
from PIL import Image

from maskray.data.film_files import check_films

GREYS = np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8)


def check(folder, films, masks=(), **changes):
    settings = {"decode": "all", "seed": 0, "max_pixels": 10_000, "threads": 2}
    return check_films(folder, films, masks, **settings | changes)


@pytest.fixture
def folder(tmp_path):
    """Good films a to h, and one of each kind of bad ones."""
    for name in "abcdefgh":
        Image.fromarray(GREYS).save(tmp_path / f"{name}.png")
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("not a film")
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:700])
    os.rename(tmp_path / "h.png", tmp_path / "h.JPG")
    (tmp_path / "notes.txt").touch()
    return tmp_path


def test_each_bad_file_is_named_with_its_reason(folder):
    films = check(folder, ["a.png", "empty.png", "text.png", "cut.png", "h.JPG", "gone.png"])
    assert dict(films.unreadable) == {
        "empty.png": "the file is empty (0 bytes)",
        "text.png": "neither JPEG nor PNG nor DICOM",
        "gone.png": "no such file",
    }
    assert films.misnamed == (("h.JPG", "PNG"),)
    assert [path for path, _ in films.damaged] == ["cut.png"]
    assert "damaged PNG" in films.damaged[0][1]
    assert (films.num_files, films.num_decoded) == (6, 3)
    assert films.num_bytes == sum((folder / n).stat().st_size for n in ("a.png", "text.png", "cut.png", "h.JPG"))


def test_film_files_beside_the_listed_ones_are_named(folder):
    films = check(folder, ["a.png", "h.JPG"], ["b.png"])
    assert films.unused == ("c.png", "cut.png", "d.png", "e.png", "empty.png", "f.png", "g.png", "text.png")


def test_masks_are_looked_at_and_not_decoded(folder):
    Image.new("L", (8, 8)).save(folder / "mask.png")  # nothing marked: one grey value, which no film may have
    films = check(folder, ["a.png"], ["mask.png", "empty.png"])
    assert [path for path, _ in films.unreadable] == ["empty.png"]
    assert (films.num_files, films.num_decoded, films.damaged) == (3, 1, ())


def test_the_same_seed_draws_the_same_films_in_any_order(folder, monkeypatch):
    def drawn(names, seed):
        seen = set()
        monkeypatch.setattr("maskray.data.film_files.read_film", lambda path, _: seen.add(path.name))
        assert check(folder, names, decode=3, seed=seed).num_decoded == 3
        return seen

    names = [f"{name}.png" for name in "abcdefg"]
    assert drawn(names, 0) == drawn(names[::-1], 0)
    assert len({frozenset(drawn(names, seed)) for seed in range(5)}) > 1
    assert check(folder, names, decode=0).num_decoded == 0
    assert check(folder, names, decode=99).num_decoded == 7


def test_a_film_that_declares_too_many_pixels_is_damaged(folder):
    assert "more than max_pixels" in check(folder, ["a.png"], max_pixels=1023).damaged[0][1]


def test_long_work_says_how_far_it_is(folder, caplog):
    for number in range(1000):
        os.link(folder / "a.png", folder / f"{number}.png")
    with caplog.at_level(logging.INFO):
        films = check(folder, [f"{number}.png" for number in range(1000)], decode=0)
    assert films.num_files == 1000
    assert caplog.messages[-1] == "1000 of 1000 headers read"
    assert 5 <= len(caplog.messages) <= 10
