import contextlib
import io
import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from maskray.images.decode import UnreadableImage, decode, read_film

MAX_PIXELS = 10_000_000


@pytest.fixture
def gradient():
    return np.add.outer(np.arange(60), np.arange(80)).astype(np.uint8)


def saved(folder: Path, image: Image.Image, name="film", kind="PNG", **options) -> Path:
    path = folder / name
    image.save(path, format=kind, **options)
    return path


def png_bytes(width: int, height: int, depth: int, colour: int, pixels: bytes) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


def test_8_bit_grey_keeps_its_full_range(tmp_path, gradient):
    decoded = decode(saved(tmp_path, Image.fromarray(gradient)), MAX_PIXELS)
    assert decoded.dtype == np.float32
    np.testing.assert_allclose(decoded, gradient / 255, atol=1e-6)


def test_jpeg_is_close_to_what_was_written(tmp_path, gradient):
    decoded = decode(saved(tmp_path, Image.fromarray(gradient), kind="JPEG", quality=95), MAX_PIXELS)
    np.testing.assert_allclose(decoded, gradient / 255, atol=0.02)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P"])
def test_grey_stored_as_colour_or_with_transparency_or_palette_is_the_same_film(tmp_path, gradient, mode):
    path = saved(tmp_path, Image.fromarray(gradient).convert(mode))
    np.testing.assert_allclose(decode(path, MAX_PIXELS), gradient / 255, atol=1.5 / 255)


def test_one_bit_png_is_black_and_white(tmp_path, gradient):
    decoded = decode(saved(tmp_path, Image.fromarray(gradient > 60)), MAX_PIXELS)
    np.testing.assert_array_equal(decoded, (gradient > 60).astype(np.float32))


def test_colour_becomes_luminance(tmp_path):
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    decoded = decode(saved(tmp_path, Image.fromarray(colours)), MAX_PIXELS)
    np.testing.assert_allclose(decoded[0], [0.299, 0.587, 0.114], atol=0.003)


def test_16_bit_png_is_scaled_by_its_own_range(tmp_path):
    values = (1000 + np.arange(600).reshape(20, 30)).astype(np.uint16)
    decoded = decode(saved(tmp_path, Image.fromarray(values)), MAX_PIXELS)
    np.testing.assert_allclose(decoded, np.arange(600).reshape(20, 30) / 599, atol=1e-6)


def test_16_bit_colour_png_is_refused_not_cut(tmp_path):
    path = tmp_path / "film.png"
    path.write_bytes(png_bytes(2, 1, 16, 2, b"\x00" + bytes(range(12))))
    with pytest.raises(UnreadableImage, match="16-bit colour"):
        decode(path, MAX_PIXELS)


def test_the_content_decides_the_format_not_the_name(tmp_path, gradient):
    path = saved(tmp_path, Image.fromarray(gradient), name="film.jpg", kind="PNG")
    np.testing.assert_allclose(decode(path, MAX_PIXELS), gradient / 255, atol=1e-6)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("kept_fraction", [0.2, 0.6, 0.95])
@pytest.mark.parametrize("is_tolerated_elsewhere", [False, True])
def test_cut_files_are_refused(tmp_path, monkeypatch, kind, kept_fraction, is_tolerated_elsewhere):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", is_tolerated_elsewhere)
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 90), np.uint8))
    path = saved(tmp_path, noise, kind=kind)
    path.write_bytes(path.read_bytes()[: int(kept_fraction * path.stat().st_size)])
    for enough_px in (None, 20):
        with pytest.raises(UnreadableImage, match=r"damaged|truncated"):
            read_film(path, MAX_PIXELS, enough_px)


