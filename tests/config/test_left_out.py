"""What a run leaves out of the tables."""

import pytest

from maskray.config import jobs
from maskray.config.plan import Cell
from maskray.errors import InputError


def test_nothing_is_left_out_unless_said(plan):
    run = plan()
    assert Cell("maco", "mae", "rsna_classification", "1%") in run.cells("maco", "table5")
    assert not jobs.table_stage(run, "maco", "table5")["not_run"]


def test_benchmarks_fractions_and_variants_are_left_out_and_their_cells_say_so(plan):
    run = plan(
        left_out={
            "benchmarks": ["ms_cxr_grounding"],
            "fractions": {"rsna_classification": [0.01, 0.1]},
            "variants": {"maco": ["mae"]},
        }
    )
    assert run.cells("maco", "table5") == [
        Cell("maco", "mae_clip", "rsna_classification", "100%"),
        Cell("maco", "default", "rsna_classification", "100%"),
    ]
    assert "mae" not in run.variants("maco")
    # Another benchmark keeps its fractions.
    assert Cell("maco", "default", "nih_classification", "1%") in run.cells("maco", "table1")
    assert jobs.table_stage(run, "maco", "table5")["not_run"] == dict.fromkeys(
        ["ms_cxr_grounding", "mae", "rsna_classification 1%", "rsna_classification 10%"], "left out of this run"
    )


@pytest.mark.parametrize(
    ("left_out", "message"),
    [
        ({"benchmarks": ["rsna_clasification"]}, "left_out: no benchmark rsna_clasification.*rsna_classification"),
        ({"fractions": {"nhi_linear_probe": [0.1]}}, "left_out: no benchmark nhi_linear_probe"),
        ({"fractions": {"rsna_classification": [0.05]}}, "rsna_classification: no table has .0.05.; there are: .0.01"),
        ({"variants": {"medin": ["mgca"]}}, "left_out: no paper medin"),
        ({"variants": {"maco": ["mea"]}}, "left_out: no variant of maco mea.*there are: default"),
    ],
)
def test_what_is_not_there_cannot_be_left_out(plan, left_out, message):
    with pytest.raises(InputError, match=message):
        plan(left_out=left_out).all_cells()


def test_what_another_paper_has_may_be_named(plan):
    left_out = {"benchmarks": ["covid_rural_segmentation"], "variants": {"mmclip": ["ensemble"]}}
    run = plan(papers=["maco"], left_out=left_out | {"fractions": {"chexpert_linear_probe": [0.01]}})
    assert Cell("maco", "default", "ms_cxr_grounding", None) in run.all_cells()


def test_a_row_to_compare_with_must_be_there(plan):
    run = plan(overlay={"mnm": {"tables": {"table6": {"compared_with": "defualt"}}}})
    with pytest.raises(InputError, match="mnm, table6: compared_with: no row of variant defualt"):
        run.compares("mnm", "table6")


def test_a_table_on_request_is_built_where_it_is_named(plan):
    assert "ablations" not in plan().tables("maco")
    assert "released" not in plan().variants("maco")
    run = plan(tables={"maco": ["ablations"]})
    assert list(run.tables("maco")) == ["ablations"]
    assert "released" in run.variants("maco")
