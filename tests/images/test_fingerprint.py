"""Copies share the fingerprint, other films do not; on painted films and on the NIH sample."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from maskray.data.leakage.near import near_pairs
from maskray.data.leakage.pictures import correlation
from maskray.data.made.frontal import paint_frontal
from maskray.data.made.studies import draw_study
from maskray.images.fingerprint import fingerprint, shrink
from maskray.images.resize import resize_to_square

MAX_DISTANCE, MIN_CORRELATION = 24, 0.98


def jpeg(film, quality):
    buffer = io.BytesIO()
    Image.fromarray(film).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def scaled(film, factor):
    picture = Image.fromarray(film)
    return np.asarray(
        picture.resize((round(picture.width * factor), round(picture.height * factor)), Image.Resampling.LANCZOS)
    )


COPIES = {
    "jpeg 60": lambda film: jpeg(film, 60),
    "jpeg 75": lambda film: jpeg(film, 75),
    "jpeg 90": lambda film: jpeg(film, 90),
    "half size": lambda film: scaled(film, 0.5),
    "three quarters": lambda film: scaled(film, 0.75),
    "half size, jpeg 60": lambda film: jpeg(scaled(film, 0.5), 60),
    "dimmer": lambda film: (film * 0.85 + 12).astype(np.uint8),
    "gamma": lambda film: (255 * (film / 255.0) ** 0.8).round().astype(np.uint8),
    # 16 bits are read by their own range, 8 bits by the range of the format.
    "16 bits": lambda film: (film.astype(float) - film.min()) / np.ptp(film) * 255,
    "half a per cent cut off": lambda film: film[1:-1, 1:-1],
}


def stored(film, size_px=224):
    return resize_to_square(film.astype(np.float32) / np.float32(255), size_px)


def found(films, copies):
    """True for each film that the guard would call the same as its copy."""
    prints = [np.array([fingerprint(*one) for one in side]) for side in (films, copies)]
    small = [np.array([shrink(*one) for one in side]) for side in (films, copies)]
    distances = np.unpackbits(prints[0] ^ prints[1], axis=1).sum(axis=1)
    return (distances <= MAX_DISTANCE) & (correlation(*small) >= MIN_CORRELATION)


@pytest.mark.parametrize("name", COPIES)
def test_a_painted_film_and_its_copy_look_the_same(name):
    films = [paint_frontal(draw_study("nih", 0, number), 256).pixels for number in range(0, 12, 4)]
    assert found([stored(film) for film in films], [stored(COPIES[name](film)) for film in films]).all()


def test_padding_and_size_of_the_square_count_little():
    film = paint_frontal(draw_study("nih", 0, 3), 256).pixels[:, 40:216]
    small, large = fingerprint(*stored(film, 64)), fingerprint(*stored(film, 224))
    assert small.shape == (32,)
    assert small.dtype == np.uint8
    assert np.unpackbits(small ^ large).sum() <= 8
    image_SS, content = stored(film)
    image_SS = image_SS.copy()
    image_SS[:, : content[1]] = 200
    assert (fingerprint(image_SS, content) == large).all()


@pytest.fixture(scope="module")
def nih(shared_data):
    table = pd.read_csv(shared_data / "nih/Data_Entry_2017_v2020.csv", index_col=False)
    files = [shared_data / "nih/images" / name for name in table["Image Index"]]
    return [np.asarray(Image.open(file)) for file in files], table["Patient ID"].to_numpy()


def test_no_two_patients_of_the_nih_sample_look_the_same(nih):
    films = [stored(film) for film in nih[0]]
    prints = np.array([fingerprint(*film) for film in films])
    one, other, distances = near_pairs(prints, prints, 31)
    is_pair = one < other
    small = [np.array([shrink(*films[row]) for row in rows]) for rows in (one[is_pair], other[is_pair])]
    assert (distances[is_pair][correlation(*small) >= MIN_CORRELATION] <= MAX_DISTANCE).all()
    assert (nih[1][one[is_pair]] == nih[1][other[is_pair]]).all()


@pytest.mark.parametrize(("name", "recall"), [*((name, 1.0) for name in list(COPIES)[:-1]), (list(COPIES)[-1], 0.98)])
def test_copies_of_nih_films_are_found(nih, name, recall):
    films = nih[0][::12]
    assert found([stored(film) for film in films], [stored(COPIES[name](film)) for film in films]).mean() >= recall
