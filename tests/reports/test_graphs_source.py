import json
import tracemalloc

import pytest

from maskray.config.preprocessing import ReportsConfig
from maskray.errors import InputError
from maskray.reports import graphs_source
from maskray.reports.graphs_source import GraphsSource, study_of
from maskray.reports.triplets import Unread, source_of

TEXT = "Small left effusion.\n\nNo edema."


def entity(tokens, label, start, *relations):
    end = start + len(tokens.split()) - 1
    return {
        "tokens": tokens,
        "label": label,
        "start_ix": start,
        "end_ix": end,
        "relations": [list(r) for r in relations],
    }


GRAPH = {
    "text": "INDICATION : Edema ? FINDINGS : Small left effusion . IMPRESSION : No edema .",
    "entities": {
        "1": entity("Edema", "OBS-U", 2),
        "2": entity("Small", "OBS-DP", 6, ("modify", "4")),
        "3": entity("left", "ANAT-DP", 7, ("modify", "4")),
        "4": entity("effusion", "OBS-DP", 8, ("located_at", "3")),
        "5": entity("edema", "OBS-DA", 13),
    },
    "data_source": None,
}  # fmt: skip


def written(folder, graphs, name="graphs.json", **style):
    path = folder / name
    path.write_text(json.dumps(graphs, **style), encoding="utf-8")
    return path


def source_with(folder, graphs):
    return source_of(ReportsConfig(triplets="graphs", graphs=str(written(folder, graphs))))


def seen(found, text=TEXT):
    return [(t.entity, t.position, t.exist, t.sentence, text[t.start : t.end]) for t in found]


def test_spans_point_into_the_report_and_other_sections_are_left_out(tmp_path):
    source = source_with(tmp_path, {"p10/p10000032/s50414267.txt": GRAPH})
    (found,) = source.extract([TEXT], ["s50414267"])
    assert seen(found) == [
        ("pleural effusion", "left", "present", 0, "effusion"), ("pulmonary edema", "", "absent", 1, "edema"),
    ]  # fmt: skip


def test_each_way_to_fail_is_told(tmp_path):
    graphs = {
        "p10/p1/s1.txt": GRAPH | {"text": "FINDINGS : Lungs are clear . IMPRESSION : No disease of any kind here ."},
        "p10/p1/s2.txt": GRAPH,
        "p11/p2/s2.txt": GRAPH,
        "p10/p1/s3.txt": {"text": TEXT},
        "p10/p1/s4.txt": {"text": TEXT, "entities": {"1": entity("left", "OBS-DP", 1, ("modify", "9"))}},
        "p10/p1/s5.txt": None,
    }
    found = source_with(tmp_path, graphs).extract([TEXT] * 6, ["s1", "s2", "s3", "s4", "s5", "s6"])
    assert [each.reason for each in found if isinstance(each, Unread)] == [
        "has a graph of another text (20% of the words align)",
        "has two graphs of this study",
        *["has a damaged graph of this study"] * 3,
        "has no graph of this study",
    ]


def test_measurements_are_no_findings_and_name_no_place(tmp_path):
    text = "Tube tip 4 cm above carina. Nodule of 3 mm."
    graph = {
        "text": "Tube tip 4 cm above carina . Nodule of 3 mm .",
        "entities": {
            "1": entity("Tube", "Observation::definitely present", 0),
            "2": entity("4 cm", "Anatomy::measurement::definitely present", 2, ("modify", "3")),
            "3": entity("carina", "Anatomy::definitely present", 5),
            "4": entity("Nodule", "Observation::definitely present", 7, ("located_at", "3")),
            "5": entity("3 mm", "Observation::measurement::definitely present", 9, ("modify", "4")),
        },
    }
    (found,) = source_with(tmp_path, {"s1.txt": graph}).extract([text], ["s1"])
    assert [(t.position, text[t.start : t.end]) for t in found] == [("", "Tube"), ("carina", "Nodule")]


@pytest.mark.parametrize("style", [{}, {"indent": 2}, {"ensure_ascii": False}, {"separators": (",", ":")}])
@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
def test_any_chunk_and_any_layout_finds_every_entry(tmp_path, monkeypatch, style, chunk):
    monkeypatch.setattr(graphs_source, "_CHUNK", chunk)
    graphs = {f"p10/p1/s{i}.txt": {"text": 'é "{}, \\ ü' * i, "entities": {}} for i in range(8)}
    source = GraphsSource(str(written(tmp_path, graphs, **style)))
    with (tmp_path / "graphs.json").open("rb") as handle:
        for i in range(8):
            assert graphs_source._load(handle, source._places[f"s{i}"]) == graphs[f"p10/p1/s{i}.txt"]
    assert GraphsSource(str(written(tmp_path, {}))).extract([TEXT], ["s1"]) == [Unread("has no graph of this study")]


def test_memory_does_not_grow_with_the_graphs(tmp_path, monkeypatch):
    monkeypatch.setattr(graphs_source, "_CHUNK", 1 << 16)
    path = written(tmp_path, {f"p1/p1/s{i}.txt": {"text": "word " * 4000, "entities": {}} for i in range(500)})
    tracemalloc.start()
    GraphsSource(str(path))
    _, highest = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert path.stat().st_size > 10_000_000
    assert highest < 2_000_000


@pytest.mark.parametrize("content", ["", "[]", '{"s1": {}', '{"s1": {"text": }}', '{"s1" {}}', '{"s1": {}} {"s2": {}}'])
def test_a_damaged_file_is_named_with_the_byte(tmp_path, content):
    (tmp_path / "bad.json").write_text(content)
    with pytest.raises(InputError, match=r"bad\.json: not a whole JSON file of graphs \(byte \d+\): fetch"):
        GraphsSource(str(tmp_path / "bad.json"))


def test_no_file_no_setting_no_study(tmp_path):
    with pytest.raises(InputError, match=r"reports\.graphs is not set.*physionet"):
        source_of(ReportsConfig(triplets="graphs"))
    with pytest.raises(InputError, match=r"none\.json: No such file"):
        GraphsSource(str(tmp_path / "none.json"))
    with pytest.raises(InputError, match="--study"):
        source_with(tmp_path, {}).extract([TEXT])


def test_keys_become_the_readers_studies():
    assert study_of("p10/p10000032/s50414267.txt") == "s50414267"
    assert study_of("CheXpert-v1.0/train/patient00001/study2/view1_frontal.jpg") == "patient00001/study2"
    assert study_of("patient00001/study2.txt") == "patient00001/study2"
    assert study_of("other") == "other"
