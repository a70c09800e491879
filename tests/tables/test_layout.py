import numpy as np
import pytest

from maskray.errors import InputError
from tests.tables.conftest import TABLE


def rows_of(layout, kind):
    return [row for panel in layout.panels for row in panel.rows if row.kind == kind]


def test_printed_rows_stand_in_printed_order_and_ours_below_the_one_they_reproduce(make_layout):
    (panel,) = make_layout().panels
    assert [(row.kind, row.name) for row in panel.rows] == [
        ("published", "MoCo*"),
        ("published", "M&M"),
        ("ours", "M&M"),
        ("difference", "M&M"),
        ("ours", "No ridge"),
    ]


def test_value_is_the_mean_over_seeds_with_spread_and_interval(make_layout):
    cell = rows_of(make_layout(), "ours")[0].cells[0]
    assert cell.value == pytest.approx(82.0)
    assert cell.sd == pytest.approx(100 * np.sqrt(0.02**2 + 0.02**2))
    # Replicates averaged one by one: 0.72, 0.82, 0.93.
    assert (cell.low, cell.high) == pytest.approx(
        tuple(100 * np.quantile([0.72, 0.82, 0.93], [0.025, 0.975])), abs=1e-4
    )
    assert (cell.num_runs, cell.num_images) == (2, 300)
    assert len(cell.predictions) == 2


def test_a_single_run_has_no_spread(make_layout):
    cell = rows_of(make_layout(), "ours")[0].cells[2]
    assert cell.value == pytest.approx(75.0)
    assert cell.sd is None


def test_difference_is_ours_less_printed_in_points_and_carries_the_reasons(make_layout):
    first, second, third, _ = rows_of(make_layout(), "difference")[0].cells
    assert first.value == pytest.approx(0.5)
    assert first.reasons == ("our own split", "20 % of the patients")
    assert second.value is None
    assert third.value is None


def test_a_cell_that_was_not_run_says_so_and_why(make_layout):
    _, second, _, fourth = rows_of(make_layout(), "ours")[0].cells
    assert (second.text, second.value, second.reasons) == ("not run", None, ())
    assert (fourth.text, fourth.reasons) == ("not run", ("nih prompts are not part of this run",))
    assert {cell.text for cell in rows_of(make_layout(), "ours")[1].cells} == {"not run"}


def test_variants_and_fractions_that_are_left_out_say_so(make_layout):
    why = {"default": "no such row", "rsna_classification 10%": "no such share"}
    _, second, third, fourth = rows_of(make_layout(not_run=why), "ours")[0].cells
    assert [cell.reasons for cell in (second, fourth)] == [("no such share",), ("no such row",)]
    assert third.text != "not run"


def test_what_has_a_result_is_counted(make_layout):
    layout = make_layout()
    assert (layout.num_run, layout.num_planned) == (2, 8)


def test_a_macro_average_over_fewer_labels_says_which(make_layout):
    (reason,) = rows_of(make_layout(), "ours")[0].cells[2].reasons
    assert reason.startswith("average of 1 of 2 labels")
    assert "Hernia" in reason


def test_labels_as_columns(make_layout):
    table = {
        "title": "T",
        "printed": False,
        "rows": [{"name": "M&M"}],
        "columns": [
            {
                "heading": "NIH",
                "benchmark": "nih_classification",
                "metrics": {"AUC": "auroc"},
                "fractions": [0.01],
                "labels": ["macro", "Mass", "Hernia", "Edema"],
            }
        ],
    }
    layout = make_layout(table=table, table_name="labels")
    assert layout.leaves == ("Average", "Mass", "Hernia", "Edema")
    average, mass, hernia, edema = layout.panels[0].rows[0].cells
    assert (average.value, mass.value) == pytest.approx((75, 75))
    assert (hernia.text, edema.text) == ("undefined", "no such label")
    assert "Hernia" in hernia.reasons[0]


def test_many_labels_at_many_fractions_become_one_panel_per_fraction(make_layout):
    group = {
        "heading": "NIH",
        "benchmark": "nih_classification",
        "metrics": {"AUC": "auroc"},
        "fractions": [0.01, 0.1],
        "labels": ["macro", "Mass"],
    }
    table = {"title": "T", "printed": False, "rows": [{"name": "M&M"}], "columns": [group]}
    layout = make_layout(table=table, table_name="labels")
    assert [panel.title for panel in layout.panels] == ["1%", "10%"]
    assert layout.leaves == ("Average", "Mass")
    assert [cell.text for cell in layout.panels[1].rows[0].cells] == ["not run", "not run"]


def test_our_rows_say_how_long_they_were_trained(make_layout):
    first, second = rows_of(make_layout(trained={"default": {"epoch": "100", "pretrain-dataset": "M"}}), "ours")
    assert first.details == ("100",)
    assert second.details == ("",)


def test_headings_say_only_what_differs(make_layout):
    layout = make_layout()
    assert [(group.text, group.span) for group in layout.groups] == [("RSNA", 2), ("NIH", 1), ("NIH", 1)]
    assert layout.leaves == ("1%", "10%", "1%", "zero-shot")
    assert layout.unit == "AUC, per cent"
    assert layout.details == ("Epoch",)
    assert {column.decimals for column in layout.panels[0].columns} == {2}


@pytest.mark.parametrize(
    ("name", "printed", "told"),
    [
        ("table1", True, "Table 1. T"),
        ("figure3", False, "Fig. 3. T"),
        ("figure3_left", False, "Fig. 3 left. T"),
        ("linear_probe", False, "T (not in the paper)"),
    ],
)
def test_a_table_is_called_as_the_paper_calls_it(make_layout, name, printed, told):
    assert make_layout(table=TABLE | {"title": "T", "printed": printed}, table_name=name).title == told


def test_made_data_are_never_compared(make_layout):
    layout = make_layout(made=True)
    assert not rows_of(layout, "difference")
    assert any("made data cannot be compared" in note for note in layout.notes)


def test_printed_columns_and_rows_that_are_not_shown_are_named(make_layout):
    group = {"heading": "RSNA", "benchmark": "rsna_classification", "metrics": {"AUC": "auroc"}, "fractions": [0.01]}
    layout = make_layout(table={"title": "T", "rows": [{"name": "M&M"}, {"name": "Ours"}], "columns": [group]})
    assert "Printed, but not part of this table: nih auc 1%, rsna auc 10%." in layout.notes
    assert "Not in the paper: Ours." in layout.notes


def test_a_table_without_printed_numbers_must_say_so(make_layout):
    with pytest.raises(InputError, match="printed: false"):
        make_layout(table_name="table3")


def test_results_of_another_paper_are_not_taken(make_layout):
    layout = make_layout(paper="maco")
    assert layout.num_run == 0
    assert "maskray: none of this table's cells was run." in layout.notes


def test_runs_on_different_test_parts_are_refused(make_layout, metrics):
    metrics.loc[metrics.finetune_seed == 1, "num_images"] = 299
    with pytest.raises(InputError, match="different sizes"):
        make_layout()


def test_runs_with_different_numbers_of_replicates_are_refused(make_layout, metrics):
    place = metrics.index[metrics.finetune_seed == 1][0]
    metrics.at[place, "replicates"] = np.zeros(7, np.float32)
    with pytest.raises(InputError, match="numbers of replicates"):
        make_layout()


def test_each_reason_has_its_letter(make_layout):
    layout = make_layout()
    assert layout.marks_of(["our own split", "20 % of the patients"]) == "a,b"
    assert len(set(layout.marks.values())) == len(layout.marks) == 4
