import pytest

from maskray.errors import InputError
from maskray.tables.published import column_key, detail_key, read_published

# Rows, numbers: counted by hand in the papers.
SHAPES = {
    ("mnm", "table1"): (9, 81),
    ("mnm", "table2"): (6, 54),
    ("mnm", "table3"): (5, 15),
    ("mnm", "table4"): (5, 15),
    ("mnm", "table5"): (7, 63),
    ("mnm", "table6"): (6, 18),
    ("mnm", "table7"): (4, 12),
    ("maco", "table1"): (9, 24 + 12 + 18 + 2 * 9),
    ("maco", "table2"): (9, 6 * 45 + 3 * 3),
    ("maco", "table3"): (6, 18),
    ("maco", "table4"): (4, 8),
    ("maco", "table5"): (3, 3 + 6 + 6),
    ("medim", "table1"): (7, 56),
    ("medim", "table2"): (2, 12),
    ("medim", "table3"): (3, 9),
    ("dmlm", "table1"): (13, 13 * 9 - 9),
    ("dmlm", "table2"): (7, 63),
    ("dmlm", "table3"): (6, 18),
    ("dmlm", "table4"): (6, 18),
    ("dmlm", "table5"): (10, 90 - 9),
    ("dmlm", "table6"): (5, 15),
    ("dmlm", "table7"): (5, 15),
    ("mmclip", "table1"): (8, 72),
    ("mmclip", "table2"): (3, 9),
    ("mmclip", "table3"): (7, 14),
    ("mmclip", "table4"): (7, 14),
}
SPOT_CHECKS = [
    ("mnm", "table1", "M&M", "siim-acr|auc|10%", "91.15"),
    ("mnm", "table1", "MoCo", "chexpert|auc|1%", "78.00"),
    ("mnm", "table2", "M&M", "nih chest x-ray|f1|zero-shot", "27.55"),
    ("mnm", "table2", "GLoRIA", "siim-acr|acc|zero-shot", "40.47"),
    ("mnm", "table3", "MedKLIP", "covid-19 cxr|f1|zero-shot", "76.70"),
    ("mnm", "table4", "BioViL", "edema severity|acc|100%", "69.14"),
    ("mnm", "table5", "BioVil", "rsna pneumonia|dice|1%", "68.24"),
    ("mnm", "table6", "No Masking", "nih chest x-ray|auc|zero-shot", "61.48"),
    ("mnm", "table7", "KE-Triplet", "nih chest x-ray|acc|zero-shot", "86.55"),
    ("maco", "table1", "MaCo", "rsna|auc|1%", "91.2"),
    ("maco", "table1", "MedKLIP", "nih|auc|100%", "83.2"),
    ("maco", "table1", "GLoRIA*", "chexpert|auc|10%", "87.5"),
    ("maco", "table1", "BioViL", "row|epoch|", "30+100"),
    ("maco", "table2", "C2L", "nih|auc|100%|pneumothorax", "85.9"),
    ("maco", "table2", "REFERS", "nih|auc|1%|pleural thickening", "71.6"),
    ("maco", "table2", "MaCo", "nih|auc|10%", "83.6"),
    ("maco", "table3", "Med-UniC", "siim|dice|1%", "56.7"),
    ("maco", "table4", "BioViL", "ms-cxr|cnr|zero-shot", "1.027"),
    ("maco", "fig5", "BioViL", "ms-cxr|cnr|any tau", "0.1027"),
    ("medim", "table1", "MAE*", "siim|dice|10%", "57.68"),
    ("medim", "table2", "MedIM", "mimic-cxr|i2t r@1|retrieval", "8.70"),
    ("medim", "table3", "L_align + KWM", "chexpert|auc|10%", "88.86"),
    ("dmlm", "table1", "IMITATE", "rsna pneumonia|auc|10%", "92.85"),
    ("dmlm", "table1", "D-MLM", "siim-acr|auc|100%", "95.18"),
    ("dmlm", "table2", "D-MLM", "nih chest x-ray|f1|zero-shot", "28.81"),
    ("dmlm", "table3", "GloRIA", "covid-19 cxr|acc|zero-shot", "60.83"),
    ("dmlm", "table4", "D-MLM", "edema severity|auc|100%", "82.93"),
    ("dmlm", "table5", "MLIP", "siim-acr|dice|100%", "68.10"),
    ("dmlm", "table6", "Ours", "nih chest x-ray|auc|zero-shot", "79.54"),
    ("dmlm", "table7", "MaskVLM", "nih chest x-ray|acc|zero-shot", "66.69"),
    ("mmclip", "table1", "MedKlip", "pneumonia|auc|zero-shot", "86.94"),
    ("mmclip", "table1", "+ Ensemble", "padchest-seen 8|f1|zero-shot", "35.61"),
    ("mmclip", "table2", "MedKlip", "padchest unseen 20|auc|zero-shot", "53.73"),
    ("mmclip", "table3", "+ MIM Random, no warm up", "new validation set|f1|zero-shot", "34.49"),
    ("mmclip", "table4", "+ EntMLM 0.3", "new validation set|auc|zero-shot", "75.44"),
    ("maco", "table5", "+CLIP", "ms-cxr|pg|zero-shot", "0.366"),
    ("maco", "table5", "+Interaction Weighted", "rsna|auc|100%", "93.3"),
]


