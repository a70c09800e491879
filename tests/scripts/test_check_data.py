import json

import pytest

from tests.data.layouts import dataset, write_nih
from tests.scripts.programs import run_program


@pytest.fixture
def start(tmp_path):
    """Check nih, which is there, and siim, which is not configured."""
    folder = write_nih(tmp_path / "site")
    datasets = {name: dataset(name).model_dump(mode="json") for name in ("nih", "siim")}

    def run(*arguments, **images):
        return run_program(
            "check_data",
            *("--settings", json.dumps({"datasets": datasets, "images": images})),
            *("--site", json.dumps({"site": {"nih": {"folder": str(folder)}}})),
            *("--html", str(tmp_path / "out/page.html"), "--markdown", str(tmp_path / "out/page.md"), *arguments),
        )

    return run


def test_help_answers():
    result = run_program("check_data", "--help")
    assert result.returncode == 0
    assert "--decode N|all" in result.stdout


def test_pages_are_written_and_the_summary_is_printed(start, tmp_path):
    """The films of the layout are empty files, which is allowed here."""
    result = start("--decode", "all", max_rejected_fraction=1)
    assert result.returncode == 0, result.stderr
    assert "siim      not configured" in result.stdout
    assert "nih: images/00000001_000.png: the file is empty (0 bytes)" in result.stdout
    assert f"Page: {tmp_path}/out/page.html" in result.stdout
    assert "4 of 4 cannot be films" in (tmp_path / "out/page.html").read_text()
    assert "4 of 4 cannot be films" in (tmp_path / "out/page.md").read_text()


def test_a_data_set_that_cannot_be_used_fails_after_the_page_is_written(start, tmp_path):
    result = start()
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("error: nih: configured, but a run would stop there;")
    assert "Traceback" not in result.stderr
    assert (tmp_path / "out/page.html").is_file()
    assert (tmp_path / "out/page.md").is_file()


@pytest.mark.parametrize(("number", "status"), [("-1", 1), ("few", 2)])
def test_an_impossible_number_of_films_is_refused_and_nothing_is_written(start, tmp_path, number, status):
    result = start("--decode", number)
    assert result.returncode == status
    assert "--decode" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()
