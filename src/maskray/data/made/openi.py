"""The layout of Open-i, in both forms: the owners' XML files, and the two tables that circulate on Kaggle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np

from maskray.data.made import formats
from maskray.data.made.frontal import paint_frontal
from maskray.data.made.lateral import paint_lateral
from maskray.data.made.reports import write_report
from maskray.data.made.studies import Finding, Study
from maskray.files import write_text
from maskray.reports.sections import described, split_sections

_HEADINGS = {
    "Atelectasis": "Pulmonary Atelectasis",
    "Cardiomegaly": "Cardiomegaly",
    "Effusion": "Pleural Effusion",
    "Infiltration": "Infiltrate/lung",
    "Mass": "Mass/lung",
    "Nodule": "Nodule/lung",
    "Pneumonia": "Pneumonia",
    "Pneumothorax": "Pneumothorax",
    "Consolidation": "Consolidation/lung",
    "Edema": "Pulmonary Edema",
    "Emphysema": "Pulmonary Emphysema",
    "Fibrosis": "Pulmonary Fibrosis",
    "Pleural_Thickening": "Thickening/pleura",
    "Hernia": "Hernia, Hiatal",
    "Fracture": "Fractures, Bone/ribs",
    "Enlarged Cardiomediastinum": "Mediastinum/prominent",
}
_DEVICES = {
    "endotracheal tube": "Tube, Inserted/trachea",
    "nasogastric tube": "Tube, Inserted",
    "left pectoral pacemaker": "Implanted Medical Device/left",
    "median sternotomy wires": "Surgical Instruments/mediastinum",
}
_ZONES = {"upper": "upper lobe", "mid": "middle lobe", "lower": "base"}
_CAPTIONS = {"PA": "PA chest x-XXXX XXXX", "AP": "AP portable chest"}
_SECTIONS = ("comparison", "indication", "findings", "impression")


@dataclass(frozen=True)
class _Report:
    """What both forms say; ``films`` are (end of the name, projection, uint8 pixels [S, S])."""

    number: int
    codes: list[str]
    sections: dict[str, str]
    caption: str
    films: list[tuple[str, str, np.ndarray]]


def write_openi(folder: Path, studies: Iterable[Study], image_px: int) -> None:
    """``ecgen-radiology/<n>.xml`` and ``images/<image>.png``."""
    for report in _reports(studies, image_px):
        root = Element("eCitation")
        SubElement(root, "meta", type="rr")
        SubElement(root, "uId", id=f"CXR{report.number}")
        abstract = SubElement(SubElement(SubElement(root, "MedlineCitation"), "Article"), "Abstract")
        for name, text in report.sections.items():
            SubElement(abstract, "AbstractText", Label=name.upper()).text = text
        coding = SubElement(root, "MeSH")
        for code in report.codes:
            SubElement(coding, "major").text = code
        for end, _, pixels in report.films:
            image = f"CXR{report.number}_{end}"
            SubElement(SubElement(root, "parentImage", id=image), "caption").text = report.caption
            formats.write_png(folder / "images" / f"{image}.png", pixels)
        indent(root, "   ")
        text = tostring(root, "unicode")
        write_text(folder / f"ecgen-radiology/{report.number}.xml", f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n')


def write_openi_tables(folder: Path, studies: Iterable[Study], image_px: int) -> None:
    """``indiana_reports.csv``, ``indiana_projections.csv`` and ``images/images_normalized/``."""
    reports: list[list[object]] = []
    films: list[list[object]] = []
    for report in _reports(studies, image_px):
        problems = ";".join(code.split("/")[0] for code in report.codes)
        sections = [report.sections[name] for name in ("indication", "comparison", "findings", "impression")]
        reports.append([report.number, ";".join(report.codes), problems, report.caption, *sections])
        for end, projection, pixels in report.films:
            name = f"{report.number}_{end}.dcm.png"
            formats.write_png(folder / "images/images_normalized" / name, pixels)
            films.append([report.number, name, projection])
    header = ["uid", "MeSH", "Problems", "image", "indication", "comparison", "findings", "impression"]
    write_text(folder / "indiana_reports.csv", formats.table(header, reports))
    write_text(folder / "indiana_projections.csv", formats.table(["uid", "filename", "projection"], films))


def _reports(studies: Iterable[Study], image_px: int) -> Iterator[_Report]:
    for study in studies:
        report = write_report(study)
        sections = split_sections(report.text)
        sections |= described(sections)  # what stands for both where a report has neither
        named = dict.fromkeys(_code(s.finding) for s in report.statements if s.finding)
        films = [("IM-0001-1001", "Frontal", paint_frontal(study, image_px).pixels)]
        if study.has_lateral:
            films.append(("IM-0001-2001", "Lateral", paint_lateral(study, image_px)))
        yield _Report(
            # The collection's own numbers end at 3999: these are nobody's.
            4001 + study.number,
            ["No Indexing"] if study.number % 30 == 29 else [*named] or ["normal"],
            {name: sections.get(name, "").replace("___", "XXXX") for name in _SECTIONS},
            "Xray Chest PA and Lateral" if study.has_lateral else _CAPTIONS[study.view],
            films,
        )


def _code(finding: Finding) -> str:
    if finding.label == "Support Devices":
        return _DEVICES.get(finding.kind, "Catheters, Indwelling/right")
    place = [_ZONES.get(finding.zone, ""), finding.side]
    return "/".join([_HEADINGS[finding.label], *filter(None, place)])
