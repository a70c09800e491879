"""What the rules make of denial, doubt and history: the sentences of ``negation.yaml``."""

from pathlib import Path

import pytest

from maskray.files import read_yaml
from maskray.reports.rules import RuleSource
from maskray.reports.vocabulary import finding_of_words

SENTENCES = read_yaml(Path(__file__).with_name("negation.yaml"))
CASES = [
    pytest.param(sentence, expected, id=f"{construction}: {sentence}")
    for construction, rows in SENTENCES.items()
    for sentence, expected in rows.items()
]


@pytest.fixture(scope="module")
def source():
    return RuleSource()


@pytest.mark.parametrize(("sentence", "expected"), CASES)
def test_sentence(source, sentence, expected):
    triplets = source.extract([sentence])[0]
    wanted = {(entity, *said.split(" @ ")) for entity, one in expected.items() for said in _listed(one)}
    located = {entity for entity, *rest in wanted if len(rest) > 1}
    found = {(t.entity, t.exist, *([t.position] if t.entity in located else [])) for t in triplets}
    assert found == wanted


def test_the_list_is_long_and_names_only_findings():
    assert len(CASES) >= 150
    assert len(SENTENCES) >= 25
    assert all(finding_of_words(entity) for rows in SENTENCES.values() for one in rows.values() for entity in one)


def _listed(one):
    return [one] if isinstance(one, str) else one
