"""Plans of the shipped configuration."""

import pytest

from maskray.config.plan import Plan
from maskray.files import read_yaml


@pytest.fixture
def plan(repository):
    """A function that plans with the shipped configuration and some changes."""
    return lambda **changes: Plan(read_yaml(repository / "config/config.yaml") | changes, repository)
