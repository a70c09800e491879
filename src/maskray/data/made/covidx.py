"""The layout of COVIDx CXR: the pairs of lists of two and of three classes, without a header, and films by part.

What is painted decides the class: opacities in both lungs are COVID-19, in one lung pneumonia, in none normal. A study
of another data set is RSNA's film under RSNA's name, and never COVID-19.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from maskray.data.made import formats
from maskray.data.made.frontal import paint_frontal
from maskray.data.made.labels import OPACITIES_OF_PNEUMONIA
from maskray.data.made.studies import Study
from maskray.files import write_text

NORMAL, PNEUMONIA, COVID = "normal", "pneumonia", "COVID-19"
_SOURCES = {NORMAL: ("rsna", "rsna", "cohen"), PNEUMONIA: ("rsna", "cohen"), COVID: ("ricord", "cohen", "sirm")}


def class_of(study: Study) -> str:
    """The class of a study's film, as the three-class lists spell it."""
    sides = {finding.side for finding in study.findings if finding.label in OPACITIES_OF_PNEUMONIA}
    if not _is_borrowed(study) and ("bilateral" in sides or len(sides) > 1):
        return COVID
    return PNEUMONIA if sides else NORMAL


def write_covidx(folder: Path, studies: Iterable[Study], image_px: int) -> None:
    """Films and lists; as in version 9, the training lists call RSNA "rnsa" and the test lists "rsna"."""
    lists: dict[str, list[str]] = {}
    for study in studies:
        part = "test" if study.patient % 5 == 4 else "train"
        kind = class_of(study)
        source, patient, name = _film(study, kind)
        pixels = paint_frontal(study, image_px).pixels
        write = formats.write_png if name.endswith(".png") else formats.write_jpeg
        write(folder / part / name, pixels)
        source = "rnsa" if (source, part) == ("rsna", "train") else source
        for letter, spelt in {"A": kind, "B": "positive" if kind == COVID else "negative"}.items():
            lists.setdefault(f"{part}_COVIDx9{letter}.txt", []).append(f"{patient} {name} {spelt} {source}")
    for list_name, lines in lists.items():
        write_text(folder / list_name, "\n".join(lines) + "\n")


def _is_borrowed(study: Study) -> bool:
    return study.dataset != "covidx"


def _film(study: Study, kind: str) -> tuple[str, str, str]:
    """Source, the source's patient number and its file name; RSNA's films have no patient but themselves."""
    sources = _SOURCES[kind]
    source = "rsna" if _is_borrowed(study) else sources[study.patient % len(sources)]
    number = study.patient + 1
    if source == "rsna":
        image_id = formats.hyphenated(formats.digest(study, "image"), (8, 4, 4, 4, 12))
        return source, image_id, f"{image_id}.png"
    if source == "ricord":
        return source, f"SITE2-{number:06d}", f"MIDRC-RICORD-1C-SITE2-{number:06d}-{study.number:05d}-0.png"
    if source == "sirm":
        return source, f"COVID_{number}", f"COVID({number}-{study.visit}).png"
    return source, str(number), f"case {number} day {study.visit}, chest.jpg"
