"""Which data sets a benchmark is possible on."""

import pytest

from maskray.config.benchmark_rules import why_unfit
from maskray.config.stages import ZeroshotStage
from maskray.errors import InputError

PLAIN, CLASSES = {"name": "nih"}, {"name": "covidx3", "exclusive": True}


@pytest.mark.parametrize(
    ("benchmark", "dataset", "why"),
    [
        ("nih_retrieval", PLAIN, "nih has no reports"),
        ("mimic_retrieval", {"name": "mimic", "has_reports": True}, ""),
        ("nih_grading", PLAIN, "nih has no exclusive grades"),
        ("covidx3_grading", CLASSES, ""),
        ("covidx3_zeroshot", CLASSES, "the classes of covidx3 exclude each other; prompts ask for one finding at a"),
        ("covidx3_linear_probe", CLASSES, ""),
        ("nih_zeroshot", PLAIN, ""),
    ],
)
def test_what_a_data_set_cannot_have_is_told(benchmark, dataset, why):
    told = why_unfit(benchmark, dataset)
    assert told.startswith(why)
    assert bool(told) == bool(why)


def test_a_zero_shot_job_on_classes_is_refused_too():
    stage = {"benchmark": "covidx3_zeroshot", "dataset": "covidx3", "labels": ["Normal", "COVID-19"], "zeroshot": {}}
    ZeroshotStage.parse(stage | {"threads": 1, "precision": "32-true"}, "stage")
    with pytest.raises(InputError, match="exclusive: prompts ask for one finding at a time"):
        ZeroshotStage.parse(stage | {"threads": 1, "precision": "32-true", "exclusive": True}, "stage")
