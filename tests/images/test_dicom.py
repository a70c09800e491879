import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from maskray.images.decode import UnreadableImage, decode

pydicom = pytest.importorskip("pydicom")
from pydicom.dataset import Dataset, FileMetaDataset  # noqa: E402
from pydicom.encaps import encapsulate  # noqa: E402
from pydicom.uid import (  # noqa: E402
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
    generate_uid,
)

MAX_PIXELS = 10_000_000


@pytest.fixture
def twelve_bits():
    return (100 + 3 * np.add.outer(np.arange(48), np.arange(64))).astype(np.uint16)


def film(values, bits=12, interpretation="MONOCHROME2", **elements) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.Rows, dataset.Columns = values.shape[-2:]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = interpretation
    dataset.BitsAllocated = 8 * values.dtype.itemsize
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    dataset.PixelRepresentation = int(values.dtype.kind == "i")
    dataset.PixelData = values.tobytes()
    dataset["PixelData"].VR = "OW"
    for name, value in elements.items():
        setattr(dataset, name, value)
    return dataset


def decoded(folder, dataset):
    path = folder / "film.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return decode(path, MAX_PIXELS)


def own_range(values):
    return (values - values.min()) / (values.max() - values.min())


def test_more_than_8_bits_are_scaled_by_the_values_that_occur(tmp_path, twelve_bits):
    grey = decoded(tmp_path, film(twelve_bits))
    assert grey.dtype == np.float32
    np.testing.assert_allclose(grey, own_range(twelve_bits.astype(float)), atol=1e-6)


def test_8_bits_keep_the_full_range(tmp_path):
    values = np.add.outer(np.arange(40), np.arange(40)).astype(np.uint8)
    np.testing.assert_allclose(decoded(tmp_path, film(values, bits=8)), values / 255, atol=1e-6)


def test_signed_values_rise_from_negative_to_positive(tmp_path, twelve_bits):
    values = twelve_bits.astype(np.int16) - 300
    np.testing.assert_allclose(decoded(tmp_path, film(values)), own_range(twelve_bits.astype(float)), atol=1e-6)


@pytest.mark.parametrize("window", [{}, {"WindowCenter": 250, "WindowWidth": 200}])
def test_monochrome1_is_inverted(tmp_path, twelve_bits, window):
    bright = decoded(tmp_path, film(twelve_bits, **window))
    inverted = decoded(tmp_path, film(twelve_bits, interpretation="MONOCHROME1", **window))
    np.testing.assert_allclose(inverted, 1 - bright, atol=1e-6)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        # c = 250, w = 201: LINEAR is 0 up to 149.5, 1 above 349.5, and ((x - 249.5) / 200 + 0.5) between.
        (None, {149: 0.0, 150: 0.0025, 250: 0.5025, 349: 0.9975, 350: 1.0, 400: 1.0}),
        ("LINEAR_EXACT", {149: 0.0, 250: 0.5, 300: 0.5 + 50 / 201, 351: 1.0}),
        ("SIGMOID", {250: 0.5, 300: 1 / (1 + np.exp(-200 / 201))}),
    ],
)
def test_the_window_follows_the_standard(tmp_path, function, expected):
    values = np.tile(np.arange(500, dtype=np.uint16), (2, 1))
    elements = {"WindowCenter": [250, 10], "WindowWidth": [201, 10]}  # the first of two counts
    if function:
        elements["VOILUTFunction"] = function
    grey = decoded(tmp_path, film(values, **elements))
    for value, brightness in expected.items():
        assert grey[0, value] == pytest.approx(brightness, abs=1e-5)


def test_the_window_applies_after_slope_and_intercept(tmp_path, twelve_bits):
    grey = decoded(tmp_path, film(twelve_bits, WindowCenter=250, WindowWidth=201))
    shifted = film(twelve_bits, RescaleSlope=2, RescaleIntercept=-1000, WindowCenter=-500.5, WindowWidth=401)
    np.testing.assert_allclose(decoded(tmp_path, shifted), grey, atol=2e-3)


@pytest.mark.parametrize("window", [(50_000, 10), (250, 0), (250, -3), (None, None), (250, None)])
def test_a_useless_window_is_ignored(tmp_path, twelve_bits, window):
    grey = decoded(tmp_path, film(twelve_bits, WindowCenter=window[0], WindowWidth=window[1]))
    np.testing.assert_allclose(grey, own_range(twelve_bits.astype(float)), atol=1e-6)


