"""Which reader a data set names. Imports all of them."""

from types import ModuleType

from maskray.config.dataset import DatasetConfig
from maskray.data.readers import (
    chexpert,
    covid_chestxray,
    covid_rural,
    covidx,
    edema,
    mimic,
    ms_cxr,
    nih,
    openi,
    padchest,
    rsna,
    siim,
)
from maskray.errors import InputError

READERS: dict[str, ModuleType] = {
    "mimic": mimic,
    "chexpert": chexpert,
    "rsna": rsna,
    "siim": siim,
    "nih": nih,
    "covid_chestxray": covid_chestxray,
    "covid_rural": covid_rural,
    "edema": edema,
    "ms_cxr": ms_cxr,
    "openi": openi,
    "padchest": padchest,
    "covidx": covidx,
}


def reader_of(dataset: DatasetConfig) -> ModuleType:
    """The reader that the data set names; :class:`InputError` lists those there are."""
    if dataset.reader not in READERS:
        raise InputError(f"{dataset.name}: no reader {dataset.reader}; there are {', '.join(READERS)}")
    return READERS[dataset.reader]
