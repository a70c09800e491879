"""Which side-by-side galleries a run draws."""

import pytest

from maskray.config.galleries import galleries, gallery
from maskray.config.paths import Paths
from maskray.errors import InputError

FIGURE2 = "results/figures/mnm-figure2-side_by_side.png"


def figures(run):
    return Paths(run).report_inputs()["figures"]


def test_a_gallery_is_drawn_where_all_its_variants_are_trained(plan):
    run = plan()
    assert (galleries(run, "mnm"), galleries(run, "mmclip"), galleries(run, "maco")) == (["figure2"], ["figure4"], [])
    assert FIGURE2 in figures(run)


@pytest.mark.parametrize(
    "settings", [{"tables": {"mnm": ["table1"]}}, {"left_out": {"variants": {"mnm": ["mae"]}}}], ids=["table", "out"]
)
def test_a_gallery_is_no_reason_to_train(plan, settings):
    run = plan(**settings)
    assert "mae" not in {model.variant for model in run.models() if model.paper == "mnm"}
    assert FIGURE2 not in figures(run)


def test_a_variant_that_is_asked_for_besides_the_tables_serves(plan):
    assert FIGURE2 in figures(plan(tables={"mnm": ["table1"]}, variants={"mnm": ["mae"]}))


def test_it_shows_the_films_of_the_first_pre_training_data_set_and_all_weights_in_order(plan):
    inputs = Paths(plan(seeds={"pretrain": [3, 4]})).side_by_side_inputs("mmclip", "figure4")
    assert inputs["splits"] == "results/data/mimic/splits/mmclip/split.csv"
    variants = ["mim_random", "mim_report", "mim_prompt", "mim_self", "attmim"]
    assert inputs["weights"] == [f"results/mmclip/{v}/seed3/pretrain/weights.safetensors" for v in variants]


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        ("maee", r"config/papers/mnm.yaml: galleries.figure2: no variant maee \(did you mean mae\?\); there are: def"),
        ("random_init", "galleries.figure2: random_init is not trained"),
    ],
)
def test_a_variant_that_cannot_be_shown_is_named(plan, variant, message):
    run = plan(overlay={"mnm": {"galleries": {"figure2": {"variants": {"(a) Random patches": variant}}}}})
    with pytest.raises(InputError, match=message):
        figures(run)


def test_a_gallery_that_there_is_not_is_named(plan):
    with pytest.raises(InputError, match=r"mnm.yaml: no gallery figure1 \(did you mean figure2\?\)"):
        gallery(plan(), "mnm", "figure1")
