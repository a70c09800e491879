"""Made data: painted chest films and written reports in the official layouts; everything runs without real data.

No patient is shown. Every film is a pure function of (data set, seed, study number). A layout that adds to another
one's films takes that one's studies, and so speaks of the same patients and films.
"""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maskray.config.preprocessing import MadeConfig
from maskray.data.made.covid_chestxray import write_covid_chestxray
from maskray.data.made.covid_rural import write_covid_rural
from maskray.data.made.covidx import write_covidx
from maskray.data.made.edema import write_edema
from maskray.data.made.labels import NIH_LABELS
from maskray.data.made.layouts import Layout, write_chexpert, write_nih, write_rsna, write_siim
from maskray.data.made.leaks import painter_of, plant
from maskray.data.made.mimic import write_mimic
from maskray.data.made.ms_cxr import write_ms_cxr
from maskray.data.made.openi import write_openi
from maskray.data.made.padchest import write_padchest
from maskray.data.made.studies import Study, draw_study
from maskray.errors import InputError
from maskray.files import write_text

log = logging.getLogger(__name__)

LAYOUTS: dict[str, Layout] = {
    "mimic": write_mimic,
    "chexpert": write_chexpert,
    "rsna": write_rsna,
    "siim": write_siim,
    "nih": write_nih,
    "covid_rural": write_covid_rural,
    "edema": write_edema,
    "ms_cxr": write_ms_cxr,
    "covid_chestxray": write_covid_chestxray,
    "openi": write_openi,
    "padchest": write_padchest,
    "covidx": write_covidx,
    "covidx3": write_covidx,
}
STUDIES_OF = {"edema": "mimic", "ms_cxr": "mimic", "covidx3": "covidx"}
"""Layouts that take another one's studies -> whose; their ``num_studies`` counts the first of its studies."""

_README = """\
These data are painted and written by maskray. They show no patient, and no person had a hand in any report.

Data set whose layout is followed: {name}
Studies: {num_studies}; films of {image_px} px; seed {seed}

They teach a program to run, not medicine: results on them say nothing about real films.
"""
_MARK = _README.splitlines()[0]


def make_dataset(name: str, folder: str | Path, config: MadeConfig) -> dict[str, Any]:
    """Paint and write the data set ``name`` into ``folder``, whole or not at all; return its manifest.

    A folder that an earlier run made is replaced; one that holds anything else is an :class:`InputError`.
    """
    folder = Path(folder)
    num_studies = _num_studies(name, config)
    _require_replaceable(folder)
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    counts: Counter[str] = Counter()
    try:
        owner = STUDIES_OF.get(name, name)
        studies = _studies(owner, num_studies, config, counts)
        LAYOUTS[name](partial, studies, config.image_px)
        planted = plant(name, owner, partial, config)
        settings = {"num_studies": num_studies, "image_px": config.image_px, "seed": config.seed}
        write_text(partial / "README.txt", _README.format(name=name, **settings))
        num_files = sum(path.is_file() for path in partial.rglob("*"))
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    labels = {label: counts[label] for label in ("No Finding", *NIH_LABELS)}
    return {
        "schema_version": 1,
        "dataset": name,
        "is_made": True,
        "settings": settings,
        "num_studies": num_studies,
        "num_patients": counts["patients"],
        "num_files": num_files,
        "num_studies_by_label": labels,
    } | ({"leaks": planted} if planted else {})


def _num_studies(name: str, config: MadeConfig) -> int:
    if name not in LAYOUTS:
        raise InputError(f"--dataset {name}: not one that can be made; choose from {', '.join(LAYOUTS)}")
    if name not in config.num_studies:
        raise InputError(f"num_studies has no entry for {name}: add how many studies to make")
    num_studies, owner = config.num_studies[name], STUDIES_OF.get(name, name)
    if num_studies > config.num_studies.get(owner, 0):
        raise InputError(f"num_studies: {name} adds to the first {num_studies} studies of {owner}, which has fewer")
    return num_studies


def _require_replaceable(folder: Path) -> None:
    if not folder.exists():
        return
    readme = folder / "README.txt"
    is_ours = readme.is_file() and readme.read_text(encoding="utf-8", errors="replace").startswith(_MARK)
    if not is_ours and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: exists and was not made by maskray; name another folder or move it away")


def _studies(name: str, num_studies: int, config: MadeConfig, counts: Counter[str]) -> Iterator[Study]:
    for number in range(num_studies):
        study = draw_study(painter_of(name, number, config), config.seed, number)
        counts["patients"] += study.visit == 0
        counts.update(study.labels())
        counts["No Finding"] += not study.labels() & set(NIH_LABELS)
        yield study
        if (number + 1) * 10 // num_studies > number * 10 // num_studies:
            log.info("%s: %d of %d studies", name, number + 1, num_studies)