@pytest.mark.parametrize("interpretation", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_pixels_are_black_and_do_not_spoil_the_range(tmp_path, twelve_bits, interpretation):
    padded = twelve_bits.copy()
    padded[:5] = 4095
    dataset = film(padded, interpretation=interpretation)
    dataset.add_new("PixelPaddingValue", "US", 4095)
    grey = decoded(tmp_path, dataset)
    assert not grey[:5].any()
    assert grey[5:].min() == 0
    assert grey[5:].max() == 1


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
def test_lossless_compression_changes_nothing(tmp_path, twelve_bits, syntax):
    plain = decoded(tmp_path, film(twelve_bits))
    dataset = film(twelve_bits)
    dataset.compress(syntax, generate_instance_uid=False)
    np.testing.assert_array_equal(decoded(tmp_path, dataset), plain)


@pytest.mark.parametrize("syntax", ["JPEGLosslessProcess14_1", "JPEGLSLossless"])
def test_lossless_jpeg_and_jpeg_ls_change_nothing(tmp_path, twelve_bits, syntax):
    gdcm = pytest.importorskip("gdcm")
    plain = decoded(tmp_path, film(twelve_bits))
    reader = gdcm.ImageReader()
    reader.SetFileName(str(tmp_path / "film.dcm"))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, syntax)))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(tmp_path / "compressed.dcm"))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    assert pydicom.dcmread(tmp_path / "compressed.dcm").file_meta.TransferSyntaxUID.is_compressed
    np.testing.assert_array_equal(decode(tmp_path / "compressed.dcm", MAX_PIXELS), plain)


def baseline_jpeg(values, kept_fraction=1.0):
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, format="JPEG", quality=95)
    dataset = film(values, bits=8)
    frame = buffer.getvalue()[: int(kept_fraction * len(buffer.getvalue()))]
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    return dataset


def test_baseline_jpeg_is_close(tmp_path):
    values = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)
    np.testing.assert_allclose(decoded(tmp_path, baseline_jpeg(values)), values / 255, atol=0.02)


def test_a_cut_jpeg_inside_a_whole_dicom_is_refused(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    with pytest.raises(UnreadableImage, match="cannot be decoded"):
        decoded(tmp_path, baseline_jpeg(noise, kept_fraction=0.5))


def test_odd_files_are_refused_with_the_reason(tmp_path, twelve_bits):
    without_pixels, without_rows = film(twelve_bits), film(twelve_bits)
    del without_pixels.PixelData
    del without_rows.Rows
    colour = film(twelve_bits, interpretation="RGB")
    frames = film(np.stack([twelve_bits, twelve_bits]), NumberOfFrames=2)
    cases = {
        "without pixel data": without_pixels,
        "without rows": without_rows,
        "multi-frame DICOM \\(2 frames\\)": frames,
        "neither MONOCHROME1 nor MONOCHROME2": colour,
        "60000 x 60000 pixels, more than max_pixels": film(twelve_bits, Rows=60_000, Columns=60_000),
        "same value": film(np.full((9, 9), 7, np.uint16)),
    }
    for reason, dataset in cases.items():
        with pytest.raises(UnreadableImage, match=reason):
            decoded(tmp_path, dataset)


@pytest.mark.parametrize("num_bytes_cut", [1, 100, 3000, 6000])
@pytest.mark.parametrize("is_compressed", [False, True])
def test_cut_files_are_refused(tmp_path, is_compressed, num_bytes_cut):
    dataset = film(np.random.default_rng(0).integers(0, 4095, (64, 64), np.uint16))
    if is_compressed:
        dataset.compress(JPEG2000Lossless, generate_instance_uid=False)
        num_bytes_cut += 8  # without the delimiter alone, the film is still whole
    decoded(tmp_path, dataset)
    path = tmp_path / "film.dcm"
    path.write_bytes(path.read_bytes()[:-num_bytes_cut])
    with pytest.raises(UnreadableImage):
        decode(path, MAX_PIXELS)


@pytest.mark.parametrize(
    ("written", "told"), [(b"2500.125", "DICOM whose"), (b"ISO_IR 100", "(48, 64)")], ids=["reason", "warning"]
)
def test_neither_reasons_nor_warnings_nor_the_log_quote_the_header(tmp_path, twelve_bits, written, told):
    elements = {"WindowCenter": "2500.125", "WindowWidth": "5001", "SpecificCharacterSet": "ISO_IR 100"}
    path = tmp_path / "film.dcm"
    film(twelve_bits, **elements).save_as(path, enforce_file_format=True)
    path.write_bytes(path.read_bytes().replace(written, b"Jane Doe".ljust(len(written))))
    code = (
        "import logging; logging.basicConfig(level=0)\n"
        "from maskray.images.decode import decode\n"
        f"try: print(decode({str(path)!r}, 10**6).shape)\n"
        "except Exception as error: print(error)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.startswith(told)
    assert "Jane" not in result.stdout + result.stderr


def test_the_samples_look_like_the_films_that_they_were_made_from(shared_data):
    origins = {
        "synthetic_monochrome1_explicit.dcm": "00006713_001.png",
        "synthetic_monochrome2_jpeg2000.dcm": "00001426_000.png",
    }
    for name, origin in origins.items():
        grey = decode(shared_data / "dicom" / name, MAX_PIXELS).reshape(256, 2, 256, 2).mean((1, 3))
        other = decode(shared_data / "nih" / "images" / origin, MAX_PIXELS)
        assert np.corrcoef(grey.ravel(), other.ravel())[0, 1] > 0.99
    assert decode(shared_data / "dicom" / "siim_sample.dcm", MAX_PIXELS).shape == (1024, 1024)
