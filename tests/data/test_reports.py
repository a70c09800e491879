import pytest

from maskray.config.dataset import DatasetConfig
from maskray.data.reports import report_of, reports_of
from maskray.errors import InputError


def settings(**changes):
    return DatasetConfig.model_validate(
        {"name": "mimic", "title": "M", "reader": "mimic", "licence": "none", "access": "x", "labels": [],
         "has_reports": True} | changes
    )  # fmt: skip


def test_one_study_or_all(tmp_path):
    folder = tmp_path / "mimic-cxr-reports/files/p10/p10000001"
    folder.mkdir(parents=True)
    (folder / "s50000001.txt").write_text("No effusion.")
    site = {"folder": tmp_path, "reports": tmp_path}
    assert list(reports_of(settings(), site)()) == [("s50000001", "No effusion.")]
    assert report_of(settings(), site, "s50000001") == "No effusion."
    with pytest.raises(InputError, match="no report of a study 's5'"):
        report_of(settings(), site, "s5")
    with pytest.raises(InputError, match="has no reports"):
        reports_of(settings(has_reports=False), site)
