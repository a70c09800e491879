"""Every sentence of a manuscript is traced into the report: the spans lie in it, and are what they claim to be."""

import json
import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskray.benchmarks.made import report_texts
from maskray.config.preprocessing import ReportsConfig
from maskray.files import read_yaml
from maskray.reports.lexicon import anatomy, cues, structures
from maskray.reports.radgraph_source import triplets_of_graph
from maskray.reports.rules import RuleSource
from maskray.reports.sections import described, find_sections
from maskray.reports.structure import row_of, text_of_parts
from maskray.reports.vocabulary import FINDINGS, finding_of_words
from maskray.reports.words import plain_words

SENTENCES = [sentence for rows in read_yaml(Path(__file__).with_name("negation.yaml")).values() for sentence in rows]
CONFIG = ReportsConfig()


@cache
def source():
    return RuleSource()


@cache
def phrases(*kinds):
    return {plain_words(phrase) for kind, rows in cues().items() if kind.startswith(kinds) for phrase in rows}


@cache
def finding_words():
    owners, _, states = structures()
    names = [word for finding in FINDINGS.values() for word in finding.synonyms]
    return {plain_words(word) for word in (*names, *owners, *states)}


@cache
def normal_states():
    return {plain_words(word) for word, state in structures()[2].items() if state == "normal"}


@cache
def place_words():
    return {word for table in (anatomy().sides, anatomy().parts, anatomy().whole) for name in table
            for word in plain_words(name)}  # fmt: skip


def row(raw):
    part = described(find_sections(raw))
    return row_of("s", raw, part, source().extract([text_of_parts(part)])[0], CONFIG) if part else None


def check(raw):
    """Number of statements, each of whose spans is what it claims."""
    written = row(raw)
    if written is None:
        return 0
    observations = json.loads(written["observations"])
    evidence = json.loads(written["evidence"])
    assert len(evidence) == len(observations)
    for (entity, position, exist), statements in zip(observations, evidence, strict=True):
        assert statements
        for statement in statements:
            for span in (span for spans in statement.values() for span in spans):
                assert 0 <= span[0] < span[1] <= len(raw)
            said = {role: [plain_words(raw[start:end]) for start, end in spans] for role, spans in statement.items()}
            assert said["finding"]
            assert set(said["finding"]) <= finding_words()
            if len(statement["finding"]) == 1:
                (name,) = (raw[start:end] for start, end in statement["finding"])
                assert finding_of_words(" ".join(plain_words(name))).phrase == entity
            assert bool(said["place"]) == bool(position)
            assert all(place_words() & set(words) for words in said["place"])
            assert said["answer"]
            if exist == "present":
                assert said["answer"] == said["finding"]
            else:
                kinds = ("negation",) if exist == "absent" else ("uncertainty", "probable")
                allowed = phrases(*kinds) | (normal_states() if exist == "absent" else set())
                assert set(said["answer"]) <= allowed
    return sum(map(len, evidence))


@pytest.mark.parametrize("lead", ["", "HISTORY: No effusion.\r\n\r\nFINDINGS:\r\n", "IMPRESSION:\n 1. "])
def test_sentences_of_denial_and_doubt(lead):
    assert sum(check(lead + sentence) for sentence in SENTENCES) >= 250


def test_made_reports():
    assert sum(map(check, report_texts(300))) >= 300


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from(SENTENCES), st.sampled_from([" ", "\n", "\r\n", "\n\n", "\t", "\nIMPRESSION: "]))
    )
)
def test_whatever_blanks_part_the_sentences(pieces):
    check("FINDINGS: " + "".join(sentence + blank for sentence, blank in pieces))


@pytest.mark.parametrize("blank", ["\n", "\r\n   ", "  \r  "])
def test_wrapped_lines(blank):
    for sentence in SENTENCES:
        # A line that begins with "history:" is a heading: no wrapping there.
        wrapped = "FINDINGS: " + re.sub(r" (?=[a-z]+\b(?!:))", blank, sentence)
        assert text_of_parts(described(find_sections(wrapped))) == sentence
        assert check(wrapped) == check("FINDINGS: " + sentence)


def spans_of(sentence):
    (triplet,) = source().extract([sentence])[0]
    return {
        name: [sentence[start:end] for start, end in getattr(triplet, name)] for name in ("owner", "places", "cues")
    }


@pytest.mark.parametrize(
    ("sentence", "owner", "places", "cues"),
    [
        ("Large effusion.", [], [], []),
        ("The heart is enlarged.", ["heart"], [], []),
        ("The heart is normal.", ["heart"], [], ["normal"]),
        ("The heart is not enlarged.", ["heart"], [], ["not"]),
        ("Left effusion is not seen.", [], ["Left"], ["is not seen"]),
        ("Nodule in the right upper lobe may be present.", [], ["right upper lobe"], ["may be present"]),
        ("Possible nodule in the right upper lobe.", [], ["right upper lobe"], ["Possible"]),
        ("Cannot exclude pneumonia, which is likely.", [], [], ["Cannot exclude"]),
        ("Effusion: none.", [], [], [": none"]),
    ],
)
def test_the_words_that_decide(sentence, owner, places, cues):
    assert spans_of(sentence) == {"owner": owner, "places": places, "cues": cues}


def test_graphs_name_place_and_state_but_no_denial():
    text = "No edema in the left lung. The lungs are clear."
    entities = {
        "1": ("edema", "OBS-DA", 1, [["located_at", "2"]]), "2": ("lung", "ANAT-DP", 5, []),
        "3": ("left", "ANAT-DP", 4, [["modify", "2"]]), "4": ("lungs", "ANAT-DP", 8, []),
        "5": ("clear", "OBS-DP", 10, [["located_at", "4"]]),
    }  # fmt: skip
    graph = {
        "text": "No edema in the left lung . The lungs are clear .",
        "entities": {
            key: {"tokens": tokens, "label": label, "start_ix": at, "end_ix": at, "relations": relations}
            for key, (tokens, label, at, relations) in entities.items()
        },
    }
    edema, opacity = triplets_of_graph(graph, text)
    said = [[[text[a:b] for a, b in spans] for spans in (t.owner, t.places, t.cues)] for t in (edema, opacity)]
    assert said == [[[], ["left", "lung"], []], [["lungs"], [], ["clear"]]]
