"""Kill -9 at random moments, unlocked and run again; tests/workflow/kills.py does it as often as asked."""

import pytest

from tests.workflow.conftest import copy_of
from tests.workflow.kills import Drill, bytes_of

NUM_KILLS = 12


@pytest.mark.slow
def test_tables_survive_kills_at_random_moments(finished, repository, tmp_path):
    drill = Drill(copy_of(repository, tmp_path), bytes_of(finished))
    drill.run(NUM_KILLS)
    assert set(drill.kills) == {"all", "snakemake", "job"}
    assert drill.kills.total() == NUM_KILLS
