"""``snakemake check_data``: asks for nothing else, runs whenever it is asked for, and keeps its page where it fails."""

import yaml

SMALL = {"made": {"num_studies": {"mimic": 8, "nih": 8}, "image_px": 32}}


def test_made_data_are_painted_first_and_checked_again_each_time(fresh):
    (fresh.folder / "small.yaml").write_text(yaml.safe_dump(SMALL))
    asked = ("--configfile", "micro.yaml", "small.yaml", "--", "check_data")
    fresh.snakemake(*asked)
    page = (fresh.folder / "results/micro/data/check_data.html").read_text()
    assert "MADE DATA for tests" in page
    assert page.count('<span class="state made">') == 5  # overview, its legend, and a section each
    assert fresh.job_counts(*asked) == {"check_data": 1, "total": 1}


def test_a_configured_folder_that_cannot_be_read_fails_and_the_page_stays(fresh):
    (fresh.folder / "empty").mkdir()
    site = "site={nih: {folder: empty}}"
    result = fresh.snakemake("--config", site, "--", "check_data", check=False)
    assert result.returncode != 0
    told = result.stdout + result.stderr
    assert "error: nih: configured, but a run would stop there; results/data/check_data.html says why" in told
    assert "Traceback" not in told
    page = (fresh.folder / "results/data/check_data.html").read_text()
    assert "empty/Data_Entry_2017_v2020.csv: missing" in page
    assert "no folder is named in site.mimic.folder" in page
