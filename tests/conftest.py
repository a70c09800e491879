"""Fixtures that tests of several packages use."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# The tests run side by side: threads that wait for each other would take the cores from them.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# The same examples each time, however long they take: a test must not fail because the machine is busy.
settings.register_profile("same each time", deadline=None, derandomize=True)
settings.load_profile("same each time")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The top of the repository."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data(repository: Path) -> Path:
    """Real open films and notes in their official layouts; set MASKRAY_SAMPLES or put them in ../shared/data."""
    folder = Path(os.environ.get("MASKRAY_SAMPLES", repository.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(
            f"no sample data in {folder}: set MASKRAY_SAMPLES to a folder with nih/, covid-chestxray/, open-i/ …"
        )
    return folder
