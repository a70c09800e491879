import logging

import numpy as np
import pytest
from PIL import Image

from maskray.config.preprocessing import CheckDataConfig, ImagesConfig
from maskray.config.stages import CheckDataStage
from maskray.config.workflow import SiteConfig
from maskray.data.inspection import Count, LabelCount, inspect, inspect_all
from tests.data.layouts import OPENI_REPORTS, WRITERS, dataset, write_mimic, write_mimic_reports, write_nih, write_openi

FILMS = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8))


def stage(*datasets, **images):
    return CheckDataStage(
        datasets={one.name: one for one in datasets},
        images=ImagesConfig(**images),
        check_data=CheckDataConfig(decode="all"),
    )


def look(settings, site, **images):
    return inspect(settings, {"folder": None, "reports": None, "annotations": None} | site, stage(settings, **images))


def paint(folder):
    """Real films in place of the empty files of the layouts."""
    for path in [*folder.rglob("*.png"), *folder.rglob("*.jpg")]:
        FILMS.save(path)
    return folder


def test_a_whole_copy_is_complete_with_all_counts(tmp_path):
    settings = dataset("nih", expected={"images": 4, "patients": 3})
    found = look(settings, {"folder": paint(write_nih(tmp_path))})
    assert (found.state, found.problem, found.is_bad) == ("complete", "", False)
    assert found.counts == (Count("images", 4, 4), Count("patients", 3, 3), Count("studies", 4, None))
    assert LabelCount("Hernia", 1, 3, 0) in found.labels
    assert found.views == {"PA": 3, "AP": 1}
    assert found.parts == {"test": 2, "train": 2}
    assert found.marks == {"boxes": 2, "rle": 0, "mask": 0}
    assert (found.films.num_files, found.films.num_decoded, found.films.damaged) == (4, 4, ())
    assert found.reports is None
    assert found.notes == ()


@pytest.mark.parametrize(
    ("expected", "made", "state"),
    [
        ({"images": 5}, False, "partial"),
        ({"images": 3}, False, "differs"),
        ({"images": 4, "patients": 9}, False, "partial"),
        (None, False, "found"),
        ({"images": 9}, True, "made"),
    ],
)
def test_a_copy_is_called_partial_only_where_counts_say_so(tmp_path, expected, made, state):
    found = look(dataset("nih", expected=expected, made=made), {"folder": paint(write_nih(tmp_path))})
    assert (found.state, found.is_bad) == (state, False)
    assert (found.counts[0].expected is None) == (made or expected is None)


def test_without_a_folder_it_is_not_configured_and_the_key_is_named():
    found = look(dataset("nih"), {})
    assert (found.state, found.problem) == ("not configured", "no folder is named in site.nih.folder")
    assert not found.is_bad


def test_additions_to_other_films_need_both_folders(tmp_path):
    settings = dataset("nih").model_copy(update={"name": "edema", "images_of": "mimic"})
    assert look(settings, {}).problem == "no folder is named in site.mimic.folder and site.edema.annotations"
    assert look(settings, {"folder": tmp_path}).problem == "no folder is named in site.edema.annotations"


def test_what_the_reader_refuses_is_the_finding(tmp_path):
    table = write_nih(tmp_path) / "Data_Entry_2017_v2020.csv"
    table.write_text(table.read_text().replace("Hernia", "Flu"))
    found = look(dataset("nih"), {"folder": tmp_path})
    assert (found.state, found.is_bad) == ("cannot be read", True)
    assert "line 5, column Finding Labels: unknown finding 'Flu'" in found.problem
    found = look(dataset("nih"), {"folder": tmp_path / "elsewhere"})
    assert "no such folder; the nih data: https://example.org" in found.problem


