import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskray.reports.entities import entity_spans
from maskray.reports.terms import find_terms
from maskray.reports.vocabulary import FINDINGS


def entities(text):
    return [text[start:end] for start, end in entity_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Small left pleural effusion is seen.", ["Small left pleural effusion"]),
        ("No focal consolidation, effusion, or pneumothorax.", ["focal consolidation", "effusion", "pneumothorax"]),
        ("The heart size is normal.", ["heart size", "normal"]),
        ("ET tube tip above the carina", ["ET tube", "carina"]),
        ("Left-sided PICC line.", ["Left-sided PICC line"]),
        ("The left one is small, mild.", []),
        ("left\nlower   lobe", ["left\nlower   lobe"]),
        ("Lungs.\n\nHeart", ["Lungs", "Heart"]),
        ("effusion2 xeffusion", []),
        ("EFFUSION", ["EFFUSION"]),
        ("", []),
    ],
)
def test_longest_terms_side_by_side_are_one(text, expected):
    assert entities(text) == expected


@pytest.mark.parametrize("finding", [f for f in FINDINGS.values() if f.name != "No Finding"], ids=lambda f: f.name)
def test_every_name_of_a_finding_is_an_entity(finding):
    for word in finding.synonyms:
        assert find_terms(word)[0].kind == "finding", word
        assert entity_spans(word) == [(0, len(word))], word


@given(st.text(alphabet="efusion lht.\n-'ßİé", max_size=60) | st.text(max_size=60))
def test_spans_are_in_order_and_end_on_words(text):
    position = -1
    for start, end in entity_spans(text):
        assert position < start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        position = end
