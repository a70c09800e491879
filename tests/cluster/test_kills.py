"""Jobs cancelled, programs killed, snakemake killed; tests/cluster/kills.py does it as often as asked."""

import pytest

from tests.cluster.conftest import ClusterWorkflow, prepare
from tests.cluster.kills import ClusterDrill
from tests.workflow.kills import bytes_of

pytestmark = [pytest.mark.slurm, pytest.mark.slow]
NUM_KILLS = 3


def test_tables_survive_kills_at_random_moments(local, repository, slurm, tmp_path):
    drill = ClusterDrill(ClusterWorkflow(prepare(repository, tmp_path / "workflow"), slurm), bytes_of(local))
    drill.run(NUM_KILLS)
    assert drill.kills.total() == NUM_KILLS
