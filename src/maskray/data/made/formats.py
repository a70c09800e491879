"""Writing pictures, tables and archives whose bytes depend on their contents alone: no clock, no machine."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pydicom.uid import UID

    from maskray.data.made.studies import Study

_UID_ROOT = "2.25."


def digest(study: Study, purpose: str) -> str:
    """32 hexadecimal digits that name one thing of one study."""
    name = f"{study.dataset}/{study.seed}/{study.number}/{purpose}"
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def unique_id(study: Study, purpose: str) -> UID:
    """A DICOM UID derived from the study (ISO/IEC 9834-8 root), never from the clock."""
    from pydicom.uid import UID

    return UID(_UID_ROOT + str(int(digest(study, purpose), 16)))


def hyphenated(digits: str, lengths: Sequence[int]) -> str:
    """The digits in groups, as identifiers are written."""
    ends = np.cumsum(lengths)
    return "-".join(digits[end - length : end] for end, length in zip(ends, lengths, strict=True))


def write_jpeg(path: Path, pixels: np.ndarray) -> None:
    """Grey JPEG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_jpeg(pixels))


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Grey PNG of 8 or 16 bits, as the pixels are uint8 or uint16."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, compress_level=3)


def _jpeg(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def write_dicom(path: Path, pixels: np.ndarray, study: Study, patient_id: str) -> None:
    """A secondary capture with a JPEG baseline film in it, as RSNA and SIIM distribute theirs."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID, JPEGBaseline8Bit, SecondaryCaptureImageStorage

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = unique_id(study, "image")
    meta.TransferSyntaxUID = JPEGBaseline8Bit
    meta.ImplementationClassUID = UID(_UID_ROOT + "1")
    record = FileDataset(path, {}, file_meta=meta, preamble=b"\0" * 128)
    record.SpecificCharacterSet = "ISO_IR 100"
    record.SOPClassUID, record.SOPInstanceUID = SecondaryCaptureImageStorage, unique_id(study, "image")
    record.StudyInstanceUID, record.SeriesInstanceUID = unique_id(study, "study"), unique_id(study, "series")
    record.StudyDate, record.StudyTime = "19010101", "000000.00"
    record.Modality, record.ConversionType, record.BodyPartExamined = "CR", "WSD", "CHEST"
    record.SeriesDescription, record.ViewPosition = f"view: {study.view}", study.view
    record.AccessionNumber = record.ReferringPhysicianName = record.PatientBirthDate = ""
    record.PatientName = record.PatientID = patient_id
    record.PatientSex, record.PatientAge = study.sex, str(study.age).zfill(3) + "Y"
    record.StudyID, record.SeriesNumber, record.InstanceNumber = "", "1", "1"
    record.SamplesPerPixel, record.PhotometricInterpretation = 1, "MONOCHROME2"
    record.Rows, record.Columns = pixels.shape
    record.PixelSpacing = [0.168 * 1024 / pixels.shape[0]] * 2
    record.BitsAllocated, record.BitsStored, record.HighBit, record.PixelRepresentation = 8, 8, 7, 0
    record.LossyImageCompression, record.LossyImageCompressionMethod = "01", "ISO_10918_1"
    record.PixelData = encapsulate([_jpeg(pixels)])
    record["PixelData"].is_undefined_length = True
    path.parent.mkdir(parents=True, exist_ok=True)
    record.save_as(path, enforce_file_format=True)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """CSV text with Unix line ends."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()


def write_gzip(path: Path, text: str) -> None:
    """A gzip file without a name or time in its header."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
        packed.write(text.encode())


def write_zip(path: Path, texts: Mapping[str, str]) -> None:
    """A zip file whose members all have the earliest date that zip knows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(texts):
            member = zipfile.ZipInfo(name)
            member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(member, texts[name])


def run_lengths(mask: np.ndarray) -> str:
    """SIIM's code of a bool mask [1024, 1024]: pairs (gap since the last run's end, length), down the columns."""
    flat = np.concatenate([[0], mask.T.ravel().astype(np.int8), [0]])
    edges = np.flatnonzero(np.diff(flat))
    starts, ends = edges[::2], edges[1::2]
    gaps = starts - np.concatenate([[0], ends[:-1]])
    return " ".join(f"{gap} {length}" for gap, length in zip(gaps, ends - starts, strict=True))
