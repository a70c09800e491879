import csv
import json
import tracemalloc

import pyarrow.parquet as pq
import pytest

from maskray.config.preprocessing import ReportsConfig
from maskray.errors import InputError
from maskray.reports import structure
from maskray.reports.structure import collect_reports, structure_reports, text_of

REPORTS = [
    ("s1", "FINDINGS: Small left pleural effusion. No pneumothorax.\nIMPRESSION: 1. Effusion."),
    ("s2", "The lungs are clear."),
    ("s3", ""),
    ("s4", "HISTORY: cough"),
    ("s5", "IMPRESSION: Normal heart size."),
    ("s6", "FINDINGS: Two views."),
    ("s2", "again"),
]


def make(tmp_path, part=0, num_parts=1, reports=REPORTS, config=None, name="ds"):
    paths = tmp_path / f"{part}.parquet", tmp_path / f"{part}.failed.csv"
    structure_reports(lambda: iter(reports), config or ReportsConfig(), name, part, num_parts, *paths)
    return paths


def rows_of(path):
    return pq.read_table(path).to_pylist()


def failures_of(path):
    with path.open(newline="") as handle:
        return [tuple(row.values()) for row in csv.DictReader(handle)]


def test_rows(tmp_path):
    reports, failed = make(tmp_path)
    rows = {row["study_id"]: row for row in rows_of(reports)}
    assert list(rows) == ["s1", "s2", "s5", "s6"]
    first = rows["s1"]
    assert first["sentences"] == ["Small left pleural effusion.", "No pneumothorax.", "Effusion."]
    text = text_of(first["findings"], first["impression"])
    triplets = json.loads(first["triplets"])
    assert [(t["entity"], t["position"], t["exist"], t["sentence"], text[t["start"] : t["end"]]) for t in triplets] == [
        ("pleural effusion", "left pleural space", "present", 0, "pleural effusion"),
        ("pneumothorax", "", "absent", 1, "pneumothorax"),
        ("pleural effusion", "", "present", 2, "Effusion"),
    ]
    answers = [first["manuscript"][start:end] for start, end in json.loads(first["answers"])]
    assert answers == ["Yes", "No", "Yes", "absent", "present"]
    raw = dict(REPORTS[:6])["s1"]
    evidence = [
        {role: [raw[start:end] for start, end in spans] for role, spans in statement.items()}
        for (statement,) in json.loads(first["evidence"])
    ]
    assert evidence == [
        {"finding": ["pleural effusion"], "place": ["left"], "answer": ["pleural effusion"]},
        {"finding": ["pneumothorax"], "place": [], "answer": ["No"]},
        {"finding": ["Effusion"], "place": [], "answer": ["Effusion"]},
    ]
    assert json.loads(first["grounds"]) == [[1], [0, 2]]
    assert all(row["manuscript"] for row in rows.values())
    assert sorted(failures_of(failed)) == [
        ("s2", "a second report of this study"), ("s3", "empty"), ("s4", "no findings or impression"),
    ]  # fmt: skip


def test_parts_are_contiguous_slices_that_lose_nothing(tmp_path):
    reports = [(f"s{i:02}", "No effusion.") for i in range(10)]
    paths = [make(tmp_path, part, 3, reports[::-1]) for part in range(3)]
    parts = [sorted(row["study_id"] for row in rows_of(path)) for path, _ in paths]
    assert [study for part in parts for study in part] == [study for study, _ in reports]
    collect_reports([p for p, _ in paths], [f for _, f in paths], tmp_path / "all.parquet", tmp_path / "all.csv")
    assert len(rows_of(tmp_path / "all.parquet")) == 10


def test_more_parts_than_studies(tmp_path):
    paths = [make(tmp_path, part, 3, REPORTS[:1]) for part in range(3)]
    collect_reports([p for p, _ in paths], [f for _, f in paths], tmp_path / "all.parquet", tmp_path / "all.csv")
    assert [row["study_id"] for row in rows_of(tmp_path / "all.parquet")] == ["s1"]


