"""The open data sets' made twins, read by the shipped readers with the shipped settings."""

from collections import Counter

import pytest
from PIL import Image

from maskray.config.dataset import DatasetConfig
from maskray.config.preprocessing import MadeConfig
from maskray.data.made import make_dataset
from maskray.data.made.covid_chestxray import HEADER
from maskray.data.made.openi import write_openi_tables
from maskray.data.made.studies import draw_study
from maskray.data.registry import READERS
from maskray.reports.sections import split_sections
from tests.data.layouts import label

NUM_STUDIES = 60
CONFIG = MadeConfig(num_studies={"openi": NUM_STUDIES, "covid_chestxray": NUM_STUDIES}, image_px=32, seed=3)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    top = tmp_path_factory.mktemp("made")
    for name in CONFIG.num_studies:
        make_dataset(name, top / name, CONFIG)
    return top


def read(repository, made, name, folder=None):
    settings = DatasetConfig.read(repository / f"config/datasets/{name}.yaml")
    site = {"folder": made / (folder or name), "reports": None}
    return READERS[name].read_index(site, settings), dict(READERS[name].read_reports(site, settings))


def studies(name):
    return [draw_study(name, CONFIG.seed, number) for number in range(NUM_STUDIES)]


def test_openi_is_read_with_labels_of_what_is_named(repository, made):
    index, reports = read(repository, made, "openi")
    by_report = {f"CXR{4001 + study.number}": study for study in studies("openi")}
    assert len(reports) == NUM_STUDIES
    assert len(index) == NUM_STUDIES + sum(study.has_lateral for study in by_report.values())
    assert label(index, "No Finding").count(None) == sum(
        1 + study.has_lateral for study in by_report.values() if study.number % 30 == 29
    )
    for painted, name in (("Effusion", "Pleural Effusion"), ("Cardiomegaly", "Cardiomegaly"), ("Hernia", "Hernia")):
        for report, value in zip(index["study_id"], label(index, name), strict=True):
            named = [f for f in by_report[report].findings if f.label == painted]
            assert not value or named
            if named and named[0].is_mentioned and value is not None:
                assert value == 1
        assert label(index, name).count(1) >= 2
    assert {"PA", "AP", ""} == set(index["view"])
    assert all({"findings", "impression"} & set(split_sections(text)) for text in reports.values())
    assert not any("___" in text for text in reports.values())


def test_both_forms_of_openi_say_the_same(repository, made):
    write_openi_tables(made / "tables", iter(studies("openi")), CONFIG.image_px)
    index, reports = read(repository, made, "openi")
    other, other_reports = read(repository, made, "openi", "tables")
    apart = ["path", "view"]
    assert index.drop(columns=apart).equals(other.drop(columns=apart))
    assert reports == other_reports
    assert Counter(other["view"]) == {"FRONTAL": NUM_STUDIES, "LATERAL": len(other) - NUM_STUDIES}


def test_covid_chestxray_has_the_official_header_and_rows_that_must_be_skipped(repository, made):
    folder = made / "covid_chestxray"
    assert (folder / "metadata.csv").read_text().split("\n")[0] == HEADER
    index, reports = read(repository, made, "covid_chestxray")
    text = (folder / "metadata.csv").read_text()
    assert text.count(",L,X-ray,") >= 5
    assert text.count(",Axial,CT,") == NUM_STUDIES / 10
    assert len(index) == NUM_STUDIES
    assert set(index["view"]) == {"PA", "AP"}
    assert set(reports) <= set(index["study_id"])
    assert 0.5 * NUM_STUDIES < len(reports) < NUM_STUDIES
    for name in ("COVID-19", "Pneumonia", "No Finding"):
        assert {0, 1, None} == set(label(index, name))
    assert "Pneumonia/Viral/COVID-19" in text
    assert ',"COVID-19, ARDS",' in text or ",COVID-19," in text
    no_finding = [not study.labels() - {"Support Devices"} for study in studies("covid_chestxray")]
    assert [value == 1 for value in label(index, "No Finding")] == no_finding


def test_the_header_is_the_real_one(shared_data):
    assert (shared_data / "covid-chestxray/metadata.csv").read_text(encoding="utf-8").split("\n")[0] == HEADER


def test_names_tell_the_format(made):
    kinds = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}
    films = sorted((made / "covid_chestxray/images").iterdir())
    assert {path.suffix for path in films} == set(kinds)
    for path in films[:6]:
        with Image.open(path) as film:
            assert film.format == kinds[path.suffix]
