import csv
import io
from html.parser import HTMLParser
from pathlib import Path

import pytest

from maskray.errors import InputError
from maskray.tables import collect, render
from tests.tables.conftest import auroc, write_metrics

FORMS = {"csv": render.csv_text, "md": render.markdown, "tex": render.latex, "html": render.html}


class Tags(HTMLParser):
    """Checks that tags are nested, and collects the rows of the table."""

    void = {"meta", "img", "link", "br"}

    def __init__(self, text):
        super().__init__()
        self.open, self.rows, self.classes = [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        if tag not in self.void:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
            self.classes.append(dict(attributes).get("class"))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.rows and data.strip() and {"td", "th"} & set(self.open):
            self.rows[-1].append(" ".join(data.split()))


def lines_of(layout):
    return list(csv.DictReader(io.StringIO(render.csv_text(layout))))


@pytest.mark.parametrize("form", FORMS)
def test_made_data_are_labelled_in_every_form(make_layout, form):
    assert "MADE DATA" in FORMS[form](make_layout(made=True, data_note="painted films"))
    assert "MADE DATA" not in FORMS[form](make_layout())


@pytest.mark.parametrize("form", FORMS)
def test_a_missing_run_is_said_in_every_form(make_layout, form):
    text = FORMS[form](make_layout())
    assert "not run" in text
    assert "nih prompts are not part of this run" in text


@pytest.mark.parametrize("form", FORMS)
def test_same_layout_same_bytes(make_layout, form):
    assert FORMS[form](make_layout()) == FORMS[form](make_layout())


def test_csv_is_one_tidy_line_per_number(make_layout):
    lines = lines_of(make_layout())
    assert list(lines[0])[:11] == [
        "table",
        "row",
        "kind",
        "column",
        "value",
        "low",
        "high",
        "sd",
        "num_seeds",
        "num_images",
        "flag",
    ]
    printed = [line for line in lines if line["kind"] == "published"]
    assert [(line["row"], line["column"], line["value"]) for line in printed] == [
        ("MoCo*", "rsna|auc|1%", "80.00"),
        ("MoCo*", "nih|auc|1%", "70.1"),
        ("M&M", "rsna|auc|1%", "81.50"),
        ("M&M", "rsna|auc|10%", "85.25"),
    ]
    ours = next(line for line in lines if line["kind"] == "ours")
    assert (ours["value"], ours["sd"], ours["num_seeds"], ours["num_images"]) == ("82.0000", "2.8284", "2", "300")
    assert ours["flag"] == "our own split; 20 % of the patients"
    assert next(line for line in lines if line["kind"] == "difference")["value"] == "0.5000"


def test_a_mean_over_a_set_of_labels_says_of_how_many_and_is_no_reason_against_comparing(make_layout, metrics_files):
    rows = [auroc(0.8, "macro", num_labels=193), auroc(0.7, "macro/seen", num_labels=8)]
    folder = metrics_files[0].parents[3] / "padchest_zeroshot"
    replicates = {"auroc/macro": [0.7, 0.8], "auroc/macro/seen": [0.6, 0.7]}
    metrics = collect.collect([write_metrics(folder, rows, replicates)]).to_pandas()
    group = {"benchmark": "padchest_zeroshot", "metrics": {"AUC": "auroc"}}
    columns = [{"heading": "Seen", "labels": ["macro/seen"], **group}, {"heading": "All", **group}]
    table = {"title": "T", "printed": False, "rows": [{"name": "M&M"}], "columns": columns}
    layout = make_layout(table=table, table_name="sets", metrics=metrics)
    assert "Labels in the mean: Seen 8." in layout.notes
    assert not layout.marks
    assert "<li>Labels in the mean: Seen 8.</li>" in render.html(layout)
    assert "<sup>" not in render.html(layout)
    assert [line["flag"] for line in lines_of(layout)] == ["", ""]


def test_runs_over_different_labels_are_not_averaged(make_layout, metrics_files):
    folder = metrics_files[0].parents[3] / "padchest_classification/1%"
    files = [
        write_metrics(folder / f"seed{seed}", [auroc(0.7, num_labels=num)], {"auroc/macro": [0.6, 0.7]})
        for seed, num in enumerate((8, 7))
    ]
    group = {"heading": "All", "benchmark": "padchest_classification", "metrics": {"AUC": "auroc"}, "fractions": [0.01]}
    table = {"title": "T", "printed": False, "rows": [{"name": "M&M"}], "columns": [group]}
    with pytest.raises(InputError, match="different labels; score them again"):
        make_layout(table=table, table_name="sets", metrics=collect.collect(files).to_pandas())


def test_no_number_is_written_where_nothing_was_run(make_layout):
    for line in lines_of(make_layout()):
        if line["flag"].startswith("not run"):
            assert not line["value"] + line["low"] + line["high"] + line["sd"] + line["num_seeds"] + line["num_images"]


def test_each_number_of_ours_leads_back_to_its_metrics(make_layout, metrics_files):
    ours = [line for line in lines_of(make_layout()) if line["kind"] == "ours"]
    assert [line for line in ours if line["value"]]
    for line in ours:
        files = [Path(name) for name in line["predictions"].split(";") if name]
        assert bool(files) == bool(line["value"])
        assert {file.with_name("metrics.json") for file in files} <= set(metrics_files)


def test_made_lines_of_the_csv_say_that_they_cannot_be_compared(make_layout):
    lines = lines_of(make_layout(made=True))
    assert all("not comparable" in line["flag"] for line in lines if line["kind"] == "ours" and line["value"])
    assert all(line["data"].startswith("MADE DATA") for line in lines if line["kind"] == "ours")
    assert not [line for line in lines if line["kind"] == "difference"]


def test_markdown_rows_are_as_wide_as_the_head(make_layout):
    table = [line for line in render.markdown(make_layout()).splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1
    assert "| **M&amp;M** | maskray |  | 82.00 ± 2.83 \\[72.50, 92.45\\] | not run |" in "\n".join(table)
    assert "| MoCo\\* | printed | 30+100 | 80.00 | – | 70.1 | – |" in table
    assert "| +0.50<sup>a,b</sup> |" in "\n".join(table)


def test_markdown_escapes(make_layout):
    assert "### Table 1. Classification &lt;of&gt; 50 % &amp; more\\_x" in render.markdown(make_layout())


def test_latex_escapes_and_counts_its_columns(make_layout):
    text = render.latex(make_layout())
    assert r"Classification $<$of$>$ 50 \% \& more\_x (AUC" not in text
    assert r"Classification $<$of$>$ 50 \% \& more\_x (Table 1 of the paper mnm)" in text
    assert r"M\&M & printed & 100 & 81.50 & 85.25 & -- & -- \\" in text
    assert r"\begin{tabular}{lllrrrr}" in text
    assert text.count(r"\begin{") == text.count(r"\end{")
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    assert text.isascii()


def test_latex_protects_a_bracket_at_the_start_of_a_row(make_layout):
    layout = make_layout(data_note="[a] ~ ^ \\ # $ {b}")
    assert r"{[}a] \textasciitilde{} \textasciicircum{} \textbackslash{} \# \$ \{b\}" in render.latex(layout)


def test_html_is_nested_escaped_and_marks_the_kinds(make_layout):
    text = render.html(make_layout(data_note='<script>alert("x")</script>'))
    assert "<script" not in text
    assert text.isascii()
    tags = Tags(text)
    assert tags.classes[2:] == ["published", "published", "ours", "difference", "ours"]
    assert tags.rows[2] == ["MoCo*", "printed", "30+100", "80.00", "–", "70.1", "–"]
    assert tags.rows[4][:5] == ["M&M", "maskray", "82.00", "± 2.83", "[72.50, 92.45]"]
    assert tags.rows[5][:4] == ["M&M", "difference", "+0.50", "a,b"]
    assert text.count('scope="row"') == 5


def test_html_counts_what_was_run(make_layout):
    assert 'data-cells-run="2" data-cells-planned="8"' in render.html(make_layout())


def test_variant_is_named_unless_the_row_says_it(make_layout):
    rows = [{"name": "M&M", "variant": "no_ridge"}, {"name": "No ridge", "variant": "no_ridge"}]
    group = {"heading": "RSNA", "benchmark": "rsna_classification", "metrics": {"AUC": "auroc"}, "fractions": [0.01]}
    text = render.markdown(make_layout(table={"title": "T", "rows": rows, "columns": [group]}))
    assert "**M&amp;M (no\\_ridge)**" in text
    assert "**No ridge**" in text


def test_a_difference_below_rounding_has_no_sign():
    assert render._signed(0.004, ".2f") == "0.00"
    assert render._signed(-0.3, ".1f") == "−0.3"
    assert render._signed(0.3, ".1f") == "+0.3"