def test_empty_missing_folder_text_and_constant_files_are_refused_with_the_reason(tmp_path):
    empty, text = tmp_path / "empty.png", tmp_path / "text.png"
    empty.touch()
    text.write_text("not a picture, only named like one")
    black = saved(tmp_path, Image.new("L", (8, 8)), name="black.png")
    reasons = {
        empty: "0 bytes",
        tmp_path / "missing.png": "no such file",
        tmp_path: "cannot be opened",
        text: "neither JPEG nor PNG nor DICOM",
        black: "same value",
    }
    for path, reason in reasons.items():
        with pytest.raises(UnreadableImage, match=reason):
            decode(path, MAX_PIXELS)


@pytest.mark.parametrize("body", [b"", b"\x00" * 20, b"IHDR" * 9])
@pytest.mark.parametrize("signature", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"\x00" * 128 + b"DICM"])
def test_a_signature_with_rubbish_behind_it_is_refused(tmp_path, signature, body):
    path = tmp_path / "film"
    path.write_bytes(signature + body)
    with pytest.raises(UnreadableImage):
        decode(path, MAX_PIXELS)


def test_the_header_is_checked_before_decoding(tmp_path):
    path = tmp_path / "film.png"
    path.write_bytes(png_bytes(60_000, 60_000, 8, 0, b"\x00"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UnreadableImage, match="60000 x 60000 pixels, more than max_pixels"):
            decode(path, MAX_PIXELS)


def test_pillows_own_limit_neither_warns_nor_refuses(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    path = saved(tmp_path, Image.fromarray(np.eye(40, dtype=np.uint8) * 255))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decode(path, 1600).shape == (40, 40)
    with pytest.raises(UnreadableImage, match="max_pixels"):
        decode(path, 1599)


def test_a_jpeg_may_be_decoded_smaller_but_tells_its_full_size(tmp_path):
    rows = np.sin(np.arange(800) / 60)[:, None] * np.cos(np.arange(600) / 80)[None]
    path = saved(tmp_path, Image.fromarray((127 + 120 * rows).astype(np.uint8)), kind="JPEG")
    whole, reduced = read_film(path, MAX_PIXELS), read_film(path, MAX_PIXELS, 200)
    assert whole.pixels_HW.shape == (800, 600)
    assert reduced.pixels_HW.shape == (200, 150)
    assert (reduced.height, reduced.width) == (800, 600)
    np.testing.assert_allclose(reduced.pixels_HW, whole.pixels_HW.reshape(200, 4, 150, 4).mean((1, 3)), atol=0.02)


def test_pictures_need_no_pydicom(tmp_path, gradient):
    path = saved(tmp_path, Image.fromarray(gradient))
    code = (
        "import sys; from maskray.images.decode import decode; "
        f"decode({str(path)!r}, 10**6); sys.exit('pydicom' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_damaged_bytes_never_raise_anything_else(tmp_path, gradient):
    rng = np.random.default_rng(1)
    path = tmp_path / "film"
    for kind in ("PNG", "JPEG"):
        buffer = io.BytesIO()
        Image.fromarray(gradient).save(buffer, format=kind)
        for _ in range(60):
            damaged = bytearray(buffer.getvalue())
            for place in rng.integers(0, len(damaged), 3):
                damaged[place] = rng.integers(256)
            path.write_bytes(damaged)
            with contextlib.suppress(UnreadableImage):
                decoded = decode(path, 100_000)
                assert 0 <= decoded.min() < decoded.max() <= 1


def test_the_damaged_samples_are_refused(shared_data):
    names = "truncated.jpeg truncated.png empty.png text_renamed.png huge_dimensions.png no_pixeldata.dcm"
    for name in names.split():
        with pytest.raises(UnreadableImage):
            decode(shared_data / "broken" / name, 100_000_000)


def test_pngs_named_jpg_among_the_samples_are_read(shared_data):
    paths = [
        path
        for path in sorted((shared_data / "covid-chestxray" / "images").glob("*.jp*g"))
        if path.read_bytes()[:4] == b"\x89PNG"
    ]
    assert paths
    for path in paths:
        assert decode(path, MAX_PIXELS).std() > 0.05
