"""COVID rural: opacity masks on the chest films of a rural COVID-19-positive population (TCIA COVID-19-AR).

221 films with masks are in use; the folder has more films, which are counted and left out. The masks (0 background, 1
opacity) were drawn by hand by the authors of the repository. Label COVID-19 is 1 throughout, as the owners state it of
all patients; the target is the mask. Patient and day are in the file's name; further films of a day add to it.
``covid_rural_patient_info.csv`` is not needed and not read. All films count as frontal. Films CC BY 4.0; the masks'
repository states no licence. Known noise: masks of one group of readers; bedside films.
Desai et al., TCIA 2020, doi:10.7937/tcia.2020.py71-5978; github.com/haimingt/opacity_segmentation_covid_chest_X_ray.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path, PurePosixPath

import pandas as pd

from maskray.config.dataset import DatasetConfig
from maskray.data.index import build_index, wanted_labels
from maskray.data.site import Site, examples, files_under, require, site_folder
from maskray.errors import InputError

LABELS = ("COVID-19",)
TOP = "covid_rural_annot"
NAME = re.compile(r"(?P<patient>COVID-19-AR-\d+)_(?P<day>\d+-\d+-\d+)", re.IGNORECASE)
# Masks are called after their film, here and there with the film's suffix or the word kept.
DECORATION = re.compile(r"(?:\.jpe?g|[-_ ]masks?)+$", re.IGNORECASE)

log = logging.getLogger(__name__)


def read_index(site: Site, dataset: DatasetConfig) -> pd.DataFrame:
    """One row per film that has a mask."""
    folder = site_folder(site, dataset)
    labels = wanted_labels(dataset, LABELS)
    films = _files(folder, "jpgs", [".jpg", ".jpeg"], "the films", dataset)
    masks = _files(folder, "pngs_masks", [".png"], "the opacity masks", dataset)
    _report_unpaired(films, masks, dataset)
    names = sorted(films.keys() & masks.keys())
    rows = pd.DataFrame([_row(films[name], masks[name], folder) for name in names])
    return build_index(rows, pd.DataFrame(1.0, index=rows.index, columns=labels), dataset)


def _files(folder: Path, name: str, suffixes: list[str], what: str, dataset: DatasetConfig) -> dict[str, str]:
    """Name of the film, in capitals -> path below the site folder, which is the official folder or the one above it."""
    start = require(folder, [name, f"{TOP}/{name}"], what, dataset)
    files: dict[str, str] = {}
    for path in files_under(folder, suffixes, start):
        film = DECORATION.sub("", PurePosixPath(path).stem).upper()
        if film in files:
            raise InputError(f"{folder / path}: {folder / files[film]} is for the same film; delete one")
        files[film] = path
    return files


def _report_unpaired(films: dict[str, str], masks: dict[str, str], dataset: DatasetConfig) -> None:
    """Films without a mask are expected; a mask without a film is not."""
    log.info("%s: %d of %d films have no mask and are left out", dataset.name, len(films.keys() - masks), len(films))
    if lost := [masks[name] for name in masks.keys() - films]:
        log.warning("%s: %d mask(s) have no film in jpgs, e.g. %s", dataset.name, len(lost), examples(lost))


def _row(film: str, mask: str, folder: Path) -> dict[str, str]:
    image = PurePosixPath(film).stem
    name = NAME.match(image)
    if name is None:
        raise InputError(f"{folder / film}: its name does not tell patient and day (COVID-19-AR-<id>_<mm-dd-yyyy>-XR)")
    patient = name["patient"].upper()
    study = f"{patient}_{name['day']}"
    ids = {"image_id": image, "patient_id": patient, "study_id": study}
    return ids | {"path": film, "mask": mask, "view": "FRONTAL"}
