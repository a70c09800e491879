import pytest

from maskray.data.readers.covid_chestxray import read_index, read_reports
from maskray.data.tables import read_table
from maskray.errors import InputError
from tests.data.layouts import COVID_ROWS, dataset, label, write_covid_chestxray


def test_frontal_films_with_labels_of_both_spellings(tmp_path):
    index = read_index({"folder": write_covid_chestxray(tmp_path)}, dataset("covid_chestxray"))
    assert list(index["image_id"]) == ["a.jpg", "b.jpg", "c.png", "d.jpeg", "e.jpg", "f.jpg", "g.jpg", "h.jpg"]
    assert list(index["view"]) == ["PA", "AP", "AP", "PA", "PA", "PA", "AP", "AP"]
    assert label(index, "COVID-19") == [1, 1, 1, 0, None, 0, 0, 0]
    assert label(index, "Pneumonia") == [1, 1, 1, 0, None, None, 1, 0]
    assert label(index, "No Finding") == [0, 0, 0, 1, None, 0, 0, 0]


def test_images_with_one_note_are_one_study_with_one_report(tmp_path):
    site = {"folder": write_covid_chestxray(tmp_path)}
    index = read_index(site, dataset("covid_chestxray"))
    assert list(index["study_id"])[:4] == ["a.jpg", "a.jpg", "c.png", "d.jpeg"]
    reports = list(read_reports(site, dataset("covid_chestxray")))
    assert reports == [("a.jpg", "Bilateral opacities,\nno effusion."), ("c.png", "Better.")]


def test_row_order_does_not_matter(tmp_path):
    one, two = write_covid_chestxray(tmp_path / "1"), write_covid_chestxray(tmp_path / "2", COVID_ROWS[::-1])
    settings = dataset("covid_chestxray")
    assert read_index({"folder": one}, settings).equals(read_index({"folder": two}, settings))
    assert list(read_reports({"folder": one}, settings)) == list(read_reports({"folder": two}, settings))


def test_line_numbers_count_line_breaks_in_notes(tmp_path):
    """Two notes before the repeated row have a line break each: row 11 of the table is line 14 of the file."""
    write_covid_chestxray(tmp_path, [*COVID_ROWS, COVID_ROWS[3]])
    with pytest.raises(InputError, match=r"metadata.csv, line 14, column filename"):
        read_index({"folder": tmp_path}, dataset("covid_chestxray"))


def test_new_finding_is_said_and_not_guessed(tmp_path, caplog):
    write_covid_chestxray(tmp_path, [*COVID_ROWS[4:], COVID_ROWS[0].replace("Pneumonia/Viral/COVID-19", "Martian flu")])
    index = read_index({"folder": tmp_path}, dataset("covid_chestxray"))
    assert (label(index, "COVID-19")[0], label(index, "Pneumonia")[0]) == (0, None)
    assert "'Martian flu' is new" in caplog.text


def test_unknown_label_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"unknown label\(s\) Pneumothorax; there are COVID-19, Pneumonia, No Finding"):
        read_index({"folder": write_covid_chestxray(tmp_path)}, dataset("covid_chestxray", labels=["Pneumothorax"]))


def test_real_films(shared_data):
    folder = shared_data / "covid-chestxray"
    table = read_table(folder / "metadata.csv", ["patientid", "filename", "clinical_notes", "view", "finding"])
    assert (len(table.rows), table["patientid"].nunique(), (table["clinical_notes"] != "").sum()) == (310, 162, 218)
    index = read_index({"folder": folder}, dataset("covid_chestxray"))
    assert index["view"].value_counts().to_dict() == {"PA": 152, "AP": 109}
    frontal = table.rows[table["filename"].isin(index["image_id"])]
    assert sum(value == 1 for value in label(index, "COVID-19")) == frontal["finding"].str.contains("COVID-19").sum()
    reports = dict(read_reports({"folder": folder}, dataset("covid_chestxray")))
    assert set(reports) <= set(index["study_id"])
    assert index["study_id"].isin(list(reports)).sum() == (frontal["clinical_notes"] != "").sum()
