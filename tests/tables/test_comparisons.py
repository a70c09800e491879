"""The paired tests below a table."""

import csv
import io

import pytest

from maskray.config.stages import TableStage
from maskray.evaluation.comparing import Comparer
from maskray.metrics.paired import PairedTest, holm, not_compared
from maskray.tables import collect, comparison_forms
from maskray.tables.comparisons import compare_rows, notes
from maskray.tables.layout import lay_out
from maskray.tables.published import PublishedTable
from tests.made_runs import STAGE, TABLE, write_results
from tests.tables.test_render import Tags

FORMS = {name: getattr(comparison_forms, name) for name in ("csv_text", "markdown", "html")}


@pytest.fixture(scope="module")
def metrics(tmp_path_factory):
    return collect.collect(write_results(tmp_path_factory.mktemp("results"))).to_pandas()


@pytest.fixture
def make(metrics):
    def build(compare=None, metrics=metrics, **changes):
        stage = TableStage.parse(STAGE | changes, "stage")
        layout = lay_out(stage, PublishedTable((), (), (), {}), metrics)
        return compare_rows(layout, metrics, stage.table.compared_with, compare or Comparer(0.95))

    return build


def lines_of(found):
    return list(csv.DictReader(io.StringIO(comparison_forms.csv_text(found))))


def test_each_other_row_is_compared_in_each_column_that_it_has_means_for(make):
    found = [(line["row"], line["column"]) for line in lines_of(make())]
    probe = [f"nih|{metric}|1%{label}" for label in ("", "|mass") for metric in ("auc", "f1")]
    assert found == [
        *(("No ridge", column) for column in (*probe, "mimic|r@1|retrieval")),
        *(("MAE", column) for column in probe),
    ]


def test_differences_are_those_of_the_cells_in_the_unit_of_the_column(make):
    found = make()
    for line in found.lines[:5]:
        place = list(found.layout.panels[0].columns).index(line.column)
        mine, theirs = line.own.cells[place], line.other.cells[place]
        assert line.result.difference == pytest.approx(mine.value - theirs.value, abs=1e-4)
        assert line.result.low < line.result.difference < line.result.high
        assert line.num_images == 120


def test_the_spread_is_that_of_the_seeds_and_a_single_run_has_none(make, metrics):
    found = make()
    auc = metrics[(metrics["metric"] == "auroc") & (metrics["label"] == "macro")]
    values = [auc.loc[auc["variant"] == variant, "value"].to_numpy() for variant in ("default", "no_ridge")]
    assert found.lines[0].sd == pytest.approx(100 * (values[0] - values[1]).std(ddof=1))
    assert found.lines[0].num_runs == (2, 2)
    assert found.lines[4].sd is None


def test_tests_and_correction_are_named_and_run_over_the_whole_table(make):
    found = make()
    lines = lines_of(found)
    assert [line["test"] for line in lines[:5]] == ["DeLong", "paired bootstrap"] * 2 + ["paired bootstrap"]
    tested = [line.result.p for line in found.lines[:5]]
    assert [line.p_holm for line in found.lines[:5]] == pytest.approx(holm(tested))
    assert {line["num_comparisons"] for line in lines} == {"5", ""}
    said = " ".join(notes(found))
    for word in (
        "DeLong's test",
        "resamples of patients",
        "at least 0.01",
        "5 comparisons",
        "Holm",
        "M&M less the row",
    ):
        assert word in said, word


def test_what_was_not_run_says_so_and_has_no_number(make):
    for line in lines_of(make())[5:]:
        assert line["note"] == "MAE: not run"
        assert not line["difference"] + line["low"] + line["p"] + line["p_holm"] + line["test"] + line["num_runs"]


def test_what_could_not_be_paired_says_so_in_every_form(make):
    found = make(compare=lambda *_: not_compared("test parts differ: 3 items on one side alone, 0 on the other"))
    assert found.num_tested == 0
    for form in FORMS.values():
        assert "test parts differ: 3 items" in form(found)
    assert "Holm's method" not in " ".join(notes(found))


def test_the_first_is_the_own_row_and_another_one_can_be_chosen(make):
    seen = []

    def compare(first, second, metric, label):
        seen.append((first.files[0], second.files[0]))
        return PairedTest(0.1, 0.0, 0.2, 0.04, "DeLong")

    make(compare)
    assert all("default" in first and "no_ridge" in second for first, second in seen)
    seen.clear()
    found = make(compare, table=TABLE | {"compared_with": "no_ridge"})
    assert all("no_ridge" in first and "default" in second for first, second in seen)
    assert (found.own.name, found.lines[0].result.difference) == ("No ridge", pytest.approx(10))


def test_a_table_without_an_own_row_compares_nothing_and_says_so(make):
    found = make(table=TABLE | {"compared_with": "nobody"})
    assert found.lines == ()
    assert "nothing was compared" in comparison_forms.markdown(found)
    Tags(comparison_forms.html(found))


def test_a_plain_column_is_not_scaled(make):
    plain = [group | {"per_cent": False} for group in TABLE["columns"]]
    found = make(lambda *_: PairedTest(0.1, 0.0, 0.2, 0.04, "DeLong"), table=TABLE | {"columns": plain})
    assert found.lines[0].result.high == pytest.approx(0.2)


@pytest.mark.parametrize("form", FORMS)
def test_forms_are_the_same_twice_and_label_made_data(make, form):
    found = make()
    assert FORMS[form](found) == FORMS[form](make())
    assert "MADE DATA" in FORMS[form](found)


def test_html_is_folded_nested_and_ascii(make):
    text = comparison_forms.html(make())
    assert text.isascii()
    assert "<details" in text
    assert text.index("<summary>") < text.index("<table")
    tags = Tags(text)
    assert len(tags.rows) == 1 + 9
    assert tags.rows[1][:2] == ["No ridge", "NIH Average AUC 1%"]


def test_intervals_have_real_minus_signs(make):
    text = comparison_forms.markdown(make(lambda *_: PairedTest(-0.1, -0.2, 0.01, 0.06, "DeLong")))
    assert "| −10.00 | \\[−20.00, 1.00\\] |" in text


def test_markdown_rows_are_as_wide_as_the_head(make):
    rows = [line for line in comparison_forms.markdown(make()).splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 9
    assert len({line.replace("\\|", "").count("|") for line in rows}) == 1
