import json
import sys
from pathlib import Path

import pytest

from maskray.config.preprocessing import ReportsConfig
from maskray.errors import InputError
from maskray.reports.radgraph_source import RadGraphSource, triplets_of_graph
from maskray.reports.triplets import source_of

sys.path.insert(0, str(Path(__file__).parent))

PRESENT, ABSENT, UNCERTAIN = (f"Observation::{x}" for x in ("definitely present", "definitely absent", "uncertain"))
ANATOMY = "Anatomy::definitely present"
SHORT = {PRESENT: "OBS-DP", ABSENT: "OBS-DA", UNCERTAIN: "OBS-U", ANATOMY: "ANAT-DP"}


def entity(tokens, label, start, end=None, *relations):
    return {"tokens": tokens, "label": label, "start_ix": start, "end_ix": end or start, "relations": list(relations)}


def graph(words, *entities):
    return {"text": words, "entities": {str(i): each for i, each in enumerate(entities, 1)}}


def of(text, words, *entities):
    found = triplets_of_graph(graph(words, *entities), text)
    return [(t.entity, t.position, t.exist, t.sentence, text[t.start : t.end]) for t in found]


def test_location_modifiers_and_span():
    text = "Heart normal. Small opacity in\nthe right lower lobe."
    words = "Heart normal . Small opacity in the right lower lobe ."
    assert of(
        text, words,
        entity("Small", PRESENT, 3, 3, ["modify", "2"]),
        entity("opacity", PRESENT, 4, 4, ["located_at", "5"]),
        entity("right", ANATOMY, 7, 7, ["modify", "5"]),
        entity("lower", ANATOMY, 8, 8, ["modify", "5"]),
        entity("lobe", ANATOMY, 9),
    ) == [("lung opacity", "right lower lobe", "present", 1, "opacity")]  # fmt: skip


def test_adjective_names_the_finding():
    found = of(
        "No pleural effusion.", "No pleural effusion .",
        entity("pleural", ANATOMY, 1), entity("effusion", ABSENT, 2, 2, ["located_at", "1"]),
    )  # fmt: skip
    assert found == [("pleural effusion", "", "absent", 0, "effusion")]


def test_states_of_structures():
    assert of(
        "The lungs are clear.", "The lungs are clear .",
        entity("lungs", ANATOMY, 1), entity("clear", PRESENT, 3, 3, ["located_at", "1"]),
    ) == [("lung opacity", "", "absent", 0, "clear")]  # fmt: skip
    assert of(
        "Heart is enlarged", "Heart is enlarged",
        entity("Heart", ANATOMY, 0), entity("enlarged", PRESENT, 2, 2, ["located_at", "1"]),
    ) == [("cardiomegaly", "", "present", 0, "enlarged")]  # fmt: skip


def test_uncertain_two_places_and_unknown_words():
    found = of(
        "Foo in left base, apex", "Foo in left base , apex",
        entity("Foo", UNCERTAIN, 0, 0, ["located_at", "3"], ["located_at", "4"]),
        entity("left", ANATOMY, 2, 2, ["modify", "3"]), entity("base", ANATOMY, 3), entity("apex", ANATOMY, 5),
    )  # fmt: skip
    assert found == [("foo", "left lung base", "uncertain", 0, "Foo"), ("foo", "lung apex", "uncertain", 0, "Foo")]


def test_published_graphs_have_short_labels():
    assert of("No edema", "No edema", entity("edema", "OBS-DA", 1)) == [("pulmonary edema", "", "absent", 0, "edema")]


def test_changed_words_keep_the_rest_aligned():
    assert of('A "mass" here', "A `` mass '' here", entity("mass", PRESENT, 2))[0][-1] == "mass"


def test_missing_model_says_how_to_get_it(tmp_path):
    for cache in (None, str(tmp_path)):
        with pytest.raises(InputError, match=r"RRG_scorers.*radgraph_cache.*rules"):
            source_of(ReportsConfig(triplets="radgraph", radgraph_cache=cache))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    pytest.importorskip("radgraph")
    from radgraph_model import write_model

    cache = tmp_path_factory.mktemp("radgraph")
    write_model(cache)
    return source_of(ReportsConfig(triplets="radgraph", radgraph_cache=str(cache)))


def test_the_real_class_answers(source):
    assert isinstance(source, RadGraphSource)
    texts = ["Small left pleural effusion. No pneumothorax.", "", "No edema in the left lung."]
    first = source.extract(texts)
    assert first == source.extract(texts)
    assert first[1] == []
    assert all(found is not None for found in first)
    triplets = [(text, t) for text, found in zip(texts, first, strict=True) for t in found]
    assert triplets, "the random weights found nothing: choose another seed"
    for text, triplet in triplets:
        assert 0 <= triplet.start < triplet.end <= len(text)


def test_a_report_left_out_of_the_answer_is_none(source, monkeypatch):
    real = source._model
    monkeypatch.setattr(source, "_model", lambda texts: {k: v for k, v in real(texts).items() if k != "0"})
    first, second = source.extract(["No edema.", "No mass."])
    assert first is None
    assert second is not None


def test_an_equal_file_of_graphs_gives_the_same_triplets(source, tmp_path):
    """The class's own answer, written in PhysioNet's layout with its short labels, says the same."""
    texts = ["Small left pleural effusion. No pneumothorax.", "No edema in the left lung.\n\nSmall effusion."]
    graphs = source._model(texts)
    for graph in graphs.values():
        for each in graph["entities"].values():
            each["label"] = SHORT[each["label"]]
    (tmp_path / "graphs.json").write_text(json.dumps({f"p10/p1/s{key}.txt": graph for key, graph in graphs.items()}))
    looked_up = source_of(ReportsConfig(triplets="graphs", graphs=str(tmp_path / "graphs.json")))
    found = looked_up.extract(texts, ["s0", "s1"])
    assert found == source.extract(texts)
    assert sum(map(len, found)) > 0