def test_a_folder_that_may_not_be_opened_is_a_finding_too(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied", "secret")

    monkeypatch.setattr("maskray.data.readers.nih.read_table", refuse)
    found = look(dataset("nih"), {"folder": write_nih(tmp_path)})
    assert found.state == "cannot be read"
    assert "Permission denied: 'secret'" in found.problem


def test_warnings_of_the_reader_become_notes_and_are_still_logged(tmp_path, caplog):
    folder = paint(write_nih(tmp_path))
    (folder / "images/00000003_000.png").rename(folder / "images/00000004_000.png")
    (folder / "test_list.txt").unlink()
    found = look(dataset("nih", expected={"images": 4}), {"folder": folder})
    assert len(found.notes) == 3
    assert any(note.startswith("1 of 4 rows have no image file") for note in found.notes)
    assert any("1 image file(s) have no row" in note and "00000004_000.png" in note for note in found.notes)
    assert any("test_list.txt is not there" in note for note in found.notes)
    assert all(note in caplog.text for note in found.notes)
    assert found.films.unused == ("images/00000004_000.png",)
    assert not any(type(h).__name__ == "Collector" for h in logging.getLogger("maskray").handlers)


def test_empty_films_are_counted_and_too_many_of_them_are_a_problem(tmp_path):
    folder = paint(write_nih(tmp_path))
    (folder / "images/00000001_001.png").write_bytes(b"")
    found = look(dataset("nih"), {"folder": folder}, max_rejected_fraction=0.25)
    assert (found.state, len(found.films.unreadable)) == ("found", 1)
    found = look(dataset("nih"), {"folder": folder}, max_rejected_fraction=0.2)
    assert (found.state, found.is_bad) == ("too many bad films", True)
    assert found.problem.startswith("1 of 4 film files cannot be used, more than images.max_rejected_fraction = 0.2")


def test_reports_are_counted_against_the_studies(tmp_path):
    settings = dataset("mimic", has_reports=True)
    folder = paint(write_mimic(tmp_path / "jpg"))
    reports = write_mimic_reports(tmp_path / "reports", zipped=True)
    found = look(settings, {"folder": folder, "reports": reports})
    assert (found.reports.reports, found.reports.studies, found.reports.studies_without) == (2, 3, 1)
    assert found.labels[0] == LabelCount("No Finding", 2, 0, 2)


def test_reports_that_are_named_and_not_there_are_a_problem(tmp_path):
    settings, folder = dataset("mimic", has_reports=True), paint(write_mimic(tmp_path / "jpg"))
    (tmp_path / "empty").mkdir()
    found = look(settings, {"folder": folder, "reports": tmp_path / "empty"})
    assert (found.state, found.is_bad) == ("cannot be read", True)
    assert "mimic-cxr-reports.zip: missing" in found.problem
    assert found.counts


def test_reports_that_are_not_named_are_only_said(tmp_path):
    folder = paint(write_mimic(tmp_path / "jpg"))
    found = look(dataset("mimic", has_reports=True), {"folder": folder})
    assert (found.state, found.problem) == ("found", "")
    assert "no report (s<digits>.txt) inside" in found.reports.problem


def test_no_word_of_a_report_is_kept(tmp_path):
    found = look(dataset("openi", has_reports=True), {"folder": paint(write_openi(tmp_path))})
    assert found.reports.reports == len(OPENI_REPORTS)
    assert found.views == {"": 3, "AP": 1, "PA": 1}
    assert "Stable" not in repr(found)
    assert "Text" not in repr(found)


def test_every_data_set_of_a_run_is_looked_at_in_its_order_and_none_stops_the_others(tmp_path):
    names = [*WRITERS][::-1]
    sites = {name: {"folder": str(paint(WRITERS[name](tmp_path / name)))} for name in names}
    sites |= {"nih": {"folder": str(tmp_path / "gone")}, "siim": {"folder": None}}
    run = stage(*(dataset(name) for name in names), max_rejected_fraction=1)
    found = inspect_all(run, SiteConfig(site={name: site for name, site in sites.items() if name != "chexpert"}))
    states = {one.dataset.name: one.state for one in found}
    assert list(states) == names
    assert (states["nih"], states["siim"], states["chexpert"]) == ("cannot be read", "not configured", "not configured")
    assert {states[name] for name in names} - {"not configured", "cannot be read"} == {"found"}
