"""Open-i, the chest X-ray collection of Indiana University: open films with dictated reports.

7,470 PNG images of 3,955 reports, frontal and lateral. Labels from the owners' MeSH coding of the reports
(:mod:`maskray.data.mesh_codes`); 1 or 0, NaN where a report was not coded. No official parts; patients are not
published: each report counts as one. CC BY-NC-ND 4.0. Known noise: XXXX stands for words taken out; some reports have
no image; the XML files seldom say the view. Demner-Fushman et al., JAMIA 2016, doi:10.1093/jamia/ocv080.

Two forms are read, with the same names of reports and images: ``ecgen-radiology/<n>.xml`` as the owners publish it, and
the two tables that circulate on Kaggle, ``indiana_reports.csv`` and ``indiana_projections.csv``, which state the view.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

import pandas as pd
from defusedxml import DTDForbidden
from defusedxml.ElementTree import fromstring

from maskray.config.dataset import DatasetConfig
from maskray.data.index import build_index, wanted_labels
from maskray.data.mesh_codes import LABELS, labels_of
from maskray.data.site import LISTING_THREADS, Site, files_by_name, left_out, report_unlisted, require, site_folder
from maskray.data.tables import read_table
from maskray.errors import InputError

XML_FOLDER = "ecgen-radiology"
TABLES = ("indiana_reports.csv", "indiana_projections.csv")
SECTIONS = ("COMPARISON", "INDICATION", "FINDINGS", "IMPRESSION")
PROJECTIONS = {"Frontal": "FRONTAL", "Lateral": "LATERAL"}
CAPTION_VIEWS = {"pa": "PA", "ap": "AP", "frontal": "FRONTAL"}
OTHER_VIEWS = {"and", "2", "2v", "two", "views", "lateral", "lat", "oblique", "decubitus", "lordotic"}
MAX_XML_BYTES = 1_000_000  # The longest real file has 9,000.
MAX_DAMAGED = 5

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Report:
    """One report: its MeSH codes, the text of its sections, and (image, view) of its films."""

    study_id: str
    codes: tuple[str, ...]
    sections: dict[str, str]
    films: tuple[tuple[str, str], ...]


def read_index(site: Site, dataset: DatasetConfig) -> pd.DataFrame:
    """One row per image of a report that has a file; the others are logged and left out."""
    folder = site_folder(site, dataset)
    labels = wanted_labels(dataset, LABELS)
    source, reports = _reports(folder, dataset)
    codes = {report.study_id: labels_of(report.codes) for report in reports}
    films = [(image, report.study_id, view) for report in reports for image, view in report.films]
    rows = pd.DataFrame(films, columns=["image_id", "study_id", "view"])
    rows["patient_id"] = rows["study_id"]
    files = {_image_id(name): path for name, path in files_by_name(folder, [".png"], [folder]).items()}
    rows["path"] = rows["image_id"].map(files)
    report_unlisted(files, rows["image_id"], source, dataset)
    rows = left_out(rows, rows["path"].notna(), folder, dataset)
    of_images = pd.DataFrame([codes[study] for study in rows["study_id"]], index=rows.index, columns=labels)
    return build_index(rows, of_images, dataset)


def read_reports(site: Site, dataset: DatasetConfig) -> Iterator[tuple[str, str]]:
    """Yield (report, text) in the order of their names; a heading and a line for each section that has text."""
    _, reports = _reports(site_folder(site, dataset), dataset)
    for report in reports:
        lines = [f"{name}: {report.sections[name]}" for name in SECTIONS if report.sections[name]]
        if lines:
            yield report.study_id, "\n".join(lines) + "\n"


def _reports(folder: Path, dataset: DatasetConfig) -> tuple[Path, list[Report]]:
    """Where the reports stand, and all of them, sorted by name."""
    source = require(folder, [XML_FOLDER, TABLES[0]], "Open-i's reports (or indiana_reports.csv of Kaggle)", dataset)
    reports = _from_xml(source, dataset) if source.is_dir() else _from_tables(source, dataset)
    return source, sorted(reports, key=lambda report: report.study_id)


def _from_xml(folder: Path, dataset: DatasetConfig) -> list[Report]:
    paths = sorted(folder.glob("*.xml"))
    if not paths:
        raise InputError(f"{folder}: no XML file inside. {dataset.title}: {dataset.access}")
    with ThreadPoolExecutor(LISTING_THREADS) as pool:
        results = list(pool.map(_read_xml, paths))
    damaged = [(path, result) for path, result in zip(paths, results, strict=True) if isinstance(result, str)]
    for path, problem in damaged[: MAX_DAMAGED + 1]:
        log.warning("%s: %s: damaged (%s) and left out; fetch it again", dataset.name, path, problem)
    if len(damaged) > MAX_DAMAGED or len(damaged) == len(paths):
        raise InputError(f"{folder}: {len(damaged)} of {len(paths)} files are damaged, e.g. {damaged[0][0].name}")
    reports = {path: result for path, result in zip(paths, results, strict=True) if isinstance(result, Report)}
    first: dict[str, Path] = {}
    for path, report in reports.items():
        if first.setdefault(report.study_id, path) != path:
            raise InputError(f"{path}: report {report.study_id} stands in {first[report.study_id].name} too")
    return list(reports.values())


def _read_xml(path: Path) -> Report | str:
    """The report of one file, or what is wrong with it in words that quote nothing of it."""
    try:
        if path.stat().st_size > MAX_XML_BYTES:
            return f"more than {MAX_XML_BYTES} bytes"
        # A document type could make a small file huge, or draw in others.
        root = fromstring(path.read_bytes(), forbid_dtd=True)
    except DTDForbidden:
        return "declares a document type"
    except ParseError as error:
        return f"not well-formed XML, line {error.position[0]}"
    except (ValueError, LookupError, OSError) as error:
        return f"cannot be read, {type(error).__name__}"
    study, images = root.find("uId"), root.findall("parentImage")
    if study is None or not study.get("id") or not all(image.get("id") for image in images):
        return "no uId, or a parentImage without id"
    return Report(
        study.get("id", ""),
        tuple(_text(code) for code in root.findall("MeSH/major")),
        _sections({element.get("Label"): _text(element) for element in root.iter("AbstractText")}),
        tuple((image.get("id", ""), _view_of(_text(image.find("caption")))) for image in images),
    )


def _from_tables(path: Path, dataset: DatasetConfig) -> list[Report]:
    names = [name.lower() for name in SECTIONS]
    table = read_table(path, ["uid", "MeSH", *names])
    table.refuse_blank("uid")
    table.refuse_repeats("uid")
    projections = require(path.parent, [TABLES[1]], "the table of images and projections", dataset)
    images = read_table(projections, ["uid", "filename", "projection"])
    images.refuse_blank("uid", "filename")
    images.refuse(~images["projection"].isin(list(PROJECTIONS)), "projection", f"expected {' or '.join(PROJECTIONS)}")
    images.refuse(~images["uid"].isin(table["uid"]), "uid", f"no report of this number in {path.name}")
    views = images["projection"].map(PROJECTIONS)
    films: dict[str, list[tuple[str, str]]] = {uid: [] for uid in table["uid"]}
    for uid, name, view in zip(images["uid"], images["filename"], views, strict=True):
        films[uid].append((_image_id(name), view))
    return [
        Report(
            f"CXR{row['uid']}",
            tuple(row["MeSH"].split(";")),
            _sections({name.upper(): row[name] for name in names}),
            tuple(films[row["uid"]]),
        )
        for row in table.rows.to_dict("records")
    ]


def _image_id(name: str) -> str:
    """The owners' name of an image; Kaggle's files lack the first letters and say ``.dcm.png``."""
    stem = name.removesuffix(".png").removesuffix(".dcm")
    return stem if stem.startswith("CXR") else f"CXR{stem}"


def _view_of(caption: str) -> str:
    """The view that a caption states; "" where it speaks of several, as most do: the films of a report share it.

    The numbers at the end of the images' names do not tell: -1002 may be the lateral film.
    """
    words = set(re.findall(r"[a-z0-9]+", caption.lower()))
    named = {CAPTION_VIEWS[word] for word in words & set(CAPTION_VIEWS)}
    return named.pop() if len(named) == 1 and not words & OTHER_VIEWS else ""


def _sections(texts: dict[str | None, str]) -> dict[str, str]:
    """The text of each section on one line, so that only our headings begin one."""
    return {name: " ".join(texts.get(name, "").split()) for name in SECTIONS}


def _text(element: Element | None) -> str:
    return "" if element is None else "".join(element.itertext())