@pytest.mark.parametrize(("key", "table"), SHAPES)
def test_printed_tables_have_all_rows_and_numbers(repository, key, table):
    published = read_published(repository / f"config/published/{key}.csv", table)
    assert (len(published.rows), len(published.cells)) == SHAPES[key, table]


@pytest.mark.parametrize(("key", "table", "row", "column", "value"), SPOT_CHECKS)
def test_printed_values_are_digit_for_digit(repository, key, table, row, column, value):
    assert read_published(repository / f"config/published/{key}.csv", table).cells[row, column] == value


@pytest.mark.parametrize("key", ["mnm", "maco", "medim", "dmlm"])
def test_best_printed_values_are_the_papers_own(repository, key):
    """Each paper says that its method wins everywhere in Table 1; a value in the wrong column would break that."""
    published = read_published(repository / f"config/published/{key}.csv", "table1")
    for column in published.columns:
        values = {row: published.value(row, column) for row in published.rows}
        assert values[published.rows[-1]] == max(value for value in values.values() if value is not None), column


def test_averages_of_maco_table2_are_the_means_of_their_diseases(repository):
    published = read_published(repository / "config/published/maco.csv", "table2")
    num_checked = 0
    for row in published.rows:
        for fraction in ("1%", "10%", "100%"):
            key = f"nih|auc|{fraction}"
            diseases = [float(v) for (r, c), v in published.cells.items() if r == row and c.startswith(f"{key}|")]
            if diseases:
                assert len(diseases) == 14
                assert published.value(row, key) == pytest.approx(sum(diseases) / 14, abs=0.06)
                num_checked += 1
    assert num_checked == 18


def test_ablation_ends_with_the_same_numbers_as_the_main_table(repository):
    path = repository / "config/published/mnm.csv"
    for metric in ("auc", "f1", "acc"):
        key = f"nih chest x-ray|{metric}|zero-shot"
        assert len({read_published(path, table).cells["M&M", key] for table in ("table2", "table6", "table7")}) == 1


def test_two_papers_of_the_same_group_print_the_same_numbers(repository):
    """D-MLM repeats the rows of Masks & Manuscripts, whose Tables 7 and 6 are its Tables 6 and 7."""
    num_checked, swapped = 0, {"table6": "table7", "table7": "table6"}
    for table in (f"table{n}" for n in range(1, 8)):
        theirs = read_published(repository / "config/published/mnm.csv", swapped.get(table, table)).cells
        for (row, column), value in read_published(repository / "config/published/dmlm.csv", table).cells.items():
            if (row, column) in theirs:
                assert theirs[row, column] == value, (table, row, column)
                num_checked += 1
    assert num_checked == 249  # 252 cells stand in both; "GLoRIA" is written differently in Table 3


def test_column_key_joins_as_printed_in_lower_case():
    assert column_key("RSNA Pneumonia", "AUC", "1%") == "rsna pneumonia|auc|1%"
    assert column_key("NIH", "AUC", "1%", "Pleural_Thickening") == "nih|auc|1%|pleural thickening"
    assert detail_key("row|pretrain-dataset|") == "pretrain-dataset"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("table,row,value\n", "first line"),
        ("table,row,column,value\ntable1,A,x|auc|1%,eighty\n", "line 2, column value"),
        ("table,row,column,value\ntable1,A,x|auc|1%,80\ntable1,A,x|auc|1%,81\n", "line 3"),
        ("table,row,column,value\ntable1,A,80\n", "line 2"),
    ],
)
def test_bad_files_are_named_with_their_line(tmp_path, text, told):
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=told) as error:
        read_published(path, "table1")
    assert str(path) in str(error.value)


def test_an_unknown_table_is_empty(repository):
    assert read_published(repository / "config/published/mnm.csv", "linear_probe").rows == ()
