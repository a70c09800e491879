"""Whatever a report is, it ends as a row or as a line of failures with its reason: never lost, never fatal."""

import csv
import json

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maskray.config.preprocessing import ReportsConfig
from maskray.errors import InputError
from maskray.reports import structure
from maskray.reports.graphs_source import GraphsSource
from maskray.reports.rules import RuleSource
from maskray.reports.structure import structure_reports
from maskray.reports.triplets import Triplet, Unread, read_triplets

WORDS = (
    *("no", "effusion", "left.", "FINDINGS:", "IMPRESSION:", "1.", "\n\n", "HISTORY:", "XXXX", "___", "may", "?"),
    *("\x00", "\ud800", "é", "☃", "2.5cm", "--", "/", "(", ")."),
)
TEXTS = st.one_of(
    st.text(max_size=40),
    st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join),
    st.sampled_from([None, float("nan"), 7, b"bytes", "", "   ", "\n", "FINDINGS:", "no " * 3000]),
)


class Fragile:
    """Fails on some texts, has no answer or a reason for others: as a model may."""

    def extract(self, texts, studies=()):
        assert len(texts) == len(studies)
        if any("left" in text for text in texts):
            raise RuntimeError("the text was: left")
        return [None if "no" in t else Unread("is moody") if "may" in t else [] for t in texts]


RULES = RuleSource()


@pytest.fixture(scope="module")
def graphs(tmp_path_factory):
    path = tmp_path_factory.mktemp("graphs") / "graphs.json"
    entity = {"tokens": "effusion", "label": "OBS-DA", "start_ix": 1, "end_ix": 1, "relations": []}
    graph = {"text": "no effusion", "entities": {"1": entity}}
    path.write_text(json.dumps({f"p1/p1/s{i}.txt": graph if i % 2 else {} for i in range(6)}))
    return GraphsSource(str(path))


@pytest.mark.parametrize("name", ["rules", "graphs", "fragile"])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(TEXTS, max_size=8))
def test_every_report_is_a_row_or_a_failure(tmp_path, graphs, name, texts):
    source = {"rules": RULES, "graphs": graphs, "fragile": Fragile()}[name]
    reports = [(f"s{i}", text) for i, text in enumerate(texts)]
    paths = tmp_path / "0.parquet", tmp_path / "0.csv"
    # A source that fails on all of several is to blame, not the reports; here some text is always readable.
    reports.append(("s9", "FINDINGS: The lungs are clear."))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structure, "source_of", lambda config: source)
        structure_reports(lambda: iter(reports), ReportsConfig(), "ds", 0, 1, *paths)
    rows = pq.read_table(tmp_path / "0.parquet")["study_id"].to_pylist()
    with (tmp_path / "0.csv").open(newline="", encoding="utf-8") as handle:
        failures = {row["study_id"]: row["reason"] for row in csv.DictReader(handle)}
    assert sorted(rows + list(failures)) == sorted(study for study, _ in reports)
    assert all(failures.values())
    for study, text in reports:
        if not isinstance(text, str):
            assert failures[study] == "not text"
        elif not text.strip():
            assert failures[study] in ("empty", "not text")


def test_one_bad_report_does_not_take_the_others_with_it():
    found = read_triplets(Fragile(), ["left", "no", "may", "clear"], ["a", "b", "c", "d"])
    assert found == [Unread("failed (RuntimeError)"), Unread("gave no answer"), Unread("is moody"), []]


def test_a_source_that_fails_on_all_is_to_blame():
    with pytest.raises(InputError, match=r"Fragile failed on each of 2 reports \(RuntimeError\)") as caught:
        read_triplets(Fragile(), ["left", "left"], ["a", "b"])
    assert "the text" not in str(caught.value)


def test_what_the_user_can_mend_passes_through():
    class Unset:
        def extract(self, texts, studies=()):
            raise InputError("set it")

    with pytest.raises(InputError, match="set it"):
        read_triplets(Unset(), ["a"], ["s"])


def test_triplets_pass_unchanged():
    class One:
        def extract(self, texts, studies=()):
            return [[Triplet("edema", "", "absent", 0, 0, 1)] for _ in texts]

    assert read_triplets(One(), ["edema"], ["s"]) == [[Triplet("edema", "", "absent", 0, 0, 1)]]