def test_same_input_same_bytes(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        make(folder, 0, 2)
        make(folder, 1, 2)
        collect_reports(
            [folder / "1.parquet", folder / "0.parquet"], [folder / "1.failed.csv", folder / "0.failed.csv"],
            folder / "all.parquet", folder / "all.csv",
        )  # fmt: skip
    for name in ("0.parquet", "1.parquet", "all.parquet", "all.csv", "0.failed.csv"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_a_source_without_an_answer_is_a_failure(tmp_path, monkeypatch):
    class Mute:
        def extract(self, texts, studies=()):
            return [None for _ in texts]

    monkeypatch.setattr(structure, "source_of", lambda config: Mute())
    reports, failed = make(tmp_path, reports=REPORTS[:1])
    assert rows_of(reports) == []
    assert failures_of(failed) == [("s1", "rules gave no answer")]


def test_memory_stays_flat(tmp_path, monkeypatch):
    class Silent:
        def extract(self, texts, studies=()):
            return [[] for _ in texts]

    monkeypatch.setattr(structure, "source_of", lambda config: Silent())

    def peak(num_reports):
        def read():
            return ((f"s{i:05}", f"FINDINGS: {'word ' * 300}{i}.") for i in range(num_reports))

        tracemalloc.start()
        structure_reports(read, ReportsConfig(), "ds", 0, 1, tmp_path / "x.parquet", tmp_path / "x.csv")
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    assert peak(1200) < 2 * peak(300)


def test_bad_part(tmp_path):
    with pytest.raises(InputError, match="--part 2"):
        make(tmp_path, 2, 2)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("chosen", "message"),
    [([0], "missing: 1"), ([0, 0], "missing: 1"), ([0, 1, 1], "given twice")],
)
def test_missing_and_doubled_parts(tmp_path, chosen, message):
    paths = [make(tmp_path, part, 2) for part in range(2)]
    with pytest.raises(InputError, match=message):
        collect_reports(
            [paths[i][0] for i in chosen], [paths[i][1] for i in chosen], tmp_path / "a.parquet", tmp_path / "a.csv"
        )
    assert not (tmp_path / "a.parquet").exists()
    assert not (tmp_path / "a.csv").exists()


def test_parts_of_other_settings_are_refused(tmp_path):
    one = make(tmp_path, 0, 2)
    two = make(tmp_path, 1, 2, config=ReportsConfig(uncertain="drop"))
    with pytest.raises(InputError, match="settings differs"):
        collect_reports([one[0], two[0]], [one[1], two[1]], tmp_path / "a.parquet", tmp_path / "a.csv")


def test_a_lost_failure_is_noticed(tmp_path):
    reports, failed = make(tmp_path)
    failed.write_text("study_id,reason\n")
    with pytest.raises(InputError, match="4 of 6 studies"):
        collect_reports([reports], [failed], tmp_path / "a.parquet", tmp_path / "a.csv")


def test_a_study_in_two_parts_is_noticed(tmp_path):
    one = make(tmp_path, 0, 2, REPORTS[:2])
    two = make(tmp_path, 1, 2, [("s0", "No effusion."), REPORTS[0]])
    with pytest.raises(InputError, match="study s1 stands also in"):
        collect_reports([one[0], two[0]], [one[1], two[1]], tmp_path / "a.parquet", tmp_path / "a.csv")


def test_files_that_are_no_parts(tmp_path):
    reports, failed = make(tmp_path)
    (tmp_path / "text.parquet").write_text("no parquet")
    for bad, message in (
        (tmp_path / "text.parquet", "not a Parquet file"),
        (tmp_path / "none.parquet", "no such file"),
    ):
        with pytest.raises(InputError, match=message):
            collect_reports([bad], [failed], tmp_path / "a.parquet", tmp_path / "a.csv")
    with pytest.raises(InputError, match="1 --parts but 0 --failed"):
        collect_reports([reports], [], tmp_path / "a.parquet", tmp_path / "a.csv")
    with pytest.raises(InputError, match="no such file"):
        collect_reports([reports], [tmp_path / "none.csv"], tmp_path / "a.parquet", tmp_path / "a.csv")
